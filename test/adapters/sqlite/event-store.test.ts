/** The embedded store's own promises: shared commits, failures that leave no trace, restarts, bounded queues. */
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForWriting } from '../../../src/adapters/sqlite/database.ts';
import { EVENT_STORE_FORMAT } from '../../../src/adapters/sqlite/event-schema.ts';
import { openSqliteEventReader, SqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { StreamMetadata } from '../../../src/event-sourcing/event-store.ts';
import {
  collect,
  fillStream,
  idsIn,
  idsOf,
  mustAppend,
  newEvent,
  newEvents,
} from '../../support/event-builders.ts';
import { commitsInLog, StoreFile } from './store-file.ts';

let file: StoreFile;
beforeEach(() => {
  file = new StoreFile();
});
afterEach(() => file.dispose());

describe('group commit', () => {
  it('lets 64 appends of one turn share one commit', async () => {
    const { store, path } = file;
    await mustAppend(store, 'first', newEvents(1), 'no_stream');
    const before = commitsInLog(path);
    await Promise.all(streams(64).map((stream) => mustAppend(store, stream, newEvents(1), 'no_stream')));
    expect(commitsInLog(path) - before).toBe(1);
  });

  it('commits appends that wait for each other one by one', async () => {
    const { store, path } = file;
    await mustAppend(store, 'first', newEvents(1), 'no_stream');
    const before = commitsInLog(path);
    for (const stream of streams(8)) await mustAppend(store, stream, newEvents(1), 'no_stream');
    expect(commitsInLog(path) - before).toBe(8);
  });

  it('has committed when it answers: another connection sees the events at once', async () => {
    const { store, path } = file;
    const { reader, close } = openSqliteEventReader(
      (await mustAppend(store, 'first', newEvents(1), 'no_stream')) && path,
    );
    const seen = await Promise.all(
      streams(64).map(async (stream) => {
        const events = newEvents(2);
        await mustAppend(store, stream, events, 'no_stream');
        return (await idsIn(reader, stream)).length;
      }),
    );
    expect(new Set(seen)).toEqual(new Set([2]));
    close();
  });

  it('works through more appends than fit into one commit, in the order of the calls', async () => {
    const { store } = file;
    const events = newEvents(4_500);
    await Promise.all(events.map((event) => store.append('one', [event], 'any')));
    expect(await idsIn(store, 'one')).toEqual(idsOf(events));
  });
});

describe('failure of a shared commit', () => {
  it('on a full disk rejects all with disk_full, writes nothing, and goes on when there is room', async () => {
    const { store, db } = openedByHand(file.path);
    await mustAppend(store, 'known', newEvents(1), 'no_stream');
    const [small, large] = [newEvents(1), newEvents(1, { data: { text: 'x'.repeat(1_000_000) } })];
    const newType = newEvents(2, { type: 'NeverSeenBeforeDomainEventV1' });
    const all = () => [
      store.append('known', small, 0),
      store.append('new', newType, 'no_stream'),
      store.append('large', large, 'no_stream'),
      store.append('after', newEvents(1), 'no_stream'),
    ];

    limitPages(db, 20);
    for (const answer of await Promise.allSettled(all())) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', code: 'disk_full' } });
    }
    expect(await collect(store.readAll())).toHaveLength(1);
    expect(await store.countEvents()).toBe(1);

    limitPages(db, 1_000_000);
    const answers = await Promise.all(all());
    expect(answers.map((answer) => answer.ok && [answer.revision, answer.position])).toEqual([
      [1, 2n],
      [1, 4n],
      [0, 5n],
      [0, 6n],
    ]);
    const read = await collect(store.readAll());
    expect(read.map((event) => event.stream)).toEqual(['known', 'known', 'new', 'new', 'large', 'after']);
    expect(read[2]?.type).toBe('NeverSeenBeforeDomainEventV1');
    await store.close();
    expect(await collect(file.store.readAll())).toEqual(read);
  });

  it('small appends still find room where a large one did not', async () => {
    const { store, db } = openedByHand(file.path);
    await mustAppend(store, 'known', newEvents(1), 'no_stream');
    limitPages(db, 20);
    const large = newEvents(1, { data: { text: 'x'.repeat(1_000_000) } });
    await expect(store.append('known', large, 0)).rejects.toMatchObject({ code: 'disk_full' });
    expect((await mustAppend(store, 'known', newEvents(1), 0)).revision).toBe(1);
    await store.close();
  });

  it('at the commit itself answers no one as if it had worked, and remembers nothing', async () => {
    const { store, db } = openedByHand(file.path);
    await mustAppend(store, 'known', newEvents(1), 'no_stream');
    const known = newEvents(1);
    failCommits(db);
    const answers = await Promise.allSettled([
      store.append('known', known, 0),
      store.append('new', newEvents(3, { type: 'NeverSeenBeforeDomainEventV1' }), 'no_stream'),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
    await expect(store.deleteStream('known')).resolves.toBeUndefined();
    await expect(store.append('known', newEvents(1), 'no_stream')).rejects.toMatchObject({
      name: 'StoreError',
    });

    letCommitsPass(db);
    expect(await store.append('known', known, 0)).toEqual({ ok: false, conflict: { actual: 'no_stream' } });
    expect(await mustAppend(store, 'known', known, 'no_stream')).toEqual({ revision: 1, position: 2n });
    expect(await mustAppend(store, 'new', newEvents(1), 'no_stream')).toEqual({ revision: 0, position: 3n });
    await store.close();
  });

  it('wakes no subscriber with events that were never written', async () => {
    const { store, db } = openedByHand(file.path);
    await mustAppend(store, 'known', newEvents(1), 'no_stream');
    failCommits(db);
    await expect(store.append('known', newEvents(1), 0)).rejects.toMatchObject({ name: 'StoreError' });
    const abort = new AbortController();
    for await (const { events, position } of store.subscribeToAll({ signal: abort.signal })) {
      expect([events.length, position]).toEqual([1, 1n]);
      abort.abort();
    }
    await store.close();
  });
});

describe('one unusable append', () => {
  it.each([
    ['an empty stream name', ''],
    ['a stream name that UTF-8 cannot hold', 'broken-\ud800'],
  ])('with %s is refused and hurts no other', async (_, stream) => {
    const { store } = file;
    const answers = await Promise.allSettled([
      store.append('sound', newEvents(1), 'no_stream'),
      store.append(stream, newEvents(1), 'any'),
    ]);
    expect(answers[0]).toMatchObject({ status: 'fulfilled', value: { ok: true } });
    expect(answers[1]).toMatchObject({ status: 'rejected', reason: { code: 'invalid_request' } });
  });

  it('with too many events is refused', async () => {
    const { store } = file;
    await expect(store.append('huge', newEvents(10_001), 'any')).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect((await mustAppend(store, 'huge', newEvents(10_000), 'no_stream')).revision).toBe(9_999);
  });

  it.each<[string, StreamMetadata]>([
    ['maxCount 0', { maxCount: 0 }],
    ['a negative maxCount', { maxCount: -1 }],
    ['maxAge 0', { maxAge: 0 }],
    ['a fraction', { maxCount: 1.5 }],
    ['a negative truncateBefore', { truncateBefore: -1 }],
    ['what is no number', { maxAge: Number.NaN }],
  ])('of metadata with %s is refused and changes nothing', async (_, metadata) => {
    const { store } = file;
    await mustAppend(store, 'stream', newEvents(3), 'no_stream');
    await expect(store.setStreamMetadata('stream', metadata)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(await store.getStreamMetadata('stream')).toEqual({});
    expect(await idsIn(store, 'stream')).toHaveLength(3);
  });
});

describe('the bounded queue', () => {
  it('takes 20,000 waiting appends, answers busy to the next, and works on', async () => {
    const { store } = file;
    const names = streams(200);
    const accepted = Array.from({ length: 20_000 }, (_, index) =>
      store.append(names[index % 200] as string, newEvents(1), 'any'),
    );
    await expect(store.append('late', newEvents(1), 'any')).rejects.toMatchObject({
      code: 'busy',
      temporary: true,
    });
    const answers = await Promise.all(accepted);
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(await store.countEvents()).toBe(20_000);
    expect((await mustAppend(store, 'late', newEvents(1), 'no_stream')).revision).toBe(0);
  });

  it('is written out by close, and each append gets its answer', async () => {
    const waiting = streams(2_500).map((stream) => mustAppend(file.store, stream, newEvents(1), 'no_stream'));
    await file.close();
    await Promise.all(waiting);
    expect(await file.store.countEvents()).toBe(2_500);
  });
});

describe('restart', () => {
  it('keeps events, revisions, metadata and the identity of the store', async () => {
    const { store } = file;
    await fillStream(store, 'long', newEvents(600));
    await mustAppend(store, 'short', newEvents(2, { type: 'OtherDomainEventV1' }), 'no_stream');
    await store.setStreamMetadata('short', { maxCount: 5, maxAge: 3_600 });
    const before = await collect(store.readAll());
    const reopened = await file.restart();
    expect(await collect(reopened.readAll())).toEqual(before);
    expect(reopened.storeId).toBe(store.storeId);
    expect(await reopened.getStreamMetadata('short')).toEqual({ maxCount: 5, maxAge: 3_600 });
    expect(await reopened.headPosition()).toBe(before.at(-1)?.position);
    expect(await reopened.append('long', newEvents(1), 3)).toEqual({ ok: false, conflict: { actual: 599 } });
    expect((await mustAppend(reopened, 'long', newEvents(1), 599)).revision).toBe(600);
  });

  it('still recognises a retry', async () => {
    const [one, two] = [newEvents(1), newEvents(2)];
    await mustAppend(file.store, 'stream', one, 'no_stream');
    const first = await mustAppend(file.store, 'stream', two, 0);
    const reopened = await file.restart();
    expect(await mustAppend(reopened, 'stream', two, 0)).toEqual(first);
    expect(await mustAppend(reopened, 'stream', one, 'no_stream')).toMatchObject({ revision: 0 });
    expect(await idsIn(reopened, 'stream')).toHaveLength(3);
  });

  it('never gives a position again, even when the newest events were deleted', async () => {
    await mustAppend(file.store, 'kept', newEvents(2), 'no_stream');
    const deleted = await mustAppend(file.store, 'deleted', newEvents(3), 'no_stream');
    await file.store.deleteStream('deleted');
    let newest = deleted.position;
    for (const _ of [1, 2]) {
      const reopened = await file.restart();
      expect(await reopened.headPosition()).toBe(newest);
      const { position } = await mustAppend(reopened, 'deleted', newEvents(1), 'no_stream');
      expect(position).toBeGreaterThan(newest);
      newest = position;
      await reopened.deleteStream('deleted');
    }
  });

  it('goes on with the revisions of a deleted stream', async () => {
    await mustAppend(file.store, 'stream', newEvents(3), 'no_stream');
    await file.store.deleteStream('stream');
    const reopened = await file.restart();
    expect(await reopened.append('stream', newEvents(1), 2)).toEqual({
      ok: false,
      conflict: { actual: 'no_stream' },
    });
    expect((await mustAppend(reopened, 'stream', newEvents(1), 'no_stream')).revision).toBe(3);
  });

  it('has a head position again only once there was an event', async () => {
    expect(await file.store.headPosition()).toBeUndefined();
    expect(await (await file.restart()).headPosition()).toBeUndefined();
    const { position } = await mustAppend(file.store, 'stream', newEvents(1), 'no_stream');
    expect(await file.store.headPosition()).toBe(position);
  });
});

describe('streams that lost events', () => {
  it('that were deleted exist no more, for every expected revision', async () => {
    const { store } = file;
    await mustAppend(store, 'stream', newEvents(3), 'no_stream');
    await store.deleteStream('stream');
    for (const expected of [2, 'stream_exists'] as const) {
      const refused = await store.append('stream', newEvents(1), expected);
      expect(refused).toEqual({ ok: false, conflict: { actual: 'no_stream' } });
    }
    expect((await mustAppend(store, 'stream', newEvents(1), 'any')).revision).toBe(3);
  });

  it('answer a retry of the creation after a deletion', async () => {
    const { store } = file;
    await mustAppend(store, 'stream', newEvents(3), 'no_stream');
    await store.deleteStream('stream');
    const events = newEvents(2);
    const first = await mustAppend(store, 'stream', events, 'no_stream');
    expect(first.revision).toBe(4);
    expect(await mustAppend(store, 'stream', events, 'no_stream')).toEqual(first);
    await mustAppend(store, 'stream', newEvents(1), 4);
    expect(await mustAppend(store, 'stream', events, 'no_stream')).toEqual(first);
    expect(await idsIn(store, 'stream')).toHaveLength(3);
  });

  it('take no newer event for the one that a removed revision held', async () => {
    const { store } = file;
    const events = newEvents(6);
    await mustAppend(store, 'stream', events, 'no_stream');
    await store.setStreamMetadata('stream', { truncateBefore: 4 });
    const stale = await store.append('stream', events.slice(4), 1);
    expect(stale).toEqual({ ok: false, conflict: { actual: 5 } });
    expect(await mustAppend(store, 'stream', events.slice(4), 3)).toMatchObject({ revision: 5 });
  });

  it('that were truncated whole are the same before and after a restart', async () => {
    await mustAppend(file.store, 'live', newEvents(3), 'no_stream');
    await mustAppend(file.store, 'restarted', newEvents(3), 'no_stream');
    for (const stream of ['live', 'restarted'])
      await file.store.setStreamMetadata(stream, { truncateBefore: 3 });
    const live = await file.store.append('live', newEvents(1), 'no_stream');
    const restarted = await (await file.restart()).append('restarted', newEvents(1), 'no_stream');
    expect(live).toMatchObject({ ok: true, revision: 3 });
    expect(restarted).toMatchObject({ ok: true, revision: 3 });
  });
});

describe('the cache of stream heads', () => {
  it('forgets old streams without forgetting where they were', async () => {
    const { store } = file;
    await mustAppend(store, 'old', newEvents(3), 'no_stream');
    for (let round = 0; round < 3; round += 1) {
      const names = Array.from({ length: 7_000 }, (_, index) => `stream-${round}-${index}`);
      await Promise.all(names.map((stream) => store.append(stream, newEvents(1), 'no_stream')));
    }
    expect(await store.append('old', newEvents(1), 1)).toEqual({ ok: false, conflict: { actual: 2 } });
    expect((await mustAppend(store, 'old', [newEvent()], 2)).revision).toBe(3);
  });
});

function streams(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `stream-${index}`);
}

/** A store whose connection the test holds too, to make the disk small or a commit fail. */
function openedByHand(path: string): { store: SqliteEventStore; db: DatabaseSync } {
  const db = openForWriting({ kind: 'file', path }, EVENT_STORE_FORMAT);
  return { store: new SqliteEventStore(db, path, () => {}), db };
}

/** Leaves room for so many more pages of 4,096 bytes. */
function limitPages(db: DatabaseSync, more: number): void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages + more}`);
}

/** Every event breaks a rule that SQLite checks only at the commit. */
function failCommits(db: DatabaseSync): void {
  db.exec(`PRAGMA foreign_keys = ON;
    CREATE TABLE allowed (id INTEGER PRIMARY KEY);
    CREATE TABLE checked (id INTEGER REFERENCES allowed DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER fail_commits AFTER INSERT ON events BEGIN INSERT INTO checked VALUES (1); END`);
}

function letCommitsPass(db: DatabaseSync): void {
  db.exec('DROP TRIGGER fail_commits');
}
