/** Makes directories, one in the other, or says at once why it cannot. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those that it lies in, where they are missing.
 *
 * Node's own recursive mkdir does not end where a directory is there and takes none, as `/proc`: it hears that something
 * is missing on the way, finds that nothing is, and begins again.
 *
 * @param mode of each directory that is made
 * @returns the outermost one that was made, absolute; `undefined` when all were there
 * @throws the file system's error, such as ENOENT, EACCES, ENOTDIR, or EEXIST where a file has the name
 */
export function makeDirectory(path: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  for (let place = resolve(path); !isDirectory(place); place = dirname(place)) missing.push(place);
  let outermost: string | undefined;
  for (const place of missing.reverse()) if (make(place, mode)) outermost ??= place;
  return outermost;
}

/** @returns false also where it cannot be looked at: then making it says why */
function isDirectory(path: string): boolean {
  if (path === dirname(path)) return true;
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** @returns whether it was made here, and not by somebody else meanwhile */
function make(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isDirectory(path)) return false;
    throw error;
  }
}
