/** A million events go through `readAll` and through a subscription in constant memory. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import type { MillionReport } from './million-reader.ts';

const MEGABYTE = 1_048_576;
const READER = fileURLToPath(new URL('./million-reader.ts', import.meta.url));

it('a million events are read in constant memory, each once and in order', async () => {
  const directory = temporaryDirectory();
  try {
    // With such a small heap, a reader that gathered what it reads would not survive.
    const flags = ['--expose-gc', '--max-old-space-size=64'];
    const parameters = [...flags, READER, directory.file('events.db')];
    const { stdout } = await promisify(execFile)(process.execPath, parameters);
    const report = JSON.parse(stdout) as MillionReport;
    console.log(stdout);
    expect(report).toMatchObject({ readAll: 1_000_000, subscribeToAll: 1_000_000 });
    expect(report.heapGrowthBytes).toBeLessThan(32 * MEGABYTE);
    expect(report.residentGrowthBytes).toBeLessThan(96 * MEGABYTE);
  } finally {
    directory.remove();
  }
});
