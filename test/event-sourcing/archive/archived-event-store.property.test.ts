/** Whatever is cut off, and whenever: the store and its archive together read as one that was never cut. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type {
  EventStore,
  ReadStreamOptions,
  RecordedEvent,
  StreamMetadata,
} from '../../../src/event-sourcing/event-store.ts';
import { settings } from '../../domain/property-settings.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { ArchiveBench } from './archive-bench.ts';

const STREAMS = ['account-a', 'account-b', 'account-c', 'person-d'] as const;

type Step =
  | { readonly does: 'append'; readonly stream: number; readonly count: number }
  | { readonly does: 'archive'; readonly keep: readonly number[] }
  | { readonly does: 'read'; readonly from: number; readonly limit: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        does: fc.constant('append' as const),
        stream: fc.nat(3),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('archive' as const),
        // How many events each stream keeps; most are left alone now and then.
        keep: fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(1_000)), {
          minLength: 3,
          maxLength: 3,
        }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('read' as const),
        from: fc.nat(60),
        limit: fc.integer({ min: 1, max: 30 }),
      }),
    },
  ),
  { minLength: 6, maxLength: 25, size: 'max' },
);

/** As a server before its scavenge: its streams begin where they were cut, and its log goes on showing all. */
class UnscavengedStore extends WatchedEventStore {
  readonly #metadata = new Map<string, StreamMetadata>();

  override async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    return this.#metadata.get(stream) ?? {};
  }

  override async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    this.#metadata.set(stream, metadata);
  }

  override async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const { limit = Number.POSITIVE_INFINITY, ...range } = options;
    const first = this.#metadata.get(stream)?.truncateBefore ?? 0;
    let given = 0;
    for await (const event of super.readStream(stream, range)) {
      if (event.revision < first) continue;
      yield event;
      given += 1;
      if (given >= limit) return;
    }
  }
}

const KINDS: readonly (readonly [string, () => EventStore])[] = [
  ['the embedded store', () => openSqliteEventStore({ kind: 'memory' })],
  ['a server before its scavenge', () => new UnscavengedStore(openSqliteEventStore({ kind: 'memory' }))],
];

it.each(KINDS)('%s and its archive', async (_name, open) => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const bench = new ArchiveBench(open());
      try {
        const log: RecordedEvent[] = [];
        for (const step of plan) {
          if (step.does === 'append') log.push(...(await append(bench, step)));
          else if (step.does === 'archive') await archive(bench, log, step.keep);
          else await expectWhole(bench, log, step.from, step.limit);
        }
        await expectWhole(bench, log, 0, 1_000);
      } finally {
        await bench.close();
      }
    }),
    settings(3, 60),
  );
});

async function append(bench: ArchiveBench, { stream, count }: { stream: number; count: number }) {
  const name = STREAMS[stream] as string;
  const { revision } = await mustAppend(bench.store, name, newEvents(count), 'any');
  return collect(bench.live.readStream(name, { from: revision - count + 1 }));
}

async function archive(
  bench: ArchiveBench,
  log: readonly RecordedEvent[],
  keep: readonly number[],
): Promise<void> {
  const cuts = keep.map((kept, index) => {
    const stream = STREAMS[index] as string;
    return [stream, log.filter((event) => event.stream === stream).length - kept] as const;
  });
  await bench.archive(Object.fromEntries(cuts.filter(([, cut]) => cut > 0)));
}

async function expectWhole(bench: ArchiveBench, log: readonly RecordedEvent[], from: number, limit: number) {
  const other = bench.another();
  for (const stream of STREAMS) {
    const events = log.filter((event) => event.stream === stream);
    const forwards = events.filter(({ revision }) => revision >= from).slice(0, limit);
    const backwards = events
      .filter(({ revision }) => revision <= from)
      .toReversed()
      .slice(0, limit);
    expect(await collect(bench.store.readStream(stream, { from, limit }))).toEqual(forwards);
    expect(await collect(other.readStream(stream, { from, limit, direction: 'backwards' }))).toEqual(
      backwards,
    );
    expect(await collect(other.readStream(stream, { direction: 'backwards' }))).toEqual(events.toReversed());
    expect((await other.getStreamMetadata(stream)).truncateBefore).toBeUndefined();
  }
  const position = BigInt(from);
  const isBank = ({ stream }: RecordedEvent) => !stream.startsWith('archive-');
  const all = await collect(bench.store.readAll());
  expect(all.filter(isBank)).toEqual(log);
  expect(await collect(other.readAll({ direction: 'backwards' }))).toEqual(all.toReversed());
  expect(await collect(other.readAll({ from: position, limit }))).toEqual(
    all.filter((event) => event.position >= position).slice(0, limit),
  );
  expect(await collect(other.readAll({ from: position, limit, direction: 'backwards' }))).toEqual(
    all
      .filter((event) => event.position <= position)
      .toReversed()
      .slice(0, limit),
  );
  const followed = await follow(other, position);
  expect(followed).toEqual(log.filter((event) => event.position > position && event.stream !== 'person-d'));
}

/** What a subscription gives until it has caught up. */
async function follow(store: EventStore, after: bigint): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  const ending = new AbortController();
  const options = { after, streamPrefixes: ['account-'], signal: ending.signal };
  const head = (await store.headPosition()) ?? 0n;
  let position = after;
  for await (const batch of store.subscribeToAll(options)) {
    expect(batch.position >= position).toBe(true);
    position = batch.position;
    events.push(...batch.events);
    if (batch.caughtUp && batch.position >= head) ending.abort();
  }
  return events;
}
