/** Misbehaviour on demand, as the client sees it. */
import { once } from 'node:events';
import {
  type EventStoreDBClient,
  FOLLOWER,
  LEADER,
  NO_STREAM,
  persistentSubscriptionToAllSettingsFromDefaults,
  type ResolvedEvent,
  START,
} from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  collect,
  connect,
  event,
  events,
  numbers,
  rejectionOf,
  startDouble,
  startWithClient,
} from './double-client.ts';

async function stored(client: EventStoreDBClient): Promise<number[]> {
  return numbers(await collect(client.readAll()));
}

describe.each([
  ['by batch', {}],
  ['one by one', { credentials: { username: 'anybody', password: 'any' } }],
])('a write that fails, %s', (_, options) => {
  it.each([
    ['drop_before_commit', 'unavailable', []],
    ['drop_after_commit', 'unavailable', [1]],
  ] as const)('meets %s as a broken connection', async (fault, type, left) => {
    const { double, client } = await startWithClient();
    double.faults.failWrites(fault);
    expect(await rejectionOf(client.appendToStream('a-1', event(1), options))).toMatchObject({ type });
    expect(await stored(connect(double.url))).toEqual(left);
  });

  it.each([
    ['time_out_before_commit', []],
    ['time_out_after_commit', [1]],
  ] as const)('meets %s as a timeout that the server speaks of', async (fault, left) => {
    const { double, client } = await startWithClient();
    double.faults.failWrites(fault);
    const { type } = await rejectionOf(client.appendToStream('a-1', event(1), options));
    expect(['timeout', 'deadline-exceeded']).toContain(type);
    expect(await stored(client)).toEqual(left);
  });

  it('succeeds the next time, once for each fault asked for', async () => {
    const { double, client } = await startWithClient();
    double.faults.failWrites('time_out_before_commit', 2);
    await rejectionOf(client.appendToStream('a-1', event(1), options));
    await rejectionOf(client.appendToStream('a-1', event(1), options));
    await client.appendToStream('a-1', event(1), options);
    expect(await stored(client)).toEqual([1]);
  });

  it('may leave out the position of its answer', async () => {
    const { double, client } = await startWithClient();
    double.faults.failWrites('no_position');
    const { nextExpectedRevision, position } = await client.appendToStream('a-1', event(1), options);
    expect([nextExpectedRevision, position]).toEqual([0n, undefined]);
  });
});

it('keeps silent after a commit until the deadline of the caller', async () => {
  const { double, client } = await startWithClient();
  double.faults.failWrites('silent_after_commit');
  const options = { credentials: { username: 'anybody', password: 'any' }, deadline: 200 };
  expect(await rejectionOf(client.appendToStream('a-1', event(1), options))).toMatchObject({
    type: 'deadline-exceeded',
  });
  expect(await stored(client)).toEqual([1]);
});

it('answers a repetition after a broken connection as if it had been the first time', async () => {
  const { double, client } = await startWithClient();
  const one = event(1);
  double.faults.failWrites('drop_after_commit');
  await rejectionOf(client.appendToStream('a-1', one, { expectedRevision: NO_STREAM }));
  const { nextExpectedRevision } = await client.appendToStream('a-1', one, { expectedRevision: NO_STREAM });
  expect(nextExpectedRevision).toBe(0n);
  expect(await stored(client)).toEqual([1]);
});

it('fails deletes the same way', async () => {
  const { double, client } = await startWithClient();
  await client.appendToStream('a-1', event(1));
  double.faults.failWrites('time_out_after_commit');
  expect(await rejectionOf(client.deleteStream('a-1'))).toMatchObject({ type: 'timeout' });
  expect(await rejectionOf(collect(client.readStream('a-1')))).toMatchObject({ type: 'stream-not-found' });
});

it('refuses as not the leader, naming it or not, so many times', async () => {
  const { double, client } = await startWithClient();
  double.faults.refuseAsNotLeader(1, { host: '127.0.0.1', port: double.port });
  const error = await rejectionOf(client.appendToStream('a-1', event(1)));
  expect(error).toMatchObject({ type: 'not-leader', leader: { address: '127.0.0.1', port: double.port } });
  await client.appendToStream('a-1', event(1));
  double.faults.refuseAsNotLeader(2);
  expect(await rejectionOf(client.appendToStream('a-1', event(2)))).toMatchObject({ type: 'unknown' });
  expect(await rejectionOf(collect(client.readStream('a-1')))).toMatchObject({ code: 2 });
  expect(await stored(client)).toEqual([1]);
});

it('as a follower refuses only what requires the leader, and says in gossip what it is', async () => {
  const leader = await startDouble();
  const { double, client } = await startWithClient();
  double.faults.follow({ host: '127.0.0.1', port: leader.port });
  await client.appendToStream('a-1', event(1));
  const settings = persistentSubscriptionToAllSettingsFromDefaults();
  const requiresLeader = { requiresLeader: true };
  expect(await rejectionOf(collect(client.readStream('a-1', requiresLeader)))).toMatchObject({
    type: 'not-leader',
  });
  const next = connect(double.url);
  expect(await rejectionOf(next.createPersistentSubscriptionToAll('workers', settings))).toMatchObject({
    type: 'not-leader',
  });
  // Refused, the client goes to the leader by itself.
  await next.createPersistentSubscriptionToAll('workers', settings);
  const cluster = `esdb://127.0.0.1:${double.port},127.0.0.1:${double.port}?tls=false&nodePreference=`;
  expect(numbers(await collect(connect(`${cluster}${FOLLOWER}`).readStream('a-1')))).toEqual([1]);
  expect(await rejectionOf(collect(connect(`${cluster}${LEADER}`).readStream('a-1')))).toMatchObject({
    type: 'stream-not-found',
  });
});

it('is unavailable for a time', async () => {
  const { double, client } = await startWithClient();
  double.faults.beUnavailableFor(300);
  // Not an error of the client's own kind, for it is the question after the server's abilities that fails.
  const error = await rejectionOf(client.appendToStream('a-1', event(1)));
  expect(error).toMatchObject({ code: 14, details: 'Server Is Not Ready' });
  expect(error).not.toHaveProperty('type');
  await eventually('available again', () =>
    client.appendToStream('a-1', event(1)).then(
      () => true,
      () => false,
    ),
  );
});

it.each(['connection', 'unavailable'] as const)(
  'ends a subscription after so many events: %s',
  async (how) => {
    const { double, client } = await startWithClient();
    await client.appendToStream('a-1', events(20));
    double.faults.endSubscriptionAfter(25, how);
    const received: ResolvedEvent[] = [];
    const subscription = client.subscribeToAll({ fromPosition: START });
    subscription.on('data', (resolved) => received.push(resolved));
    const ended = once(subscription, 'error');
    await eventually('all that is stored', () => received.length === 20);
    await client.appendToStream('a-2', events(20));
    expect((await ended)[0]).toMatchObject({ type: 'unavailable' });
    expect(received.length).toBeLessThanOrEqual(25);
  },
);

it('breaks all connections, and takes new ones', async () => {
  const { double, client } = await startWithClient();
  const subscription = client.subscribeToAll();
  const broken = once(subscription, 'error');
  await once(subscription, 'confirmation');
  expect(double.connectionCount).toBe(1);
  double.faults.dropConnections();
  expect((await broken)[0]).toMatchObject({ type: 'unavailable' });
  await client.appendToStream('a-1', event(1));
});
