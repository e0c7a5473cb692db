/** Backups of a bank's files, and what a restore makes of them. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteEventReader, openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openReadModelStore } from '../../src/composition/open-stores.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import type { EventStore, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { reactorCollection } from '../../src/event-sourcing/reactor-journal.ts';
import type { DeadLetter } from '../../src/event-sourcing/read-model-store.ts';
import {
  backUpStore,
  checkBackupIn,
  finishedRuns,
  restoreStore,
} from '../../src/store-tools/back-up-stores.ts';
import { collect, mustAppend, newEvents } from '../support/event-builders.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function scene() {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const bankIn = (name: string) => loadConfig({ OPENBANK_DATA_DIR: directory.file(name) });
  const open = (name: string) => {
    const store = openSqliteEventStore({ kind: 'file', path: join(directory.file(name), 'events.db') });
    onTestFinished(() => store.close());
    return store;
  };
  return { bankIn, open, backup: directory.file('backup'), file: directory.file };
}

async function fill(store: EventStore, rounds: number, from = 0): Promise<void> {
  for (let revision = from; revision < from + rounds; revision += 1) {
    for (const stream of ['person-1', 'bank-account-1', 'bank-account-2']) {
      await mustAppend(store, stream, newEvents(1), revision === 0 ? 'no_stream' : revision - 1);
    }
  }
}

async function logIn(dataDir: string): Promise<RecordedEvent[]> {
  const { reader, close } = openSqliteEventReader(join(dataDir, 'events.db'));
  try {
    return await collect(reader.readAll());
  } finally {
    close();
  }
}

describe('a backup', () => {
  it('brings everything back, in its old places, under another store id', async () => {
    const { bankIn, open, backup } = scene();
    const store = open('bank');
    await fill(store, 4);
    const { run } = await backUpStore(bankIn('bank'), backup);
    expect(run).toMatchObject({ number: 1, events: 12, new_events: 12, last_position: 12n });

    const restored = await restoreStore(bankIn('restored'), backup, undefined);
    expect(restored).toMatchObject({ events: 12, streams: 3 });
    const log = await collect(store.readAll());
    expect(await logIn(bankIn('restored').dataDir)).toEqual(log);
    const again = open('restored');
    expect(again.storeId).toBe(restored.storeId);
    expect(again.storeId).not.toBe(store.storeId);
    expect(await mustAppend(again, 'person-1', newEvents(1), 3)).toEqual({ revision: 4, position: 13n });
    expect(readdirSync(bankIn('restored').dataDir).filter((name) => /restor/.test(name))).toEqual([]);
  });

  it('adds only what is new', async () => {
    const { bankIn, open, backup } = scene();
    const store = open('bank');
    await fill(store, 2);
    await backUpStore(bankIn('bank'), backup);
    const segments = () => readdirSync(join(backup, 'events')).filter((name) => name.startsWith('segment'));
    const [first] = segments();
    await fill(store, 2, 2);
    const { run } = await backUpStore(bankIn('bank'), backup);
    expect(run).toMatchObject({ number: 2, events: 12, new_events: 6 });
    expect(segments()).toHaveLength(2);
    expect(segments()).toContain(first);
    expect((await backUpStore(bankIn('bank'), backup)).run).toMatchObject({ number: 3, new_events: 0 });
    expect(segments()).toHaveLength(2);
    expect(await finishedRuns(backup)).toHaveLength(3);
    expect((await checkBackupIn(backup)).totals.events).toBe(12);
  });
});

const REACTOR = reactorCollection('cloudevents');

function letterAt(position: bigint): DeadLetter {
  const at = { position, stream: 'person-1', revision: Number(position) };
  const why = { cause: 'refused', attempts: 5, deadSince: '2026-01-01T00:00:00.000Z' };
  return {
    projection: REACTOR.name,
    documentKey: 'person-1',
    eventId: `event-${position}`,
    eventType: 'T',
    ...at,
    ...why,
  };
}

/** A publisher that has come to position 9 of 12, and holds two streams back. */
async function publishedSoFar({ publisherState }: Config, storeId: string): Promise<void> {
  const store = await openReadModelStore(publisherState);
  await store.prepare([REACTOR], storeId);
  const held = (key: string, position: bigint) => ({
    collection: REACTOR,
    document: {
      key,
      sequence: position,
      position,
      document: { state: 'held', held_by: String(position), cause: 'refused', attempts: 5, since: 'then' },
      blocked: true,
    },
  });
  await store.commit({
    writes: [held('person-1', 4n), held('bank-account-2', 9n)],
    deadLetters: [letterAt(4n), letterAt(7n), letterAt(9n)],
    checkpoints: [{ projection: REACTOR.name, version: REACTOR.version, position: 9n }],
  });
  await store.close();
}

async function publisherIn({ publisherState }: Config) {
  const store = await openReadModelStore(publisherState);
  try {
    const held = await store.find(REACTOR, { where: { state: 'held' }, order: 'oldest_first', limit: 9 });
    const letters = await store.listDeadLetters({ limit: 9 });
    return {
      position: (await store.checkpoints())[0]?.position,
      held: held.map(({ key }) => key),
      letters: letters.map(({ position }) => position),
    };
  } finally {
    await store.close();
  }
}

describe('what the publisher of CloudEvents remembers', () => {
  it.each([
    [undefined, { position: 9n, held: ['person-1', 'bank-account-2'], letters: [4n, 7n, 9n] }],
    [{ position: 8n }, { position: 8n, held: ['person-1'], letters: [4n, 7n] }],
    [{ position: 3n }, { position: 3n, held: [], letters: [] }],
  ] as const)('comes back with the events up to %o', async (to, expected) => {
    const { bankIn, open, backup } = scene();
    const store = open('bank');
    await fill(store, 4);
    await publishedSoFar(bankIn('bank'), store.storeId);
    await backUpStore(bankIn('bank'), backup);
    const { storeId } = await restoreStore(bankIn('restored'), backup, to);
    const state = await openReadModelStore(bankIn('restored').publisherState);
    // It is of the restored log: otherwise the bank would drop it, and publish everything again.
    await state.prepare([REACTOR], storeId, false);
    await state.close();
    expect(await publisherIn(bankIn('restored'))).toEqual(expected);
  });
});

describe('a restore', () => {
  it.each(['events.db', 'read-models.db', 'reactors.db', 'openbank.log', 'notes.txt'])(
    'is refused over a directory that holds %s',
    async (name) => {
      const { bankIn, open, backup } = scene();
      await fill(open('bank'), 1);
      await backUpStore(bankIn('bank'), backup);
      const config = bankIn('occupied');
      mkdirSync(config.dataDir);
      writeFileSync(join(config.dataDir, name), 'mine');
      await expect(restoreStore(config, backup, undefined)).rejects.toThrow(
        `${config.dataDir} is not empty: it holds '${name}', and a restore overwrites nothing. Stop the bank that uses it and move it away, such as with: mv ${config.dataDir} ${config.dataDir}.before-restore`,
      );
      expect(readdirSync(config.dataDir)).toEqual([name]);
    },
  );

  it('is refused where a bank runs, and for stores that are not files', async () => {
    const { bankIn, open, backup } = scene();
    await fill(open('bank'), 1);
    await backUpStore(bankIn('bank'), backup);
    await expect(restoreStore(bankIn('bank'), backup, undefined)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    const kurrentdb = loadConfig({ OPENBANK_EVENT_STORE: 'kurrentdb://localhost:2113' });
    for (const work of [restoreStore(kurrentdb, backup, undefined), backUpStore(kurrentdb, backup)]) {
      await expect(work).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('KurrentDB has backups of its own'),
      });
    }
  });

  it('clears away what an interrupted one left, the publisher too, and begins anew', async () => {
    const { bankIn, open, backup } = scene();
    const store = open('bank');
    await fill(store, 4);
    await publishedSoFar(bankIn('bank'), store.storeId);
    await backUpStore(bankIn('bank'), backup);
    const config = bankIn('restored');
    mkdirSync(config.dataDir);
    for (const name of [
      'restore.unfinished',
      'events.db.restoring',
      'events.db.restoring-wal',
      'reactors.db',
    ]) {
      writeFileSync(join(config.dataDir, name), 'half');
    }
    await restoreStore(config, backup, undefined);
    expect(await logIn(config.dataDir)).toEqual(await collect(store.readAll()));
    expect((await publisherIn(config)).position).toBe(9n);
    expect(readdirSync(config.dataDir).filter((name) => /restor/.test(name))).toEqual([]);
  });

  it('that fails leaves nothing', async () => {
    const { bankIn, open, backup } = scene();
    await fill(open('bank'), 1);
    await backUpStore(bankIn('bank'), backup);
    const config = bankIn('restored');
    await expect(restoreStore(config, backup, { position: 99n })).rejects.toThrow(
      'The backup ends at position 3',
    );
    await expect(restoreStore(config, `${backup}-none`, undefined)).rejects.toThrow(
      'holds no finished backup',
    );
    mkdirSync(config.publisherState.kind === 'file' ? `${config.publisherState.path}.restoring` : '', {
      recursive: true,
    });
    await publishedSoFar(bankIn('bank'), 'any');
    await backUpStore(bankIn('bank'), backup);
    await expect(restoreStore(config, backup, undefined)).rejects.toThrow();
    expect(readdirSync(config.dataDir).filter((name) => !/lock$/.test(name))).toEqual([
      'reactors.db.restoring',
    ]);
  });
});

describe('the directory of a backup', () => {
  it('is its own: with other files in it, it takes none', async () => {
    const { bankIn, open, backup } = scene();
    open('bank');
    mkdirSync(backup);
    writeFileSync(join(backup, 'photo.jpg'), 'photo');
    await expect(backUpStore(bankIn('bank'), backup)).rejects.toThrow(
      `${backup} cannot take a backup: it holds 'photo.jpg', which is not of a backup.`,
    );
    expect(readdirSync(backup)).toEqual(['photo.jpg']);
  });

  it('takes one run at a time', async () => {
    const { bankIn, open, backup } = scene();
    await fill(open('bank'), 2);
    const runs = await Promise.allSettled([
      backUpStore(bankIn('bank'), backup),
      backUpStore(bankIn('bank'), backup),
    ]);
    const refused = runs.filter((run) => run.status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'in_use' } }]);
    expect(await finishedRuns(backup)).toHaveLength(1);
  });
});
