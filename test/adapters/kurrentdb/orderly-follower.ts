/** What a follower of a subscription must have seen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { areIncreasing, idsOf } from '../../support/event-builders.ts';
import type { SubscriptionFollower } from '../../support/subscription-follower.ts';

/** Every event once, in order, and none after a moment. */
export async function seesExactly(
  follower: SubscriptionFollower,
  events: readonly { id: string }[],
): Promise<void> {
  await follower.until(`${events.length} events`, () => follower.events.length >= events.length);
  await sleep(20);
  expect(idsOf(follower.events)).toEqual(idsOf(events));
  await isOrderly(follower);
}

/** Positions only ever rise, and no batch claims less than it gives. */
export async function isOrderly(follower: SubscriptionFollower): Promise<void> {
  expect(areIncreasing(follower.events.map((event) => event.position))).toBe(true);
  let before = 0n;
  for (const { events, position } of follower.batches) {
    expect(position).toBeGreaterThanOrEqual(before);
    for (const event of events) {
      expect(event.position).toBeGreaterThan(before);
      expect(event.position).toBeLessThanOrEqual(position);
    }
    before = position;
  }
}
