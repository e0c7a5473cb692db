/** Any log comes through a move as it was, and no byte of an export can change unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStore } from '../../../src/event-sourcing/event-store.ts';
import { exportLog } from '../../../src/event-sourcing/segments/export-log.ts';
import { importLog } from '../../../src/event-sourcing/segments/import-log.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { settings } from '../../domain/property-settings.ts';
import { collect, mustAppend, newEvent, newMetadata } from '../../support/event-builders.ts';
import { type MemorySegment, MemorySegments } from '../../support/memory-segments.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { emptyStore, exportOf, logOf, smallStore, streamsOf } from './moving.ts';

const FULL = new StoreError('disk_full', 'No room.');
const STREAMS = ['person-1', 'bank-account-1', 'bank-account-€𝄞', 'snapshot-bank-account-1', '$x'] as const;

const text = fc.string({ unit: 'binary', maxLength: 12 });
const data = fc.dictionary(text, fc.oneof(text, fc.jsonValue({ maxDepth: 2 })), { maxKeys: 3 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ stream: fc.constantFrom(...STREAMS), data, type: text, actor: text }) },
  { weight: 1, arbitrary: fc.record({ stream: fc.constantFrom(...STREAMS), cutBefore: fc.nat(6) }) },
);
const move = fc.record({
  steps: fc.array(step, { maxLength: 40 }),
  segmentEvents: fc.integer({ min: 1, max: 9 }),
  exportCuts: fc.array(fc.nat(6), { maxLength: 3 }),
  importCuts: fc.array(fc.nat(20), { maxLength: 3 }),
  keepsOrder: fc.boolean(),
});

type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

async function filled(store: EventStore, steps: Move['steps']): Promise<void> {
  const last = new Map<string, number>();
  for (const one of steps) {
    const at = last.get(one.stream) ?? -1;
    if ('cutBefore' in one) {
      if (at >= one.cutBefore) await store.setStreamMetadata(one.stream, { truncateBefore: one.cutBefore });
      continue;
    }
    const event = newEvent({ type: one.type, data: one.data, metadata: newMetadata({ actor: one.actor }) });
    await mustAppend(store, one.stream, [event], at < 0 ? 'no_stream' : at);
    last.set(one.stream, at + 1);
  }
}

/** Exports with interruptions: each lets so many segments through and then fails. */
async function exportWithCuts(
  source: EventStore,
  { segmentEvents, exportCuts }: Move,
): Promise<MemorySegments> {
  const directory = new MemorySegments();
  const options = { source, directory, now: () => new Date(), segmentEvents };
  for (const cut of exportCuts) {
    const until = directory.segments.length + cut;
    directory.onWrite = (number) => {
      if (number > until) throw FULL;
    };
    await exportLog(options).catch(refuseOthers);
  }
  directory.onWrite = undefined;
  await exportLog(options);
  return directory;
}

async function importWithCuts(
  directory: MemorySegments,
  target: WatchedEventStore,
  { importCuts, keepsOrder }: Move,
) {
  const options = { directory, target, keepsOrder };
  for (const cut of importCuts) {
    target.forget();
    target.onAppend = (proceed) => (target.appends.length > cut ? Promise.reject(FULL) : proceed());
    await importLog(options).catch(refuseOthers);
  }
  target.onAppend = undefined;
  return importLog(options);
}

function refuseOthers(error: unknown): void {
  if (error !== FULL) throw error;
}

describe('a move between stores', () => {
  it('keeps every event and every stream, wherever it is interrupted', async () => {
    const property = fc.asyncProperty(move, async (one) => {
      const source = emptyStore();
      const target = new WatchedEventStore(emptyStore());
      try {
        await filled(source, one.steps);
        await importWithCuts(await exportWithCuts(source, one), target, one);
        const expected = [...(await streamsOf(source))].filter(([stream]) => isCarried({ stream }));
        expect([...(await streamsOf(target))]).toEqual(expected);
        for (const stream of await streamsOf(target)) {
          const read = await collect(target.readStream(stream[0]));
          expect(read.map(({ revision }) => revision)).toEqual(
            (await collect(source.readStream(stream[0]))).map(({ revision }) => revision),
          );
        }
        if (one.keepsOrder && one.importCuts.length === 0) {
          expect(await logOf(target)).toEqual((await logOf(source)).filter(isCarried));
        }
      } finally {
        await source.close();
        await target.close();
      }
    });
    await fc.assert(property, settings(5, 120));
  });
});

function isCarried({ stream }: { readonly stream: string }): boolean {
  return !/^(snapshot-|\$)/.test(stream);
}

type Spoil = (segments: readonly MemorySegment[]) => MemorySegment[];

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const indexOf = (share: number, length: number) => Math.floor(share * length);

/** Ways in which files come to harm. Each makes a difference, whichever numbers it gets. */
const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  fc.tuple(at, at, fc.nat(7)).map(
    ([which, where, bit]): Spoil =>
      (segments) =>
        onOne(segments, which, (content) => {
          const index = indexOf(where, content.length);
          return content.with(index, (content[index] ?? 0) ^ (1 << bit));
        }),
  ),
  fc.tuple(at, at).map(
    ([which, where]): Spoil =>
      (segments) =>
        onOne(segments, which, (content) => content.subarray(0, indexOf(where, content.length))),
  ),
  fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
    ([which, more]): Spoil =>
      (segments) =>
        onOne(segments, which, (content) => Buffer.concat([content, more])),
  ),
  at.map(
    (which): Spoil =>
      (segments) =>
        segments.toSpliced(indexOf(which, segments.length), 1),
  ),
  at.map(
    (which): Spoil =>
      (segments) => {
        const index = indexOf(which, segments.length);
        const [one, other] = [segments[index], segments[(index + 1) % segments.length]] as MemorySegment[];
        return segments.map((segment) =>
          segment === one
            ? { ...segment, ...contentOf(other) }
            : segment === other
              ? { ...segment, ...contentOf(one) }
              : segment,
        );
      },
  ),
);

function contentOf(segment: MemorySegment | undefined) {
  return { content: segment?.content as Uint8Array, sha256: String(segment?.sha256) };
}

function onOne(
  segments: readonly MemorySegment[],
  which: number,
  change: (content: Uint8Array) => Uint8Array,
): MemorySegment[] {
  const index = indexOf(which, segments.length);
  return segments.map((one, place) => (place === index ? { ...one, content: change(one.content) } : one));
}

describe('an export that came to harm', () => {
  it('is refused before anything is appended', async () => {
    const source = await smallStore();
    const whole = await exportOf(source);
    const property = fc.asyncProperty(spoil, async (harm) => {
      const target = new WatchedEventStore(emptyStore());
      const directory = new MemorySegments(harm(whole.segments));
      const outcome = importLog({ directory, target, keepsOrder: true });
      await expect(outcome).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringMatching(/^(segment-\d-[0-9a-f]{64} |the directory holds no finished export)/),
      });
      expect(target.appends).toEqual([]);
      await target.close();
    });
    await fc.assert(property, settings(15, 400));
  });
});
