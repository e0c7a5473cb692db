/** A double of the server and stores opened on it, all closed again after the test. */
import { onTestFinished } from 'vitest';
import {
  type KurrentDbEventStore,
  openKurrentDbEventStore,
} from '../../../src/adapters/kurrentdb/event-store.ts';
import {
  type KurrentDbDouble,
  type KurrentDbDoubleOptions,
  startKurrentDbDouble,
} from '../../support/kurrentdb-double/index.ts';
import { SubscriptionFollower } from '../../support/subscription-follower.ts';

/** Answers must not take long here, so that a test of silence does not either. */
export const DEADLINE_MS = 500;

export async function startDouble(options: KurrentDbDoubleOptions = {}): Promise<KurrentDbDouble> {
  const double = await startKurrentDbDouble(options);
  onTestFinished(() => double.close());
  return double;
}

export async function openStore(double: KurrentDbDouble): Promise<KurrentDbEventStore> {
  const store = await openKurrentDbEventStore(`${double.url}&defaultDeadline=${DEADLINE_MS}`);
  onTestFinished(() => store.close());
  return store;
}

export async function startDoubleAndStore(
  options: KurrentDbDoubleOptions = {},
): Promise<{ double: KurrentDbDouble; store: KurrentDbEventStore }> {
  const double = await startDouble(options);
  return { double, store: await openStore(double) };
}

export function follow(
  store: KurrentDbEventStore,
  options: ConstructorParameters<typeof SubscriptionFollower>[1] = {},
): SubscriptionFollower {
  const follower = new SubscriptionFollower(store, options);
  onTestFinished(() => follower.stop().catch(() => undefined));
  return follower;
}
