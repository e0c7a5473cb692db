/** Random lives of a consumer group, with crashes in between: nothing is lost, and what is settled stays settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { ConsumerGroups, Delivery } from '../../../src/event-sourcing/consumer-groups.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { settings } from '../../domain/property-settings.ts';
import { mustAppend, newEvents } from '../../support/event-builders.ts';
import { GroupConsumer } from '../../support/group-consumer.ts';
import { CrashableGroups } from './crashable-groups.ts';

const GROUP = 'workers';
const MAX_RETRIES = 2;

const phases = fc.array(
  fc.record({
    wanted: fc.nat({ max: 6 }),
    others: fc.nat({ max: 3 }),
    /** How the consumer answers, in turn. */
    answers: fc.array(fc.constantFrom('ack', 'ack', 'retry', 'park', 'hold'), { minLength: 1, maxLength: 6 }),
    /** How it ends: the process dies, dies after its answers were written down, or is closed. */
    end: fc.constantFrom('crash', 'late_crash', 'close'),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('random lives', () => {
  it('every event is acknowledged or parked in the end, and never delivered after that', async () => {
    await fc.assert(fc.asyncProperty(phases, live), settings(6, 150));
  });
});

type Phases = typeof phases extends fc.Arbitrary<infer T> ? T : never;

async function live(life: Phases): Promise<void> {
  const store = openSqliteEventStore({ kind: 'memory' });
  const wanted = new Set<string>();
  /** Acknowledged, though a crash may have lost that. */
  const acknowledged = new Set<string>();
  /** Acknowledged for sure: nobody may see them again. */
  const settled = new Set<string>();
  try {
    const first = new CrashableGroups(store);
    const streamPrefixes = ['work-'];
    await first.groups.ensureGroup({
      name: GROUP,
      streamPrefixes,
      startFrom: 'first_event',
      maxRetries: MAX_RETRIES,
    });
    first.crash();
    for (const phase of life) {
      for (const { id } of await append('work-1', phase.wanted)) wanted.add(id);
      await append('other-1', phase.others);
      const now = new CrashableGroups(store);
      const acked = await answering(now.groups, phase.answers);
      if (phase.end === 'late_crash') await now.groups.countParked(GROUP);
      if (phase.end === 'close') now.groups.close();
      else now.crash();
      if (phase.end !== 'crash') for (const id of acked) settled.add(id);
    }
    const last = new CrashableGroups(store);
    for (const id of await answering(last.groups, ['ack'])) settled.add(id);
    const parked = await last.groups.listParked(GROUP, { limit: 1_000 });
    last.crash();
    const parkedIds = new Set(parked.map((one) => one.event.id));
    expect([...settled].filter((id) => parkedIds.has(id))).toEqual([]);
    expect(new Set([...acknowledged, ...parkedIds])).toEqual(wanted);
  } finally {
    await store.close();
  }

  async function append(stream: string, count: number) {
    const events = newEvents(count);
    if (count > 0) await mustAppend(store, stream, events, 'any');
    return events;
  }

  /** Consumes until nothing more comes; answers what was acknowledged. */
  async function answering(groups: ConsumerGroups, answers: readonly string[]): Promise<Set<string>> {
    const done = new Set<string>();
    let turn = 0;
    const answer = async (delivery: Delivery) => {
      const { id } = delivery.event;
      expect(wanted.has(id)).toBe(true);
      expect(settled.has(id) || done.has(id)).toBe(false);
      expect(delivery.retries).toBeLessThanOrEqual(MAX_RETRIES);
      const how = answers[turn % answers.length];
      turn += 1;
      if (how === 'ack') {
        done.add(id);
        acknowledged.add(id);
        await delivery.ack();
      } else if (how === 'retry' || how === 'park') await delivery.nack(how, 'as the dice fall');
    };
    const consumer = new GroupConsumer(groups, GROUP, { answer, maxInFlight: 50 });
    for (let before = -1; before !== consumer.deliveries.length; ) {
      before = consumer.deliveries.length;
      await sleep(3);
    }
    // It is told when its groups are closed; anything else is a failure.
    consumer.ended().catch((error: unknown) => {
      if (!(error instanceof StoreError && error.code === 'closed')) throw error;
    });
    return done;
  }
}
