/** The archive beside others: answers that got lost, writers that lie, and readers that look at the wrong moment. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { ArchiveCatalogue } from '../../../src/event-sourcing/archive/archive-catalogue.ts';
import type { ArchiveStorage } from '../../../src/event-sourcing/archive/archive-storage.ts';
import { ArchivedEventStore } from '../../../src/event-sourcing/archive/archived-event-store.ts';
import type {
  EventStore,
  ReadStreamOptions,
  RecordedEvent,
} from '../../../src/event-sourcing/event-store.ts';
import type { Exported } from '../../../src/event-sourcing/segments/segment-writer.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { ArchiveBench, PREFIX } from './archive-bench.ts';

const CUTS = { 'account-a': 6, 'account-b': 3 };
const LOST = new StoreError('unavailable', 'The answer was lost.');
const DAMAGED = { name: 'StoreError', code: 'archive_damaged' };

async function benchWithEvents(): Promise<{ bench: ArchiveBench; log: RecordedEvent[] }> {
  const bench = new ArchiveBench();
  onTestFinished(() => bench.close());
  for (const stream of ['account-a', 'account-b']) {
    await mustAppend(bench.live, stream, newEvents(7), 'no_stream');
  }
  return { bench, log: await collect(bench.live.readAll()) };
}

/** A store that does some things otherwise. */
function otherwise(live: EventStore, others: Partial<EventStore>): EventStore {
  return new Proxy(live, {
    get(target, name) {
      const value: unknown = Reflect.get(name in others ? others : target, name);
      return typeof value === 'function' ? value.bind(name in others ? others : target) : value;
    },
  });
}

async function logOf(store: EventStore): Promise<RecordedEvent[]> {
  return (await collect(store.readAll())).filter(({ stream }) => stream.startsWith(PREFIX));
}

it.each([
  ['stays', false],
  ['stays, also where nobody can look it up', true],
])('a volume whose entry is durable without an answer %s', async (_what, isAway) => {
  const { bench, log } = await benchWithEvents();
  let away = false;
  const live = otherwise(bench.live, {
    async append(...args) {
      await bench.live.append(...args);
      away = isAway;
      throw LOST;
    },
    readStream(...args) {
      if (away) throw LOST;
      return bench.live.readStream(...args);
    },
  });
  const catalogue = new ArchiveCatalogue(live, bench.storage);
  await expect(bench.archive(CUTS, { live, catalogue })).rejects.toBe(LOST);
  expect(await logOf(bench.another())).toEqual(log);
  // The next run cuts what the one before has entered: it has to be there.
  await bench.archive({});
  expect(bench.catalogue.volumes.map(({ cut }) => cut)).toEqual([true]);
  expect(await logOf(bench.another())).toEqual(log);
});

it('a volume that was written whole, but with other events, is not entered', async () => {
  const { bench, log } = await benchWithEvents();
  async function* altered(events: AsyncGenerator<Exported>): AsyncGenerator<Exported> {
    for await (const one of events) {
      const isThird = one.event.stream === 'account-b' && one.event.revision === 2;
      yield isThird ? { ...one, event: { ...one.event, data: { forged: true } } } : one;
    }
  }
  const storage: ArchiveStorage = {
    name: bench.storage.name,
    open: (record) => bench.storage.open(record),
    check: (record) => bench.storage.check(record),
    async openForWriting() {
      const writer = await bench.storage.openForWriting();
      return {
        write: (volume, storeId, events) => writer.write(volume, storeId, altered(events)),
        discard: (volume) => writer.discard(volume),
        close: () => writer.close(),
      };
    },
  };
  await expect(bench.archive(CUTS, { storage })).rejects.toThrow('the events of account-b are others');
  expect(bench.catalogue.volumes).toEqual([]);
  expect(await collect(bench.live.readAll())).toEqual(log);
});

it('a stream that was cut further meanwhile is not taken back', async () => {
  const { bench } = await benchWithEvents();
  const onStep = (step: string) => {
    if (step === 'recorded') throw LOST;
  };
  await expect(bench.archive(CUTS, { onStep })).rejects.toBe(LOST);
  await bench.live.setStreamMetadata('account-b', { maxCount: 100, truncateBefore: 5 });
  await bench.archive({});
  expect(await bench.live.getStreamMetadata('account-a')).toEqual({ truncateBefore: 6 });
  expect(await bench.live.getStreamMetadata('account-b')).toEqual({ maxCount: 100, truncateBefore: 5 });
});

it('what is cut before a page is read, and after the last look at the catalogue, is read from the archive', async () => {
  const { bench, log } = await benchWithEvents();
  let pages = 0;
  const live = otherwise(bench.live, {
    async *readAll(options) {
      pages += 1;
      if (pages === 1) await bench.archive(CUTS);
      yield* bench.live.readAll(options);
    },
  });
  const store = new ArchivedEventStore(live, new ArchiveCatalogue(live, bench.storage), PREFIX);
  expect(await logOf(store)).toEqual(log);
  expect(pages).toBeGreaterThan(0);
});

it('a look at the catalogue sees what was entered before it began, also while an older look is under way', async () => {
  const { bench } = await benchWithEvents();
  const gate = Promise.withResolvers<void>();
  let looks = 0;
  const live = otherwise(bench.live, {
    async *readStream(...args) {
      looks += 1;
      const found = await collect(bench.live.readStream(...args));
      if (looks === 1) await gate.promise;
      yield* found;
    },
  });
  const catalogue = new ArchiveCatalogue(live, bench.storage);
  const older = catalogue.refresh();
  await bench.archive(CUTS);
  const newer = catalogue.refresh();
  gate.resolve();
  await older;
  await newer;
  expect(catalogue.volumes).toHaveLength(1);
});

it('revisions that are in no volume are missed, and not passed over', async () => {
  const { bench } = await benchWithEvents();
  await bench.archive({ 'account-a': 2 });
  await bench.live.setStreamMetadata('account-a', { truncateBefore: 4 });
  await bench.archive({ 'account-a': 6 });
  const missed = (revision: number) => {
    return { ...DAMAGED, message: expect.stringContaining(`Revision ${revision} of account-a is neither`) };
  };
  await expect(collect(bench.store.readStream('account-a'))).rejects.toMatchObject(missed(2));
  await expect(
    collect(bench.store.readStream('account-a', { direction: 'backwards' })),
  ).rejects.toMatchObject(missed(3));
  expect(await collect(bench.store.readStream('account-a', { from: 4 }))).toHaveLength(3);
});

it.each(['forwards', 'backwards'] as const)(
  'a volume that gives less than it says is noticed, read %s',
  async (direction) => {
    const { bench } = await benchWithEvents();
    await bench.archive(CUTS);
    const storage: ArchiveStorage = {
      ...bench.storage,
      async open(record) {
        const volume = await bench.storage.open(record);
        return {
          isAsOpened: () => true,
          pieceOf: (stream) => volume.pieceOf(stream),
          pieces: () => volume.pieces(),
          async *readStream(...args) {
            yield* (await collect(volume.readStream(...args))).slice(0, -1);
          },
          readAll: (options) => volume.readAll(options),
          close: () => volume.close(),
        };
      },
    };
    const store = new ArchivedEventStore(bench.live, new ArchiveCatalogue(bench.live, storage), PREFIX);
    await expect(collect(store.readStream('account-a', { direction }))).rejects.toMatchObject(DAMAGED);
  },
);

it.each(['forwards', 'backwards'] as const)(
  'every part of the log is as it was, read %s',
  async (direction) => {
    const { bench, log } = await benchWithEvents();
    // Beginnings, ends and neighbours of volumes: the last one goes up to the end of the log but one.
    await bench.archive({ 'account-a': 2, 'account-b': 1 });
    await bench.archive({ 'account-a': 6, 'account-b': 6 });
    const isOwn = ({ stream }: RecordedEvent) => stream.startsWith(PREFIX);
    const inOrder = direction === 'forwards' ? log : log.toReversed();
    for (const [index, { position: from }] of inOrder.entries()) {
      for (const limit of [1, 2, 3, 5]) {
        const read = await collect(bench.store.readAll({ direction, from, limit }));
        expect(read.filter(isOwn)).toEqual(
          inOrder.slice(index, index + limit).slice(0, read.filter(isOwn).length),
        );
        expect(read).toHaveLength(direction === 'forwards' ? limit : Math.min(limit, log.length - index));
      }
      const all = await collect(bench.store.readAll({ direction, from }));
      expect(all.filter(isOwn)).toEqual(inOrder.slice(index));
    }
  },
);

it.each(['forwards', 'backwards'] as const)(
  'a log of several pages is given once, read %s',
  async (direction) => {
    const { bench } = await benchWithEvents();
    for (let page = 0; page < 5; page += 1) await mustAppend(bench.live, 'account-c', newEvents(450), 'any');
    await mustAppend(bench.live, 'account-d', newEvents(1900), 'no_stream');
    const log = await collect(bench.live.readAll({ direction }));
    const read = await collect(bench.store.readAll({ direction }));
    expect(read.map(({ position }) => position)).toEqual(log.map(({ position }) => position));
  },
);

it('a volume whose segments are those of another one is damaged, whole as they are', async () => {
  const { bench } = await benchWithEvents();
  await bench.archive({ 'account-a': 6 });
  await bench.archive({ 'account-b': 6 });
  const [one, other] = bench.catalogue.volumes.map(({ record }) => record);
  if (!one || !other) throw new Error('there are no two volumes');
  const segmentsOf = (volume: string) =>
    readdirSync(join(bench.path, volume)).filter((name) => name.startsWith('segment-'));
  for (const name of segmentsOf(one.volume)) rmSync(join(bench.path, one.volume, name));
  for (const name of segmentsOf(other.volume)) {
    copyFileSync(join(bench.path, other.volume, name), join(bench.path, one.volume, name));
  }
  await expect(bench.storage.check(one)).rejects.toMatchObject(DAMAGED);
  await bench.storage.check(other);
});

/** `account-a` in the first of two volumes, `account-b` in the second one, `account-c` in both, `account-d` in none. */
async function benchWithTwoVolumes() {
  const { bench } = await benchWithEvents();
  for (const stream of ['account-c', 'account-d'])
    await mustAppend(bench.live, stream, newEvents(7), 'no_stream');
  const whole = new Map<string, RecordedEvent[]>();
  for (const stream of ['a', 'b', 'c', 'd'].map((name) => `${PREFIX}${name}`))
    whole.set(stream, await collect(bench.live.readStream(stream)));
  await bench.archive({ 'account-a': 6, 'account-c': 3 });
  await bench.archive({ 'account-b': 6, 'account-c': 6 });
  const [first = '', second = ''] = bench.catalogue.volumes.map(({ record }) => record.volume);
  const flip = (volume: string, file: RegExp) => {
    const [name = ''] = readdirSync(join(bench.path, volume)).filter((one) => file.test(one));
    const path = join(bench.path, volume, name);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  const read = (stream: string, options?: ReadStreamOptions) =>
    collect(bench.another().readStream(stream, options));
  return { bench, whole, first, second, flip, read };
}

it.each([
  ['index', /^index/],
  ['segment', /^segment-/],
])('a flipped byte in the %s of a volume concerns the streams of that volume alone', async (_what, file) => {
  const { bench, whole, first, second, flip, read } = await benchWithTwoVolumes();
  flip(first, file);
  const refused = { ...DAMAGED, volume: first, message: expect.stringContaining(first) };
  for (const direction of ['forwards', 'backwards'] as const) {
    const inOrder = (stream: string) => {
      const events = whole.get(stream) ?? [];
      return direction === 'forwards' ? events : events.toReversed();
    };
    await expect(read('account-a', { direction })).rejects.toMatchObject(refused);
    await expect(read('account-c', { direction })).rejects.toMatchObject(refused);
    expect(await read('account-b', { direction })).toEqual(inOrder('account-b'));
    expect(await read('account-d', { direction })).toEqual(inOrder('account-d'));
  }
  expect(await read('account-a', { from: 6 })).toEqual(whole.get('account-a')?.slice(6));
  expect(await read('account-c', { from: 3 })).toEqual(whole.get('account-c')?.slice(3));
  const [one, other] = bench.catalogue.volumes.map(({ record }) => record);
  if (!one || !other) throw new Error('there are no two volumes');
  await expect(bench.storage.check(one)).rejects.toMatchObject(refused);
  await bench.storage.check(other);
  expect(other.volume).toBe(second);
});

/** Of index files that are open: each leaves one that a database can read, or none. */
const CHANGES: readonly [what: string, change: (path: string, other: string) => void][] = [
  ['overwritten', (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length, 90))],
  ['cut to nothing', (path) => writeFileSync(path, '')],
  ['that of another volume', (path, other) => copyFileSync(other, path)],
  [
    'emptied',
    (path) => {
      const db = new DatabaseSync(path);
      db.exec('DELETE FROM pieces; DELETE FROM blocks; DELETE FROM places');
      db.close();
    },
  ],
  ['gone', (path) => rmSync(path)],
];

it.each(CHANGES)(
  'an index that is %s while it is open is noticed, and so is its return',
  async (_what, change) => {
    const { bench, whole, first, second } = await benchWithTwoVolumes();
    const store = bench.another();
    const log = await logOf(store);
    expect(await collect(store.readStream('account-a'))).toEqual(whole.get('account-a'));
    const [index, other] = [first, second].map((volume) => join(bench.path, volume, 'index.db'));
    if (!index || !other) throw new Error('there are no two volumes');
    const bytes = readFileSync(index);
    change(index, other);
    const refused = { ...DAMAGED, volume: first };
    for (const stream of ['account-a', 'account-c'])
      await expect(collect(store.readStream(stream))).rejects.toMatchObject(refused);
    await expect(logOf(store)).rejects.toMatchObject(refused);
    expect(await collect(store.readStream('account-b'))).toEqual(whole.get('account-b'));
    writeFileSync(index, bytes);
    for (const [stream, events] of whole) expect(await collect(store.readStream(stream))).toEqual(events);
    expect(await logOf(store)).toEqual(log);
  },
);

it('what comes before a damaged volume is read, up to its first event and no further', async () => {
  const { whole, first, second, flip, read } = await benchWithTwoVolumes();
  const events = whole.get('account-c') ?? [];
  flip(second, /^index/);
  expect(await read('account-c', { limit: 3 })).toEqual(events.slice(0, 3));
  await expect(read('account-c', { limit: 4 })).rejects.toMatchObject({ ...DAMAGED, volume: second });
  flip(second, /^index/);
  flip(first, /^index/);
  const backwards = { direction: 'backwards' } as const;
  expect(await read('account-c', { ...backwards, limit: 4 })).toEqual(events.slice(3).toReversed());
  await expect(read('account-c', { ...backwards, limit: 5 })).rejects.toMatchObject({
    ...DAMAGED,
    volume: first,
  });
});

it('a volume that the file system cannot read concerns the streams of that volume alone', async () => {
  const { bench, whole, first, read } = await benchWithTwoVolumes();
  const index = join(bench.path, first, 'index.db');
  rmSync(index);
  // Whoever runs as root may read every file, but nobody reads a directory as one.
  mkdirSync(index);
  const unread = { name: 'StoreError', code: 'unavailable', message: expect.stringContaining(index) };
  for (const direction of ['forwards', 'backwards'] as const) {
    await expect(read('account-a', { direction })).rejects.toMatchObject(unread);
    await expect(read('account-c', { direction })).rejects.toMatchObject(unread);
    expect(await read('account-b', { direction })).toHaveLength(7);
  }
  expect(await read('account-b')).toEqual(whole.get('account-b'));
  expect(await bench.another().getStreamMetadata('account-b')).toEqual({});
  await expect(bench.another().getStreamMetadata('account-a')).rejects.toMatchObject(unread);
  await expect(logOf(bench.another())).rejects.toMatchObject(unread);
});

it('what a stream has in a volume that cannot be opened is not taken for nothing', async () => {
  const { bench, first, second, flip } = await benchWithTwoVolumes();
  flip(first, /^index/);
  const store = bench.another();
  const refused = { ...DAMAGED, volume: first };
  await expect(store.getStreamMetadata('account-a')).rejects.toMatchObject(refused);
  await expect(store.getStreamMetadata('account-c')).rejects.toMatchObject(refused);
  expect(await store.getStreamMetadata('account-b')).toEqual({});
  await expect(store.deleteStream('account-a')).rejects.toMatchObject(refused);
  await expect(store.deleteStream('account-c')).rejects.toMatchObject({ code: 'unsupported' });
  flip(second, /^index/);
  await expect(bench.another().getStreamMetadata('account-b')).rejects.toMatchObject(DAMAGED);
});
