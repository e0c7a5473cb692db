/** Fills read models from an event store in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Rebuild } from './rebuild-process.ts';

const WITHIN_MS = 900_000;

export async function rebuild(events: string, readModels: string): Promise<Rebuild> {
  const entry = join(import.meta.dirname, 'rebuild-process.ts');
  const args = ['--disable-warning=ExperimentalWarning', entry, events, readModels];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: WITHIN_MS });
  return JSON.parse(stdout) as Rebuild;
}
