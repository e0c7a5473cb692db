/** Property: whatever the clocks did and whatever was asked before, an answer is the fold of the right prefix. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import type { PastState, SnapshotHistory } from '../../src/event-sourcing/snapshots/snapshot-history.ts';
import { TemporalReplay } from '../../src/event-sourcing/temporal-replay.ts';
import { settings } from '../domain/property-settings.ts';
import { ArrayReader } from '../support/array-reader.ts';
import {
  filled,
  opened,
  type Wallet,
  type WalletEvent,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';

const BASE = Date.UTC(2026, 0, 1);
const timeOf = (tick: number) => new Date(BASE + tick).toISOString();
const TICKS = 40;

/** Steps between two events: mostly forwards, now and then back. Long streams, so that marks are made. */
const stepsArbitrary = fc.array(
  fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -6, max: 6 })),
  {
    minLength: 1,
    maxLength: 1_800,
    size: 'max',
  },
);

function streamOf(steps: readonly number[]): RecordedEvent[] {
  let tick = 3;
  const told: WalletEvent[] = steps.map((_, index) => (index === 0 ? opened() : filled(index)));
  return walletEvents('one', ...told).map((event, revision) => {
    tick = Math.min(TICKS - 3, Math.max(0, tick + (steps[revision] as number)));
    const metadata = { ...event.metadata, timestamp: timeOf(tick) };
    const place = { stream: 'wallet-one', revision, position: BigInt(revision + 1), recordedAt: timeOf(0) };
    return { ...event, ...place, metadata };
  });
}

/** The definition, as it stands in the documentation. */
function naive(events: readonly RecordedEvent[], point: { time: string } | { revision: number }): string {
  const later =
    'time' in point ? events.findIndex((one) => one.metadata.timestamp > point.time) : point.revision + 1;
  if (later === 0) return 'before_first';
  if (later > events.length) return 'beyond_last';
  const prefix = later < 0 ? events : events.slice(0, later);
  return JSON.stringify([prefix.length - 1, foldOf(prefix)]);
}

function foldOf(events: readonly RecordedEvent[]): Wallet | undefined {
  return events.reduce<Wallet | undefined>(
    (wallet, event) => walletType.evolve(wallet, walletCodec.decode(event)),
    undefined,
  );
}

/** Snapshots of some revisions, with the latest time up to each. */
function snapshotsAt(events: readonly RecordedEvent[], every: number): SnapshotHistory<Wallet> {
  const kept: PastState<Wallet>[] = [];
  for (let revision = every - 1; revision < events.length; revision += every) {
    const prefix = events.slice(0, revision + 1);
    const latest = prefix
      .map(({ metadata }) => metadata.timestamp)
      .toSorted()
      .at(-1) as string;
    const eventId = (events[revision] as RecordedEvent).id;
    kept.push({ state: foldOf(prefix) as Wallet, revision, eventId, latest });
  }
  return {
    atOrBefore: async (_id, revision) => kept.findLast((one) => one.revision <= revision),
    asOf: async (_id, at) => kept.findLast((one) => one.latest <= at),
  };
}

const questions = fc.array(
  fc.oneof(
    fc.record({ tick: fc.integer({ min: 0, max: TICKS }) }),
    fc.record({ revision: fc.integer({ min: 0, max: 1_900 }) }),
  ),
  { minLength: 5, maxLength: 25 },
);

it('equals the fold of the prefix at every time and revision, in any order of questions', async () => {
  await fc.assert(
    fc.asyncProperty(
      stepsArbitrary,
      questions,
      fc.option(fc.integer({ min: 1, max: 700 })),
      async (steps, asked, every) => {
        const events = streamOf(steps);
        const sources = { reader: new ArrayReader(events), codec: walletCodec, aggregate: walletType };
        const snapshots = every === null ? {} : { snapshots: snapshotsAt(events, every) };
        const replay = new TemporalReplay({ ...sources, ...snapshots });
        for (const question of asked) {
          const point = 'tick' in question ? { time: timeOf(question.tick) } : question;
          const found = await replay.at('one', point);
          const told =
            found.kind === 'found' ? JSON.stringify([found.moment.revision, found.moment.state]) : found.kind;
          expect(told).toBe(naive(events, point));
        }
      },
    ),
    settings(20, 600),
  );
});
