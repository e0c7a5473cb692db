/** The order of system calls: the log is synced before the append is answered. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { collect } from '../../support/event-builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CHILD = fileURLToPath(new URL('./single-append.ts', import.meta.url));

it('an append is acknowledged only after fsync of the log returned', async (context) => {
  // Some machines lack it, others forbid tracing.
  if (spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0)
    return context.skip('skipped: no strace');
  const directory = temporaryDirectory();
  try {
    const path = directory.file('events.db');
    const output = directory.file('trace');
    const tracer = ['-ff', '-y', '-e', 'trace=fsync,fdatasync,pwrite64,write', '-o', output];
    spawnSync('strace', [...tracer, process.execPath, CHILD, path]);

    const calls = mainThreadCalls(output);
    const opened = calls.findIndex((call) => /^write\(1.*"opened/.test(call));
    const acknowledged = calls.findIndex((call) => /^write\(1.*"acknowledged/.test(call));
    expect(opened).toBeGreaterThan(-1);
    expect(acknowledged).toBeGreaterThan(opened);
    const between = calls.slice(opened + 1, acknowledged);
    const lastWrite = between.findLastIndex((call) => /^pwrite64\(.*events\.db-wal>/.test(call));
    const lastSync = between.findLastIndex((call) => /^f(data)?sync\(.*events\.db-wal>\) += 0$/.test(call));
    expect(lastWrite, between.join('\n')).toBeGreaterThan(-1);
    expect(lastSync, between.join('\n')).toBeGreaterThan(lastWrite);

    const store = openSqliteEventStore({ kind: 'file', path });
    expect(await collect(store.readStream('stream'))).toHaveLength(1);
    await store.close();
  } finally {
    directory.remove();
  }
});

/** strace writes one file per thread; SQLite works on the thread that also writes the answer. */
function mainThreadCalls(output: string): string[] {
  const files = readdirSync(dirname(output)).filter((name) => name.startsWith(`${basename(output)}.`));
  const threads = files.map((name) => readFileSync(join(dirname(output), name), 'utf8').split('\n'));
  return threads.find((calls) => calls.some((call) => call.includes('"acknowledged'))) ?? [];
}
