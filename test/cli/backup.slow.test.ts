/** Backups and restores are killed at random instants, and meet a full disk: nothing is lost, and the next call ends well. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteEventReader, openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { checkBackupIn, finishedRuns } from '../../src/store-tools/back-up-stores.ts';
import { collect, newEvents } from '../support/event-builders.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const STREAMS = 200;
const ROUNDS_OF_APPENDS = 50;
const KILLS = 2;
const PATIENCE_MS = 300_000;
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000_007);

let directory: TemporaryDirectory;
let store: SqliteEventStore;
const revisions = new Array<number>(STREAMS).fill(-1);

async function appendRound(): Promise<void> {
  await Promise.all(
    revisions.map(async (revision, stream) => {
      const expected = revision < 0 ? 'no_stream' : revision;
      revisions[stream] = revision + 1;
      expect((await store.append(`person-${stream}`, newEvents(1), expected)).ok).toBe(true);
    }),
  );
}

beforeAll(async () => {
  directory = temporaryDirectory();
  store = openSqliteEventStore({ kind: 'file', path: join(directory.file('bank'), 'events.db') });
  for (let round = 0; round < ROUNDS_OF_APPENDS; round += 1) await appendRound();
});
afterAll(async () => {
  await store.close();
  directory.remove();
});

interface Ended {
  readonly code: number | null;
  readonly killed: boolean;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs a command to its end, or kills it after so many milliseconds. `shell` stands before it. */
async function run(
  args: readonly string[],
  dataDir: string,
  killAfterMs?: number,
  shell = '',
): Promise<Ended> {
  const env = { PATH: process.env.PATH, OPENBANK_DATA_DIR: directory.file(dataDir) };
  const command = [
    '-c',
    `${shell} exec "$0" "$@"`,
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    MAIN,
  ];
  const startedAt = performance.now();
  const child = spawn('sh', [...command, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  if (killAfterMs !== undefined) {
    await Promise.race([closed, sleep(killAfterMs)]);
    child.kill('SIGKILL');
  }
  const [code, signal] = (await closed) as [number | null, string | null];
  return { code, killed: signal === 'SIGKILL', stderr, ms: performance.now() - startedAt };
}

async function logIn(dataDir: string): Promise<RecordedEvent[]> {
  const { reader, close } = openSqliteEventReader(join(directory.file(dataDir), 'events.db'));
  try {
    return await collect(reader.readAll());
  } finally {
    close();
  }
}

it(`kills at random instants are gone on from (CRASH_SEED=${seed})`, { timeout: PATIENCE_MS }, async () => {
  const random = randomNumbers(seed);
  const backup = directory.file('backup');
  const { ms } = await run(['backup', directory.file('practice')], 'bank');
  for (let kills = 0, tries = 0; kills < KILLS && tries < 20; tries += 1) {
    await appendRound();
    const { killed } = await run(['backup', backup], 'bank', ms * (0.2 + 0.8 * random()));
    if (killed) kills += 1;
    // Whatever was finished before is whole.
    const runs = existsSync(backup) ? await finishedRuns(backup) : [];
    if (runs.length > 0) await checkBackupIn(backup);
  }
  const last = run(['backup', backup], 'bank');
  const acknowledged = (await store.headPosition()) ?? 0n;
  for (let round = 0; round < 20; round += 1) {
    await appendRound();
    await sleep(10);
  }
  expect(await last).toMatchObject({ code: 0 });
  const newest = (await finishedRuns(backup)).at(-1);
  expect(newest?.head_position).toBeGreaterThanOrEqual(acknowledged);

  for (let kills = 0, tries = 0; kills < KILLS && tries < 20; tries += 1) {
    const { killed, code } = await run(['restore', backup], 'restored', ms * (0.2 + 1.3 * random()));
    if (killed) kills += 1;
    if (existsSync(join(directory.file('restored'), 'events.db'))) break;
    expect([killed, code]).toEqual([true, null]);
  }
  if (!existsSync(join(directory.file('restored'), 'events.db'))) {
    expect(await run(['restore', backup], 'restored')).toMatchObject({ code: 0 });
    expect(readdirSync(directory.file('restored')).filter((name) => /restor/.test(name))).toEqual([]);
  }
  const log = await collect(store.readAll());
  expect(await logIn('restored')).toEqual(
    log.filter(({ position }) => position <= (newest?.head_position ?? 0n)),
  );
  const again = await run(['restore', backup], 'restored');
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it holds 'events.db', and a restore overwrites nothing"),
  });
});

it('a disk that is full refuses the backup and harms nothing', { timeout: PATIENCE_MS }, async () => {
  const backup = directory.file('limited');
  await appendRound();
  // The shell limits the size of files: a process has no other disk that it could fill.
  const { code, stderr } = await run(['backup', backup], 'bank', undefined, 'ulimit -f 200;');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/has no room for the next segment \(EFBIG\)\. The backup is as it was/),
  ]);
  expect(existsSync(join(backup, 'backup.json'))).toBe(false);
  await appendRound();
  expect(await run(['backup', backup], 'bank')).toMatchObject({ code: 0 });
  expect(await run(['restore', backup], 'limited-restored', undefined, 'ulimit -f 2000;')).toMatchObject({
    code: 1,
  });
  expect(readdirSync(directory.file('limited-restored')).filter((name) => !name.includes('.lock'))).toEqual(
    [],
  );
  expect(await run(['restore', backup], 'limited-restored')).toMatchObject({ code: 0 });
  expect(await logIn('limited-restored')).toEqual(await collect(store.readAll()));
});
