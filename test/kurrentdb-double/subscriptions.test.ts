/** Catch-up subscriptions: from the past to the present, checkpoints, and falling behind. */
import { once } from 'node:events';
import {
  type AllStreamSubscription,
  END,
  type EventStoreDBClient,
  excludeSystemEvents,
  type Position,
  type ResolvedEvent,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { collect, event, events, numbers, startWithClient } from './double-client.ts';

interface Followed {
  readonly subscription: AllStreamSubscription;
  readonly received: ResolvedEvent[];
  readonly checkpoints: Position[];
  /** What happened, in order: an event's number, `caught up`, or a checkpoint. */
  readonly log: (number | string)[];
}

function follow(
  client: EventStoreDBClient,
  options: {
    fromPosition?: typeof START | typeof END | Position;
    maxSearchWindow?: number;
    checkpointInterval?: number;
  },
): Followed {
  const received: ResolvedEvent[] = [];
  const checkpoints: Position[] = [];
  const log: (number | string)[] = [];
  const { fromPosition = START, maxSearchWindow = 32, checkpointInterval = 1 } = options;
  const filter = streamNameFilter({
    prefixes: ['order-'],
    maxSearchWindow,
    checkpointInterval,
    checkpointReached: async (_, position) => {
      checkpoints.push(position);
      log.push('checkpoint');
    },
  });
  const subscription = client.subscribeToAll({ fromPosition, filter });
  subscription.on('caughtUp', () => log.push('caught up'));
  subscription.on('error', () => log.push('error'));
  subscription.on('data', (resolved) => {
    received.push(resolved);
    log.push(...numbers([resolved]));
  });
  return { subscription, received, checkpoints, log };
}

it('gives what was and what comes, once each, and says when it has caught up', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('order-1', events(100));
  const { received, log } = follow(client, {});
  await eventually('caught up', () => log.includes('caught up'));
  await client.appendToStream('order-2', event(100));
  await eventually('the new one', () => received.length >= 101);
  expect(numbers(received)).toEqual(events(101).map((_, n) => n));
  expect(log.indexOf('caught up')).toBeGreaterThan(log.indexOf(99));
});

it('begins after a position, or at the end', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('order-1', events(3));
  const [, second] = await collect(client.readAll());
  const fromPosition = second?.event?.position;
  if (fromPosition === undefined) throw new Error('There is no second event.');
  const after = follow(client, { fromPosition });
  const end = follow(client, { fromPosition: END });
  await eventually('both live', () => after.log.includes('caught up') && end.log.includes('caught up'));
  await client.appendToStream('order-1', event(3));
  await eventually('the new one', () => end.received.length === 1 && after.received.length === 2);
  expect([numbers(after.received), numbers(end.received)]).toEqual([[2, 3], [3]]);
});

it('names a checkpoint when so many records were looked at, wanted or not, stored or live', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('other-1', events(20));
  const { checkpoints, log } = follow(client, { maxSearchWindow: 4, checkpointInterval: 2 });
  await eventually('caught up', () => log.includes('caught up'));
  // 21 records with the epoch: after 8 and 16, and once more at the end.
  expect(checkpoints).toHaveLength(3);
  await client.appendToStream('other-1', events(8));
  await eventually('a live checkpoint', () => checkpoints.length === 4);
  const commits = checkpoints.map(({ commit }) => commit);
  expect(commits).toEqual(commits.toSorted((a, b) => Number(a - b)));
});

it('loses nothing when it goes on from any of its checkpoints', async () => {
  const { client } = await startWithClient();
  for (let n = 0; n < 40; n++) await client.appendToStream(n % 3 === 0 ? 'order-1' : 'other-1', event(n));
  const whole = follow(client, { maxSearchWindow: 4 });
  await eventually('caught up', () => whole.log.includes('caught up'));
  expect(whole.checkpoints.length).toBeGreaterThan(5);
  for (const checkpoint of whole.checkpoints) {
    const rest = follow(client, { fromPosition: checkpoint });
    await eventually('caught up', () => rest.log.includes('caught up'));
    const missing = whole.received.filter(({ commitPosition }) => (commitPosition ?? 0n) > checkpoint.commit);
    expect(numbers(rest.received).slice(-missing.length || rest.received.length)).toEqual(numbers(missing));
    await rest.subscription.unsubscribe();
  }
});

it('names the place of an event yet to be read as a checkpoint, as some versions do, when asked', async () => {
  const namesIt = async (checkpointsAtUnreadEvents: boolean): Promise<boolean> => {
    const { client } = await startWithClient({ checkpointsAtUnreadEvents });
    // With the epoch record, one page looks at all there is, so the next one is empty.
    await client.appendToStream('order-1', events(31));
    const { checkpoints, log } = follow(client, { checkpointInterval: 1000 });
    await eventually('caught up', () => log.includes('caught up'));
    const { position } = await client.appendToStream('order-1', event(31));
    return checkpoints.at(-1)?.commit === position?.commit;
  };
  expect(await namesIt(false)).toBe(false);
  expect(await namesIt(true)).toBe(true);
});

it('falls behind when it reads too slowly, and catches up without loss', async () => {
  const { double, client } = await startWithClient();
  const { received, log } = follow(client, {});
  await eventually('caught up', () => log.includes('caught up'));
  double.faults.delayEvents(1);
  await client.appendToStream('order-1', events(300));
  await eventually('all', () => received.length === 300);
  await eventually('caught up again', () => log.filter((entry) => entry === 'caught up').length > 1);
  expect(numbers(received)).toEqual(events(300).map((_, n) => n));
});

it('falls behind on demand', async () => {
  const { double, client } = await startWithClient();
  const { received, log } = follow(client, {});
  await eventually('caught up', () => log.includes('caught up'));
  double.faults.fallBehind();
  await eventually('caught up again', () => log.filter((entry) => entry === 'caught up').length === 2);
  await client.appendToStream('order-1', event(1));
  await eventually('the event', () => received.length === 1);
});

it('follows a stream, a missing one too, until a tombstone ends it', async () => {
  const { client } = await startWithClient();
  const subscription = client.subscribeToStream('order-1', { fromRevision: START });
  const received: ResolvedEvent[] = [];
  subscription.on('data', (resolved: ResolvedEvent) => received.push(resolved));
  const ended = once(subscription, 'error');
  await once(subscription, 'caughtUp');
  await client.appendToStream('order-1', events(2));
  await eventually('both', () => received.length === 2);
  const later = client.subscribeToStream('order-1', { fromRevision: 0n });
  const [second] = (await once(later, 'data')) as [ResolvedEvent];
  expect(numbers([second])).toEqual([1]);
  later.on('error', () => undefined);
  await client.tombstoneStream('order-1');
  expect((await ended)[0]).toMatchObject({ type: 'stream-deleted' });
});

it('leaves out system events by the usual filter', async () => {
  const { client } = await startWithClient({ systemProjections: true });
  await client.appendToStream('order-1', event(0));
  await client.setStreamMetadata('order-1', { maxCount: 3 });
  const subscription = client.subscribeToAll({ filter: excludeSystemEvents() });
  const received: ResolvedEvent[] = [];
  subscription.on('data', (resolved) => received.push(resolved));
  await once(subscription, 'caughtUp');
  expect(numbers(received)).toEqual([0]);
});
