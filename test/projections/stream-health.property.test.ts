/** Stream health, folded one event after the other, is what all events together say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventFault, LoggedEvent } from '../../src/event-sourcing/logged-event.ts';
import {
  LENGTH_CLASSES,
  STREAM_FAULTS,
  type StreamCategoryDocument,
  type StreamHealthDocument,
  streamCategories,
  streamHealth,
} from '../../src/projections/stream-health.ts';
import { settings } from '../domain/property-settings.ts';
import { newEvent, newMetadata } from '../support/event-builders.ts';

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2026, 0, 5);
const STREAMS = ['person-1', 'bank-account-1', 'bank-account-2', 'transfer-1'] as const;
const TYPES = ['BankAccountCreatedDomainEventV2', 'BankAccountClosedDomainEventV1', 'Thing'] as const;
const FAULTS: readonly (EventFault | undefined)[] = [
  undefined,
  undefined,
  undefined,
  'unknown_type',
  'unreadable',
];

const step = fc.record({
  stream: fc.constantFrom(...STREAMS),
  type: fc.constantFrom(...TYPES),
  /** Revisions that are not there before it. */
  skipped: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) },
  ),
  day: fc.integer({ min: 0, max: 12 }),
  fault: fc.constantFrom(...FAULTS),
  text: fc.string({ maxLength: 8 }),
  /** Some that cannot be read do not say when they happened. */
  timed: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function toEvents(steps: readonly Step[]): LoggedEvent[] {
  const lengths = new Map<string, number>();
  return steps.map(({ stream, type, skipped, day, fault, text, timed }, index): LoggedEvent => {
    const revision = (lengths.get(stream) ?? 0) + skipped;
    lengths.set(stream, revision + 1);
    const at = new Date(MONDAY + day * DAY_MS + index * 1_000).toISOString();
    const metadata = newMetadata({ timestamp: at });
    return {
      ...newEvent({ type, data: { text }, metadata: timed ? metadata : { ...metadata, timestamp: 'soon' } }),
      ...(fault ? { fault } : {}),
      stream,
      revision,
      position: BigInt(index + 1),
      recordedAt: at,
    };
  });
}

/** @param ahead whether the kinds are folded only when all streams are, as after a commit that broke */
function folded(events: readonly LoggedEvent[], ahead = false) {
  const streams = new Map<string, StreamHealthDocument>();
  const categories = new Map<string, StreamCategoryDocument>();
  const lookup = { get: (_from: unknown, key: string) => streams.get(key) as never };
  const foldStream = (event: LoggedEvent) => {
    for (const key of streamHealth.keys(event as never, lookup))
      streams.set(key, streamHealth.fold(streams.get(key), event as never, lookup, key));
  };
  const foldCategory = (event: LoggedEvent) => {
    for (const key of streamCategories.keys(event as never, lookup))
      categories.set(key, streamCategories.fold(categories.get(key), event as never, lookup, key));
  };
  if (ahead) events.forEach(foldStream);
  for (const event of events) {
    if (!ahead) foldStream(event);
    foldCategory(event);
  }
  return { streams, categories };
}

const timeOf = ({ metadata, recordedAt }: LoggedEvent) =>
  metadata.timestamp === 'soon' ? recordedAt : metadata.timestamp;
const sizeOf = ({ data, metadata }: LoggedEvent) =>
  Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata));
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

/** The same from all events of a stream at once. */
function naive(events: readonly LoggedEvent[]) {
  const gaps = events.flatMap((one, index) => {
    const before = events[index - 1];
    return before && one.revision !== before.revision + 1
      ? [{ after: before.revision, next: one.revision }]
      : [];
  });
  const counts = {
    gap: gaps.length,
    ...Object.fromEntries(
      (['unknown_type', 'failing_upcast', 'unreadable'] as const).map((fault) => [
        fault,
        events.filter((one) => one.fault === fault).length,
      ]),
    ),
  } as Record<string, number>;
  return {
    first_revision: events[0]?.revision,
    length: (events.at(-1)?.revision ?? 0) + 1,
    events: events.length,
    bytes: sum(events.map(sizeOf)),
    first_at: events[0] && timeOf(events[0]),
    last_at: timeOf(events.at(-1) as LoggedEvent),
    gaps: gaps.slice(-5),
    counts,
  };
}

describe('stream health', () => {
  const events = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }).map(toEvents);

  it('of each stream is what all its events say', () => {
    const property = fc.property(events, (all) => {
      const { streams } = folded(all);
      for (const [stream, document] of streams) {
        const { counts, gaps, ...expected } = naive(all.filter((one) => one.stream === stream));
        expect(document).toMatchObject(expected);
        expect(document.gaps ?? []).toEqual(gaps);
        const found = STREAM_FAULTS.map((fault) => [fault, document.faults?.[fault]?.count ?? 0]);
        expect(Object.fromEntries(found)).toEqual(counts);
        expect(document.problem === 'yes').toBe(sum(Object.values(counts)) > 0);
        expect(document.magnitude).toBeLessThanOrEqual(document.length);
        expect(document.length - document.magnitude).toBeLessThan(Math.max(1, document.length / 10));
      }
      expect(new Set(streams.keys())).toEqual(new Set(all.map(({ stream }) => stream)));
    });
    fc.assert(property, settings(20, 600));
  });

  it('counts the events of the newest day and of the six before it, whatever the order of the clocks', () => {
    const property = fc.property(events, (all) => {
      for (const [stream, { recent, last_day }] of folded(all).streams) {
        const days = all
          .filter((one) => one.stream === stream)
          .map((one) => Math.floor(Date.parse(timeOf(one)) / DAY_MS));
        // What was older than a week when it came is not counted.
        let newest = Number.NEGATIVE_INFINITY;
        const counted = days.filter((day) => {
          newest = Math.max(newest, day);
          return day > newest - 7;
        });
        expect(last_day).toBe(newest);
        const expected = Array.from(
          { length: 7 },
          (_, ago) => counted.filter((day) => day === newest - ago).length,
        );
        expect(Array.from({ length: 7 }, (_, ago) => recent[ago] ?? 0)).toEqual(expected);
        expect(recent.length).toBeLessThanOrEqual(7);
      }
    });
    fc.assert(property, settings(20, 600));
  });

  it.each([false, true])('of each kind is what its streams say; with those ahead of it: %s', (ahead) => {
    // Gaps older than the newest five of a stream are forgotten, so few are made where it matters.
    const property = fc.property(events, (all) => {
      const { streams, categories } = folded(all, ahead);
      fc.pre(!ahead || [...streams.values()].every(({ faults }) => (faults?.gap?.count ?? 0) <= 5));
      for (const [category, document] of categories) {
        const own = [...streams.values()].filter((one) => one.category === category);
        expect(document).toMatchObject({
          streams: own.length,
          events: sum(own.map((one) => one.events)),
          bytes: sum(own.map((one) => one.bytes)),
        });
        let below = 0;
        for (const end of LENGTH_CLASSES) {
          const inClass = own.filter(({ length }) => length > below && length <= end).length;
          expect(document.lengths[String(end)] ?? 0).toBe(inClass);
          below = end;
        }
        expect(document.with_faults.any ?? 0).toBe(own.filter(({ problem }) => problem).length);
        for (const fault of STREAM_FAULTS) {
          const faulty = own.filter(({ faults }) => faults?.[fault]).length;
          expect(document.with_faults[fault] ?? 0).toBe(faulty);
        }
      }
    });
    fc.assert(property, settings(20, 600));
  });

  it('ranks streams that should go on by the day since when they are quiet, and no others', () => {
    const at = (stream: string, type: string, revision: number): LoggedEvent => ({
      ...newEvent({ type, metadata: newMetadata({ timestamp: '2026-01-05T10:00:00.000Z' }) }),
      stream,
      revision,
      position: BigInt(revision + 1),
      recordedAt: '2026-02-01T00:00:00.000Z',
    });
    const day = Math.floor(MONDAY / DAY_MS);
    const quiet = (...all: LoggedEvent[]) => [...folded(all).streams.values()].map((one) => one.quiet_since);
    expect(quiet(at('bank-account-1', 'BankAccountCreatedDomainEventV2', 0))).toEqual([day]);
    expect(quiet(at('transfer-1', 'TransferRequestedDomainEventV1', 0))).toEqual([day]);
    expect(quiet(at('transfer-1', 'TransferCompletedDomainEventV1', 0))).toEqual([undefined]);
    expect(quiet(at('bank-account-1', 'BankAccountClosedDomainEventV1', 0))).toEqual([undefined]);
    expect(quiet(at('person-1', 'PersonRegisteredDomainEventV1', 0))).toEqual([undefined]);
    expect(quiet(at('loan-1', 'LoanGivenDomainEventV1', 0))).toEqual([]);
  });
});
