/** The projector's view of its documents: what a batch has changed, what was loaded, what stays cached. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { DocumentSession } from '../../src/event-sourcing/document-session.ts';
import type { Collection } from '../../src/event-sourcing/read-model-store.ts';
import { newDocument, write } from '../support/read-model-builders.ts';
import { WatchedReadModels } from '../support/watched-read-models.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: [], listed: true };
const ONCE: Collection = { name: 'once', version: 1, indexes: [], listed: true };
const isWriteOnce = (collection: Collection) => collection === ONCE;

let store: WatchedReadModels;
beforeEach(async () => {
  store = new WatchedReadModels(openSqliteReadModelStore({ kind: 'memory' }));
  await store.prepare([THINGS, ONCE], 'a-store');
});
afterEach(() => store.close());

const stored = (key: string, n = 1, position = 1n) => newDocument({ key, position, document: { n } });

describe('a session', () => {
  it('knows what it has loaded, and what is not there', async () => {
    await write(store, THINGS, [stored('one')]);
    const session = new DocumentSession(store);
    expect(session.get(THINGS, 'one')).toBeUndefined();
    await session.load(THINGS, 'one');
    await session.load(THINGS, 'none');
    expect(session.get(THINGS, 'one')).toEqual({ n: 1 });
    expect(session.stored(THINGS, 'one')).toEqual(stored('one'));
    expect(session.get(THINGS, 'none')).toBeUndefined();
    expect(session.load(THINGS, 'one')).toBeUndefined();
    expect(session.load(THINGS, 'none')).toBeUndefined();
    expect(store.gets).toBe(2);
  });

  it('shows changes before what was loaded, and gives each changed document once', async () => {
    await write(store, THINGS, [stored('one')]);
    const session = new DocumentSession(store);
    await session.load(THINGS, 'one');
    session.change(THINGS, stored('one', 2, 2n));
    session.change(THINGS, stored('one', 3, 3n));
    session.change(THINGS, stored('two', 1, 3n));
    expect(session.get(THINGS, 'one')).toEqual({ n: 3 });
    expect(session.changes()).toEqual([
      { collection: THINGS, document: stored('one', 3, 3n) },
      { collection: THINGS, document: stored('two', 1, 3n) },
    ]);
  });

  it('keeps collections and versions apart', async () => {
    const second = { ...THINGS, version: 2 };
    const session = new DocumentSession(store);
    session.change(THINGS, stored('one', 1));
    session.change(second, stored('one', 2));
    expect(session.get(THINGS, 'one')).toEqual({ n: 1 });
    expect(session.get(second, 'one')).toEqual({ n: 2 });
    expect(session.get(ONCE, 'one')).toBeUndefined();
  });

  it('takes objects of the same name and version for the same collection', async () => {
    await write(store, THINGS, [stored('one')]);
    const session = new DocumentSession(store, 10);
    await session.load({ ...THINGS }, 'one');
    expect(session.get(THINGS, 'one')).toEqual({ n: 1 });
    session.change({ ...THINGS }, stored('one', 2, 2n));
    expect(session.get({ ...THINGS }, 'one')).toEqual({ n: 2 });
    expect(session.changes()).toHaveLength(1);
    session.discard();
    expect(session.get(THINGS, 'one')).toBeUndefined();
  });

  it('after a commit has nothing to write, and knows without asking what it wrote', async () => {
    const session = new DocumentSession(store, 10);
    await session.load(THINGS, 'one');
    session.change(THINGS, stored('one', 2));
    session.committed(isWriteOnce);
    expect(session.changes()).toEqual([]);
    expect(session.load(THINGS, 'one')).toBeUndefined();
    expect(session.get(THINGS, 'one')).toEqual({ n: 2 });
    expect(store.gets).toBe(1);
  });

  it('forgets what it had written once, also that it was not there before', async () => {
    const session = new DocumentSession(store, 10);
    await session.load(ONCE, 'one');
    session.committed(isWriteOnce);
    await write(store, ONCE, [stored('one', 7)]);
    session.change(ONCE, stored('one', 7));
    session.committed(isWriteOnce);
    await session.load(ONCE, 'one');
    expect(session.get(ONCE, 'one')).toEqual({ n: 7 });
  });

  it('after a failure forgets all: the store is asked again', async () => {
    await write(store, THINGS, [stored('one', 1, 1n)]);
    const session = new DocumentSession(store, 10);
    await session.load(THINGS, 'one');
    session.committed(isWriteOnce);
    session.change(THINGS, stored('one', 2, 2n));
    session.discard();
    expect(session.changes()).toEqual([]);
    expect(session.get(THINGS, 'one')).toBeUndefined();
    await write(store, THINGS, [stored('one', 3, 3n)]);
    await session.load(THINGS, 'one');
    expect(session.get(THINGS, 'one')).toEqual({ n: 3 });
  });

  it('never loses what its batch has loaded, however small its cache is', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    await write(
      store,
      THINGS,
      keys.map((key, index) => stored(key, index)),
    );
    const session = new DocumentSession(store, 2);
    for (let batch = 0; batch < 2; batch += 1) {
      for (const key of keys) await session.load(THINGS, key);
      expect(keys.map((key) => session.get(THINGS, key)?.n)).toEqual(keys.map((_, index) => index));
      session.committed(isWriteOnce);
    }
    expect(store.gets).toBeGreaterThanOrEqual(98);
  });
});
