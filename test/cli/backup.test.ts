/** The verbs backup, restore and verify, with their sentences and exit codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { mustAppend, newEvents } from '../support/event-builders.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './in-process.ts';

async function bankOfThree() {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const store = openSqliteEventStore({ kind: 'file', path: join(directory.file('bank'), 'events.db') });
  await mustAppend(store, 'person-1', newEvents(3), 'no_stream');
  await store.close();
  const settings = {
    OPENBANK_DATA_DIR: directory.file('bank'),
    OPENBANK_BACKUP_DIR: directory.file('backup'),
  };
  const run = (...args: string[]) => runInProcess(args, settings);
  return { file: directory.file, run };
}

describe('backup and restore', () => {
  it('print what was done, as text and as JSON', async () => {
    const { file, run } = await bankOfThree();
    const first = await run('backup');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`${file('backup')} holds the bank as of `);
    expect(first.stdout).toContain('3  events, 3 of them by the newest run');
    expect(first.stdout).toMatch(/It took [\d.]+ s, [\d,]+ events\/s\./);
    const { stdout } = await run('backup', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ run: 2, events: 3, new_events: 0, last_position: '3' });
    expect((await run('backup', '--check')).stdout).toContain(`${file('backup')} is a whole backup:`);

    const restored = await run('restore', file('backup'), '--to', '2', '--data-dir', file('restored'));
    expect(restored.stdout).toContain(
      `Restored into ${file('restored')}, and compared: 2 events in 1 streams.`,
    );
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    const again = await run('restore', file('backup'), '--data-dir', file('restored'));
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`${file('restored')} is not empty: it holds 'events.db'`);
  });

  it('say what is wrong with a backup, a point in time, or the arguments', async () => {
    const { file, run } = await bankOfThree();
    await run('backup', file('backup'));
    const to = (point: string) =>
      run('restore', file('backup'), '--data-dir', file('restored'), '--to', point);
    for (const point of [
      'yesterday',
      '0',
      '2026-01-31',
      '2026-01-31T00:00:00',
      '2026-02-30T00:00:00Z',
      '1e3',
    ]) {
      expect(await to(point)).toMatchObject({
        code: 2,
        stderr: `openbank: --to must be a time such as 2026-01-31T23:59:59Z, or a position such as 1042, not '${point}'.\n`,
      });
    }
    expect((await to('4')).stderr).toBe('openbank: The backup ends at position 3, before 4.\n');
    expect((await to('1999-01-01T00:00:00Z')).stderr).toContain(
      'there is nothing to restore up to an earlier point',
    );
    expect((await to('2999-01-01T00:00:00Z')).stderr).toContain('what came later is not in it');
    writeFileSync(join(file('backup'), 'backup.json'), '{}');
    const damaged = await to('2');
    expect(damaged).toMatchObject({ code: 1 });
    expect(damaged.stderr).toContain(
      'backup.json is damaged: it is not the manifest of an OpenBank backup. Nothing was restored.',
    );
    const none = await runInProcess(['backup'], { OPENBANK_DATA_DIR: file('bank'), OPENBANK_BACKUP_DIR: '' });
    expect(none.code).toBe(2);
  });
});

it('backup, export and restore say at once that a directory cannot be made', async () => {
  const { file, run } = await bankOfThree();
  await run('backup');
  const nowhere = '/proc/openbank/here';
  for (const [verb, ...args] of [
    ['backup', nowhere],
    ['export', nowhere],
    ['restore', file('backup'), '--data-dir', nowhere],
  ] as const) {
    const { code, stderr } = await run(verb, ...args);
    expect([verb, code]).toEqual([verb, 1]);
    expect(stderr).toMatch(/^openbank: .*\/proc\/openbank.* cannot be (made|used) \(E[A-Z]+\)/);
  }
});

describe('verify', () => {
  it('fails with a sentence where there are no read models, and for stores in memory', async () => {
    const { run, file } = await bankOfThree();
    const unfilled = await run('verify');
    expect(unfilled.code).toBe(1);
    expect(unfilled.stderr).toContain('read-models.db');
    const memory = { OPENBANK_DATA_DIR: file('bank'), OPENBANK_EVENT_STORE: 'sqlite::memory:' };
    expect(await runInProcess(['verify'], memory)).toMatchObject({
      code: 1,
      stderr: 'openbank: A store in memory cannot be read by another process.\n',
    });
  });
});
