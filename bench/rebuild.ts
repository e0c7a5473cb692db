/** Fills read models from an event store in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../src/cli/project.ts';
import type { Rebuild } from './rebuild-process.ts';

const WITHIN_MS = 900_000;

/** Fills the read models of an event store from its first event on. */
export async function fillReadModels(events: string, readModels: string): Promise<void> {
  await run(events, readModels, 'fill');
}

/** Fills them, and then rebuilds them beside those that are served. */
export async function rebuild(events: string, readModels: string): Promise<Rebuild> {
  return JSON.parse(await run(events, readModels, 'rebuild')) as Rebuild;
}

async function run(events: string, readModels: string, what: 'fill' | 'rebuild'): Promise<string> {
  const entry = join(import.meta.dirname, 'rebuild-process.ts');
  const args = [...NODE_FLAGS, entry, events, readModels, what];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: WITHIN_MS });
  return stdout;
}
