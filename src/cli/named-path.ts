/** Paths that somebody has typed: they begin where that somebody stands, and those of the configuration in the project. */
import { resolve } from 'node:path';

/** The command line works in the project's directory; whoever goes there leaves behind where it came from. */
const CALLED_FROM = 'OPENBANK_CALLED_FROM';

/** Goes into the project's directory, unless `./openbank` has done so. */
export function workIn(directory: string): void {
  process.env[CALLED_FROM] ??= process.cwd();
  process.chdir(directory);
}

/** @returns the path as an absolute one */
export function namedPath(path: string): string {
  return resolve(process.env[CALLED_FROM] ?? '.', path);
}
