/** Reading the embedded store: from other threads, promptly, and its directory of streams. */

import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventReader } from '../../../src/adapters/sqlite/event-store.ts';
import type { SubscribeOptions } from '../../../src/event-sourcing/event-store.ts';
import { collect, idsIn, idsOf, mustAppend, newEvents } from '../../support/event-builders.ts';
import { SubscriptionFollower } from '../../support/subscription-follower.ts';
import { StoreFile } from './store-file.ts';

let file: StoreFile;
beforeEach(() => {
  file = new StoreFile();
});
afterEach(() => file.dispose());

describe('an event whose row is damaged', () => {
  it.each([
    ['data', '{'],
    ['metadata', '{'],
    ['data', 'null'],
    ['metadata', '7'],
  ])(
    'in its %s, which is %s, stops a read, unless it is to be handed on, but not a subscription',
    async (column, text) => {
      const { store, path } = file;
      await mustAppend(store, 'sound', newEvents(3), 'no_stream');
      const damage = new DatabaseSync(path);
      damage.exec(`UPDATE events SET ${column} = '${text}' WHERE position = 2`);
      damage.close();
      await expect(collect(store.readStream('sound'))).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining('revision 1 of sound'),
      });
      for (const direction of ['forwards', 'backwards'] as const) {
        const read = await collect(store.readStream('sound', { direction, unreadable: 'handed_on' }));
        expect(read.map(({ type }) => type === 'Unreadable')).toEqual([false, true, false]);
      }
      const stop = new AbortController();
      for await (const { events } of store.subscribeToAll({ signal: stop.signal })) {
        expect(events.map(({ type }) => type === 'Unreadable')).toEqual([false, true, false]);
        stop.abort();
      }
    },
  );
});

describe('a reader beside the writer', () => {
  it('on another thread sees every commit once and in order, while it goes on', async () => {
    const { store, path } = file;
    await mustAppend(store, 'before', newEvents(1), 'no_stream');
    const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), { workerData: { path } });
    const seen: { id: string; stream: string; revision: number }[] = [];
    worker.on('message', (events: typeof seen) => seen.push(...events));
    const written: string[] = await idsIn(store, 'before');
    for (let round = 0; round < 60; round += 1) {
      const appends = Array.from({ length: 8 }, (_, stream) => ({
        stream: `stream-${stream}`,
        events: newEvents(2),
      }));
      await Promise.all(appends.map(({ stream, events }) => mustAppend(store, stream, events, 'any')));
      for (const { events } of appends) written.push(...idsOf(events));
      worker.postMessage('notice');
      await sleep(2);
    }
    while (seen.length < written.length) await sleep(5);
    worker.postMessage('end');
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(idsOf(seen)).toEqual(written);
  });

  it('keeps reading whole pages while the writer commits and removes', async () => {
    const { store, path } = file;
    for (let round = 0; round < 12; round += 1) await mustAppend(store, 'long', newEvents(100), 'any');
    const { reader, close } = openSqliteEventReader(path);
    const revisions: number[] = [];
    for await (const event of reader.readStream('long')) {
      revisions.push(event.revision);
      if (event.revision === 100) await store.setStreamMetadata('long', { truncateBefore: 900 });
    }
    // The first page of 512 had been read before; what follows is what was kept.
    const expected = Array.from({ length: 1_200 }, (_, revision) => revision);
    expect(revisions).toEqual(expected.filter((revision) => revision < 512 || revision >= 900));
    close();
  });

  it('has the identity of the store, and says closed after its end', async () => {
    const { store, path } = file;
    const { reader, close } = openSqliteEventReader(path);
    expect(reader.storeId).toBe(store.storeId);
    close();
    await expect(collect(reader.readAll())).rejects.toMatchObject({ code: 'closed' });
    await expect(reader.headPosition()).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('a waiting subscription', () => {
  it('is woken by an append, not by its slow poll', async () => {
    const { store } = file;
    const follower = new SubscriptionFollower(store);
    await follower.until('caught up', () => follower.hasCaughtUp);
    const started = performance.now();
    for (let round = 0; round < 10; round += 1) {
      const { position } = await mustAppend(store, 'stream', newEvents(1), 'any');
      await follower.until('the event', () => follower.hasReached(position));
    }
    expect(performance.now() - started).toBeLessThan(1_000);
    await follower.stop();
  });

  it('without a notice finds new events by its slow poll', async () => {
    const { store, path } = file;
    const { reader, close } = openSqliteEventReader(path);
    const follower = new SubscriptionFollower(reader);
    await follower.until('caught up', () => follower.hasCaughtUp);
    const { position } = await mustAppend(store, 'stream', newEvents(1), 'any');
    await follower.until('the event', () => follower.hasReached(position));
    await follower.stop();
    close();
  });

  it('leaves no listeners behind on its signal', async () => {
    const { store } = file;
    const listeners = new CountingSignal();
    const subscription = store.subscribeToAll({ signal: listeners.signal });
    const batches = subscription[Symbol.asyncIterator]();
    await batches.next();
    for (let round = 0; round < 50; round += 1) {
      const next = batches.next();
      expect(listeners.count).toBe(1);
      await mustAppend(store, 'stream', newEvents(1), 'any');
      await next;
    }
    expect(listeners.count).toBe(0);
    await batches.return?.(undefined);
  });
});

describe('a catch-up of several batches', () => {
  // More than twice what one batch holds; the first test says so when that no longer holds.
  const EVENTS = 40_000;
  const PER_APPEND = 8_000;
  const long = new StoreFile();
  beforeAll(async () => {
    for (let start = 0; start < EVENTS; start += PER_APPEND) {
      await mustAppend(long.store, `stream-${start}`, newEvents(PER_APPEND), 'no_stream');
    }
  });
  afterAll(() => long.dispose());
  const catchUp = async (options: Omit<SubscribeOptions, 'signal'> = {}) => {
    const follower = new SubscriptionFollower(long.store, options);
    await follower.until('caught up', () => follower.hasCaughtUp);
    await follower.stop();
    return follower.batches;
  };

  it('has no gap and no duplicate at their borders, and resumes at each of them', async () => {
    const all = await collect(long.store.readAll());
    const batches = await catchUp();
    expect(batches.length).toBeGreaterThan(2);
    expect(batches.map((batch) => batch.caughtUp)).toEqual(
      batches.map((_, index) => index === batches.length - 1),
    );
    expect(idsOf(batches.flatMap((batch) => batch.events))).toEqual(idsOf(all));
    let given = 0;
    for (const { events, position } of batches) {
      given += events.length;
      expect(position).toBe(all[given - 1]?.position);
      const rest = (await catchUp({ after: position })).flatMap((batch) => batch.events);
      expect(idsOf(rest)).toEqual(idsOf(all.slice(given)));
    }
  });

  it('moves its position through batches in which nothing is wanted', async () => {
    const { position } = await mustAppend(long.store, 'wanted', newEvents(1), 'no_stream');
    const batches = await catchUp({ streamPrefixes: ['wanted'] });
    expect(batches.length).toBeGreaterThan(2);
    expect(batches.map((batch) => batch.events.length)).toEqual([...batches.slice(1).map(() => 0), 1]);
    expect(batches.at(-1)?.position).toBe(position);
  });

  it('ends after the batch in which it is aborted', async () => {
    const abort = new AbortController();
    let batches = 0;
    for await (const _ of long.store.subscribeToAll({ signal: abort.signal })) {
      batches += 1;
      abort.abort();
    }
    expect(batches).toBe(1);
  });
});

describe('listStreams', () => {
  const create = async (...names: string[]) => {
    for (const name of names) await mustAppend(file.store, name, newEvents(1), 'no_stream');
  };
  const names = async (options: Parameters<typeof file.store.listStreams>[0]) =>
    (await file.store.listStreams(options)).map((summary) => summary.stream);

  it('tells the revisions and the time of the newest event', async () => {
    const { store } = file;
    await mustAppend(store, 'stream', newEvents(5), 'no_stream');
    await store.setStreamMetadata('stream', { maxCount: 3 });
    const newest = (await collect(store.readStream('stream'))).at(-1);
    expect(await store.listStreams({ limit: 10 })).toEqual([
      { stream: 'stream', firstRevision: 2, lastRevision: 4, lastRecordedAt: newest?.recordedAt },
    ]);
  });

  it('gives names in byte order', async () => {
    await create('b', 'a', 'Z', 'é', '\u{1f600}', '\uff5a', 'a-1', 'aa', '~');
    expect(await names({ limit: 100 })).toEqual([
      'Z',
      'a',
      'a-1',
      'aa',
      'b',
      '~',
      'é',
      '\uff5a',
      '\u{1f600}',
    ]);
  });

  it('pages through all of them', async () => {
    const all = Array.from({ length: 25 }, (_, index) => `stream-${String(index).padStart(2, '0')}`);
    await create(...all.toReversed());
    const paged: string[] = [];
    for (let page = await names({ limit: 10 }); page.length > 0; ) {
      paged.push(...page);
      page = await names({ limit: 10, after: page.at(-1) as string });
    }
    expect(paged).toEqual(all);
  });

  it('pages within a prefix', async () => {
    await create('a-1', 'b-1', 'b-2', 'b-3', 'c-1');
    expect(await names({ prefix: 'b-', limit: 2 })).toEqual(['b-1', 'b-2']);
    expect(await names({ prefix: 'b-', limit: 2, after: 'b-2' })).toEqual(['b-3']);
    expect(await names({ prefix: 'b-', limit: 2, after: 'a' })).toEqual(['b-1', 'b-2']);
    expect(await names({ prefix: 'b-', limit: 2, after: 'c' })).toEqual([]);
  });

  it.each([
    ['%', ['%', '%-1']],
    ['a%', ['a%b']],
    ['a_', ['a_b']],
    ['a', ['a%b', 'a*b', 'a[b', 'a_b', 'axb']],
    ['a*', ['a*b']],
    ['a[', ['a[b']],
    ["'", ["'quoted'"]],
    ['é', ['été', 'évé'].toSorted().filter((name) => name.startsWith('é'))],
    ['\u{1f600}', ['\u{1f600}-1']],
    ['A', []],
  ])('takes the prefix %s as it is written', async (prefix, expected) => {
    await create(
      '%',
      '%-1',
      'a%b',
      'a_b',
      'axb',
      'a*b',
      'a[b',
      "'quoted'",
      'été',
      'évé',
      '\u{1f600}-1',
      '\u{1f601}',
    );
    expect(await names({ prefix, limit: 100 })).toEqual(expected);
  });

  it('leaves out what holds nothing', async () => {
    const { store } = file;
    await create('kept', 'deleted', 'truncated');
    await store.deleteStream('deleted');
    await store.setStreamMetadata('truncated', { truncateBefore: 1 });
    await store.setStreamMetadata('never-written', { maxCount: 1 });
    await store.append('never-created', newEvents(1), 3);
    expect(await names({ limit: 100 })).toEqual(['kept']);
    await mustAppend(store, 'deleted', newEvents(1), 'no_stream');
    expect(await store.listStreams({ prefix: 'deleted', limit: 1 })).toMatchObject([
      { firstRevision: 1, lastRevision: 1 },
    ]);
  });
});

describe('countEvents', () => {
  it('counts what is there, whatever was removed and however often the store was restarted', async () => {
    const count = () => file.store.countEvents();
    expect(await count()).toBe(0);
    await mustAppend(file.store, 'a', newEvents(10), 'no_stream');
    await mustAppend(file.store, 'b', newEvents(5), 'no_stream');
    await file.store.append('b', newEvents(5), 'no_stream');
    expect(await count()).toBe(15);
    await file.store.setStreamMetadata('a', { maxCount: 4 });
    expect(await count()).toBe(9);
    await mustAppend(file.store, 'a', newEvents(2), 9);
    expect(await count()).toBe(9);
    await file.store.deleteStream('b');
    await file.store.deleteStream('b');
    expect(await count()).toBe(4);
    await file.restart();
    expect(await count()).toBe(4);
    await mustAppend(file.store, 'b', newEvents(1), 'no_stream');
    expect(await count()).toBe((await collect(file.store.readAll())).length);
  });
});

/** A signal that counts who listens to it. */
class CountingSignal {
  count = 0;
  readonly signal = new AbortController().signal;

  constructor() {
    const { addEventListener, removeEventListener } = this.signal;
    const listeners = new Set<unknown>();
    this.signal.addEventListener = (...parameters: Parameters<typeof addEventListener>) => {
      this.count = listeners.add(parameters[1]).size;
      addEventListener.apply(this.signal, parameters);
    };
    this.signal.removeEventListener = (...parameters: Parameters<typeof removeEventListener>) => {
      listeners.delete(parameters[1]);
      this.count = listeners.size;
      removeEventListener.apply(this.signal, parameters);
    };
  }
}
