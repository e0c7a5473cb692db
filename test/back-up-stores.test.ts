/** Backups of a bank's files, and what a restore makes of them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteEventReader, openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { backUpStore, checkBackupIn, finishedRuns, restoreStore } from '../src/back-up-stores.ts';
import { loadConfig } from '../src/config.ts';
import type { EventStore, RecordedEvent } from '../src/event-sourcing/event-store.ts';
import { collect, mustAppend, newEvents } from './support/event-builders.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

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
