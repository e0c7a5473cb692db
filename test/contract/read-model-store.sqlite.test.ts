/** The read model store contract on the embedded SQLite store, in a file and in memory, and what only a file can do. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteReadModelReader } from '../../src/adapters/sqlite/read-model-cache.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import type { Collection } from '../../src/event-sourcing/read-model-store.ts';
import { checkpoint, commit, newDeadLetter, newDocument, write } from '../support/read-model-builders.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeReadModelStoreContract } from './read-model-store.contract.ts';

describeReadModelStoreContract('SQLite in a file', async () => {
  const directory = temporaryDirectory();
  const path = directory.file('read-models.db');
  const store = openSqliteReadModelStore({ kind: 'file', path });
  return {
    store,
    openReader: async () => {
      const { reader, close } = openSqliteReadModelReader(path);
      return { reader, close: async () => close() };
    },
    dispose: async () => {
      await store.close();
      directory.remove();
    },
  };
});

describeReadModelStoreContract('SQLite in memory', async () => {
  const store = openSqliteReadModelStore({ kind: 'memory' });
  // Memory has one connection: the reader and the writer are the same.
  return {
    store,
    openReader: async () => ({ reader: store, close: async () => {} }),
    dispose: () => store.close(),
  };
});

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };
const UNPREPARED: Collection = { name: 'unprepared', version: 1, indexes: [], listed: true };

function newFile(): string {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  return directory.file('read-models.db');
}

describe('read models in a SQLite file', () => {
  it('are there again after the store was closed and opened', async () => {
    const path = newFile();
    const first = openSqliteReadModelStore({ kind: 'file', path });
    await first.prepare([THINGS], 'a-store');
    const document = newDocument({ key: 'one', position: 3n, document: { owner: 'ann' } });
    await commit(first, {
      writes: [{ collection: THINGS, document }],
      deadLetters: [newDeadLetter()],
      checkpoints: [checkpoint(THINGS, 3n)],
    });
    await first.close();
    const second = openSqliteReadModelStore({ kind: 'file', path });
    await second.prepare([THINGS], 'a-store');
    expect(await second.get(THINGS, 'one')).toStrictEqual(document);
    expect(await second.checkpoints()).toEqual([checkpoint(THINGS, 3n)]);
    expect(await second.countDeadLetters()).toBe(1);
    await second.close();
  });

  it('have one writer', async () => {
    const path = newFile();
    const store = openSqliteReadModelStore({ kind: 'file', path });
    expect(() => openSqliteReadModelStore({ kind: 'file', path })).toThrow(
      expect.objectContaining({ name: 'StoreError', code: 'in_use' }),
    );
    await store.close();
    await openSqliteReadModelStore({ kind: 'file', path }).close();
  });

  it('keep nothing of a commit into a table that is not there', async () => {
    const store = openSqliteReadModelStore({ kind: 'file', path: newFile() });
    await store.prepare([THINGS], 'a-store');
    const changes = {
      writes: [
        { collection: THINGS, document: newDocument({ key: 'one' }) },
        { collection: UNPREPARED, document: newDocument({ key: 'one' }) },
      ],
      checkpoints: [checkpoint(THINGS, 1n)],
    };
    await expect(commit(store, changes)).rejects.toMatchObject({ name: 'StoreError' });
    expect(await store.get(THINGS, 'one')).toBeUndefined();
    expect(await store.checkpoints()).toEqual([]);
    await store.close();
  });
});

it('keeps documents of other events when it is told that the new ones may be lost', async () => {
  const things: Collection = { name: 'things', version: 1, indexes: [], listed: true };
  const store = openSqliteReadModelStore({ kind: 'memory' });
  await store.prepare([things], 'old');
  await write(store, things, [newDocument({ key: 'x' })]);
  await expect(store.prepare([things], 'new', false)).rejects.toMatchObject({ code: 'corrupt' });
  expect(await store.get(things, 'x')).toBeDefined();
  await store.prepare([things], 'new', true);
  expect(await store.get(things, 'x')).toBeUndefined();
  await store.close();
});

it('keeps no document in its cache that was read while the writer committed', async () => {
  const things: Collection = { name: 'things', version: 1, indexes: [], listed: true };
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const path = directory.file('read-models.db');
  const store = openSqliteReadModelStore({ kind: 'file', path });
  await store.prepare([things], 'a');
  const both = ['x', 'y'].map((key) => newDocument({ key, position: 1n }));
  await write(store, things, both);
  const { reader, close } = openSqliteReadModelReader(path);
  // A checkpoint that is looked up meanwhile makes the reader ask anew whether anybody wrote.
  void reader.checkpoints();
  void Promise.resolve().then(() => reader.get(things, 'y'));
  const early = reader.get(things, 'x');
  await Promise.all([write(store, things, [newDocument({ key: 'x', position: 2n })]), early]);
  await nextTurn();
  expect(await reader.get(things, 'x')).toMatchObject({ position: 2n });
  close();
  await store.close();
});
