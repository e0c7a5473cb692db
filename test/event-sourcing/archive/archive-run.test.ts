/** Moving events into the archive: interrupted anywhere, on a full disk, over damaged files. No event is ever in neither place. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ArchiveRunOptions, ArchiveStep } from '../../../src/event-sourcing/archive/archive-run.ts';
import type { ArchiveStorage, ArchiveWriter } from '../../../src/event-sourcing/archive/archive-storage.ts';
import type { EventStore, RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { ArchiveBench } from './archive-bench.ts';

const CUTS = { 'account-a': 6, 'account-b': 3 };

async function benchWithEvents(): Promise<{ bench: ArchiveBench; log: RecordedEvent[] }> {
  const bench = new ArchiveBench();
  onTestFinished(() => bench.close());
  for (const count of [3, 4]) {
    for (const stream of ['account-a', 'account-b', 'account-c']) {
      await mustAppend(bench.live, stream, newEvents(count), 'any');
    }
  }
  return { bench, log: await collect(bench.live.readAll()) };
}

/** What the store itself still has of the two streams. */
async function left({ live }: ArchiveBench): Promise<number[]> {
  const streams = await Promise.all(Object.keys(CUTS).map((stream) => collect(live.readStream(stream))));
  return streams.map((events) => events.length);
}

async function expectWhole(bench: ArchiveBench, log: readonly RecordedEvent[]): Promise<void> {
  const isBank = ({ stream }: RecordedEvent) => !stream.startsWith('archive-');
  for (const store of [bench.store, bench.another()]) {
    expect((await collect(store.readAll())).filter(isBank)).toEqual(log);
    for (const stream of ['account-a', 'account-b', 'account-c']) {
      expect(await collect(store.readStream(stream))).toEqual(log.filter((event) => event.stream === stream));
    }
  }
}

function volumesIn({ path }: ArchiveBench): string[] {
  return existsSync(path) ? readdirSync(path).filter((name) => /^\d/.test(name)) : [];
}

/** A storage whose volumes are written only in part. */
function failing(storage: ArchiveStorage, error: unknown): ArchiveStorage {
  const broken = (writer: ArchiveWriter): ArchiveWriter => ({
    write: (volume, storeId, events) => writer.write(volume, storeId, endingEarly(events, error)),
    discard: (volume) => writer.discard(volume),
    close: () => writer.close(),
  });
  return {
    name: storage.name,
    open: (record) => storage.open(record),
    check: (record) => storage.check(record),
    openForWriting: async () => broken(await storage.openForWriting()),
  };
}

async function* endingEarly<T>(items: AsyncGenerator<T>, error: unknown): AsyncGenerator<T> {
  let count = 0;
  for await (const item of items) {
    yield item;
    count += 1;
    if (count === 4) throw error;
  }
}

describe('a run', () => {
  it('writes a volume, enters it, and cuts', async () => {
    const { bench, log } = await benchWithEvents();
    await bench.archive(CUTS);
    expect(await left(bench)).toEqual([1, 4]);
    expect(volumesIn(bench)).toHaveLength(1);
    const [volume] = bench.catalogue.volumes;
    expect(volume).toMatchObject({ cut: true, record: { events: 9, streams: 2, segments: 1 } });
    await expectWhole(bench, log);
  });

  const INTERRUPTIONS: readonly (readonly [ArchiveStep, { cut: boolean; volumes: number }])[] = [
    ['written', { cut: false, volumes: 0 }],
    ['verified', { cut: false, volumes: 0 }],
    ['recorded', { cut: false, volumes: 1 }],
    ['cut', { cut: true, volumes: 1 }],
    ['finished', { cut: true, volumes: 1 }],
  ];

  it.each(INTERRUPTIONS)('that ends behind the step "%s" is made good by the next one', async (end, then) => {
    const { bench, log } = await benchWithEvents();
    const onStep: ArchiveRunOptions['onStep'] = (step) => {
      if (step === end) throw new Error('the power goes');
    };
    await expect(bench.archive(CUTS, { onStep })).rejects.toThrow('the power goes');
    expect(await left(bench)).toEqual(then.cut ? [1, 4] : [7, 7]);
    expect(volumesIn(bench)).toHaveLength(then.volumes);
    await expectWhole(bench, log);
    await bench.archive(CUTS);
    expect(await left(bench)).toEqual([1, 4]);
    expect(bench.catalogue.volumes.map(({ cut }) => cut)).toEqual([true]);
    await expectWhole(bench, log);
  });

  it('takes away what is half-written, and no whole volume: it may be in the catalogue of another copy', async () => {
    const { bench } = await benchWithEvents();
    for (const name of ['00000001-0123abcd', '00000007-0123abcd.partial']) {
      mkdirSync(join(bench.path, name), { recursive: true });
      writeFileSync(join(bench.path, name, 'index.db'), 'half');
    }
    await bench.archive(CUTS);
    const written = bench.catalogue.volumes[0]?.record.volume as string;
    expect(volumesIn(bench).sort()).toEqual(['00000001-0123abcd', written].sort());
  });

  it('on a full disk says so, and nothing is lost, cut or left behind', async () => {
    const { bench, log } = await benchWithEvents();
    const storage = failing(bench.storage, new StoreError('disk_full', 'No room.'));
    await expect(bench.archive(CUTS, { storage })).rejects.toMatchObject({ code: 'disk_full' });
    expect(await left(bench)).toEqual([7, 7]);
    expect(volumesIn(bench)).toEqual([]);
    await expectWhole(bench, log);
    await bench.archive(CUTS);
    await expectWhole(bench, log);
  });

  it('that was written wrongly is not entered', async () => {
    const { bench, log } = await benchWithEvents();
    const check = bench.options({
      onStep: (step) => {
        if (step !== 'written') return;
        const [file] = filesIn(bench, '.ndjson.gz');
        damage(file as string);
      },
    });
    await expect(bench.archive(CUTS, check)).rejects.toMatchObject({ code: 'archive_damaged' });
    expect(await left(bench)).toEqual([7, 7]);
    expect(bench.catalogue.volumes).toEqual([]);
    await expectWhole(bench, log);
  });

  it('goes on with a volume only when all of it is there', async () => {
    const { bench } = await benchWithEvents();
    const onStep = (step: ArchiveStep) => {
      if (step === 'recorded') throw new Error('the power goes');
    };
    await expect(bench.archive(CUTS, { onStep })).rejects.toThrow('the power goes');
    damage(filesIn(bench, '.ndjson.gz')[0] as string);
    await expect(bench.archive({})).rejects.toMatchObject({ code: 'archive_damaged' });
    expect(await left(bench)).toEqual([7, 7]);
  });

  it('is alone: a second one is refused', async () => {
    const { bench } = await benchWithEvents();
    const writer = await bench.storage.openForWriting();
    await expect(bench.archive(CUTS)).rejects.toMatchObject({ code: 'in_use' });
    await writer.close();
    await bench.archive(CUTS);
  });

  it('ends when it is told to, and loses nothing', async () => {
    const { bench, log } = await benchWithEvents();
    const ending = new AbortController();
    const onStep = (step: ArchiveStep) => {
      if (step === 'verified') ending.abort();
    };
    await bench.archive(CUTS, { signal: ending.signal, onStep });
    await expectWhole(bench, log);
  });
});

describe('a reader that is under way while streams are cut', () => {
  const READS: readonly (readonly [string, (store: EventStore) => AsyncIterable<RecordedEvent>, boolean])[] =
    [
      ['the log', (store) => store.readAll(), true],
      ['the log backwards', (store) => store.readAll({ direction: 'backwards' }), true],
      ['a stream', (store) => store.readStream('account-a'), false],
      ['a stream backwards', (store) => store.readStream('account-a', { direction: 'backwards' }), false],
      ['a subscription', (store) => eventsOf(store), true],
    ];

  it.each(READS)('of %s misses nothing, and sees nothing twice', async (name, read, ofAll) => {
    const bench = new ArchiveBench();
    onTestFinished(() => bench.close());
    // More than a page of each; a subscription has larger ones.
    const rounds = name === 'a subscription' ? 10 : 3;
    for (let round = 0; round < rounds; round += 1) {
      for (const stream of ['account-a', 'account-b']) {
        await mustAppend(bench.live, stream, newEvents(450), 'any');
      }
    }
    const log = await collect(bench.live.readAll());
    const found: RecordedEvent[] = [];
    // Another process, which has not looked at the catalogue for a while.
    for await (const event of read(bench.another())) {
      if (!event.stream.startsWith('archive-')) found.push(event);
      if (found.length === 10) await bench.archive({ 'account-a': 450 * rounds - 1, 'account-b': 1_000 });
    }
    const wanted = log.filter(({ stream }) => ofAll || stream === 'account-a');
    const inOrder = found.toSorted((one, other) => (one.position < other.position ? -1 : 1));
    expect(inOrder.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    const [first, second] = found as [RecordedEvent, RecordedEvent];
    const rises = first.position < second.position;
    expect(found).toEqual(rises ? inOrder : inOrder.toReversed());
  });
});

/** What a subscription gives until it has caught up. */
async function* eventsOf(store: EventStore): AsyncGenerator<RecordedEvent> {
  const ending = new AbortController();
  for await (const batch of store.subscribeToAll({ signal: ending.signal })) {
    yield* batch.events;
    if (batch.caughtUp) ending.abort();
  }
}

describe('an archive', () => {
  it.each([
    ['that is away', (bench: ArchiveBench) => rmSync(bench.path, { recursive: true })],
    ['with an altered segment', (bench: ArchiveBench) => damage(filesIn(bench, '.ndjson.gz')[0] as string)],
    [
      'with a segment that was cut short',
      (bench: ArchiveBench) => shorten(filesIn(bench, '.ndjson.gz')[0] as string),
    ],
    ['with an altered index', (bench: ArchiveBench) => damage(filesIn(bench, 'index.db')[0] as string)],
  ])('%s is refused wherever it is needed, and nowhere else', async (_name, spoil) => {
    const { bench, log } = await benchWithEvents();
    await bench.archive(CUTS);
    spoil(bench);
    const store = bench.another();
    const damaged = { name: 'StoreError', code: 'archive_damaged' };
    await expect(collect(store.readStream('account-a'))).rejects.toMatchObject(damaged);
    await expect(collect(store.readStream('account-b', { direction: 'backwards' }))).rejects.toMatchObject(
      damaged,
    );
    await expect(collect(store.readAll())).rejects.toMatchObject(damaged);
    await expect(collect(store.readAll({ direction: 'backwards' }))).rejects.toMatchObject(damaged);
    const following = store.subscribeToAll({ signal: new AbortController().signal })[Symbol.asyncIterator]();
    await expect(following.next()).rejects.toMatchObject(damaged);
    expect(await collect(store.readStream('account-c'))).toEqual(
      log.filter(({ stream }) => stream === 'account-c'),
    );
    expect(await collect(store.readStream('account-a', { from: 6 }))).toHaveLength(1);
    expect(await mustAppend(store, 'account-a', newEvents(1), 6)).toMatchObject({ revision: 7 });
  });

  it('keeps its streams from being deleted', async () => {
    const { bench } = await benchWithEvents();
    await bench.archive(CUTS);
    await expect(bench.store.deleteStream('account-a')).rejects.toMatchObject({ code: 'unsupported' });
    await bench.store.deleteStream('account-c');
    expect(await collect(bench.store.readStream('account-c'))).toEqual([]);
  });
});

function filesIn({ path }: ArchiveBench, end: string): string[] {
  const files = readdirSync(path, { recursive: true }) as string[];
  return files.filter((file) => file.endsWith(end)).map((file) => join(path, file));
}

/** One bit in the middle. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function shorten(file: string): void {
  writeFileSync(file, readFileSync(file).subarray(0, -20));
}
