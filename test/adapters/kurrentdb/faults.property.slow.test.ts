/** Whatever goes wrong in whatever order: the events that a subscriber sees are those appended, each once, in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import type { NewEvent } from '../../../src/event-sourcing/event-store.ts';
import { settings } from '../../domain/property-settings.ts';
import {
  areIncreasing,
  collect,
  idsOf,
  mustAppend,
  newEvents,
  uniqueName,
} from '../../support/event-builders.ts';
import type { Faults, WriteFault } from '../../support/kurrentdb-double/faults.ts';
import { type KurrentDbDouble, startKurrentDbDouble } from '../../support/kurrentdb-double/index.ts';
import { SubscriptionFollower } from '../../support/subscription-follower.ts';
import { DEADLINE_MS } from './with-double.ts';

const STREAMS = 3;

type Step =
  | { readonly kind: 'append'; readonly stream: number; readonly count: number }
  | { readonly kind: 'noise'; readonly count: number }
  | { readonly kind: 'fault'; readonly name: string; readonly strike: (faults: Faults) => void };

const writeFault = fc
  .constantFrom<WriteFault>(
    'drop_before_commit',
    'drop_after_commit',
    'time_out_before_commit',
    'time_out_after_commit',
    'silent_after_commit',
    'no_position',
  )
  .map((fault): Step => ({ kind: 'fault', name: fault, strike: (faults) => faults.failWrites(fault) }));

const otherFault = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom('connection' as const, 'unavailable' as const))
    .map(
      ([events, how]): Step => ({
        kind: 'fault',
        name: `end after ${events} by ${how}`,
        strike: (faults) => faults.endSubscriptionAfter(events, how),
      }),
    ),
  fc.constant<Step>({
    kind: 'fault',
    name: 'drop connections',
    strike: (faults) => faults.dropConnections(),
  }),
  fc.constant<Step>({ kind: 'fault', name: 'fall behind', strike: (faults) => faults.fallBehind() }),
  fc.constant<Step>({ kind: 'fault', name: 'not ready', strike: (faults) => faults.beUnavailableFor(60) }),
);

const append = fc.record({
  kind: fc.constant('append' as const),
  stream: fc.nat({ max: STREAMS - 1 }),
  count: fc.integer({ min: 1, max: 20 }),
});
const noise = fc.record({ kind: fc.constant('noise' as const), count: fc.integer({ min: 1, max: 300 }) });
const steps = fc.array<Step>(
  fc.oneof({ arbitrary: append, weight: 5 }, { arbitrary: noise, weight: 1 }, writeFault, otherFault),
  { minLength: 5, maxLength: 25 },
);

it('a subscriber sees all that was appended, each event once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (history, checkpointsAtUnreadEvents) => {
      const double = await startKurrentDbDouble({ checkpointsAtUnreadEvents, systemProjections: true });
      try {
        await live(double, history);
      } finally {
        await double.close();
      }
    }),
    settings(12),
  );
}, 120_000);

async function live(double: KurrentDbDouble, history: readonly Step[]): Promise<void> {
  const store = await openKurrentDbEventStore(`${double.url}&defaultDeadline=${DEADLINE_MS}`);
  const prefix = uniqueName('wanted');
  const follower = new SubscriptionFollower(store, { streamPrefixes: [prefix] });
  const written: NewEvent[][] = Array.from({ length: STREAMS }, () => []);
  try {
    for (const step of history) {
      if (step.kind === 'fault') {
        step.strike(double.faults);
        await sleep(1);
        continue;
      }
      const events = newEvents(step.count);
      if (step.kind === 'noise') {
        await mustAppend(store, uniqueName('noise'), events, 'no_stream');
        continue;
      }
      const own = written[step.stream] as NewEvent[];
      const expected = own.length === 0 ? 'no_stream' : own.length - 1;
      await mustAppend(store, `${prefix}-${step.stream}`, events, expected);
      own.push(...events);
    }
    const { position } = await mustAppend(store, uniqueName('end'), newEvents(1), 'no_stream');
    await follower.until('the end', () => follower.hasReached(position));
    expect(areIncreasing(follower.events.map((event) => event.position))).toBe(true);
    for (const [number, events] of written.entries()) {
      const stream = `${prefix}-${number}`;
      expect(idsOf(follower.events.filter((event) => event.stream === stream))).toEqual(idsOf(events));
      expect(idsOf(await collect(store.readStream(stream)))).toEqual(idsOf(events));
    }
  } finally {
    await follower.stop();
    await store.close();
  }
}
