/** Persistent subscriptions: who gets what, how often, and what is remembered of it. */
import { once } from 'node:events';
import {
  END,
  type EventStoreDBClient,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToAllResolvedEvent,
  type PersistentSubscriptionToAllSettings,
  type PersistentSubscriptionToStreamResolvedEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type ResolvedEvent,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect, it } from 'vitest';
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
  temporaryPath,
} from './double-client.ts';

const filter = streamNameFilter({ prefixes: ['order-'] });
const GROUP = 'workers';
const PARKED = `$persistentsubscription-$all::${GROUP}-parked`;

function settings(
  changes: Partial<PersistentSubscriptionToAllSettings> = {},
): PersistentSubscriptionToAllSettings {
  return persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START, ...changes });
}

interface Consumer {
  readonly subscription: PersistentSubscriptionToAll;
  readonly received: PersistentSubscriptionToAllResolvedEvent[];
}

function consume(client: EventStoreDBClient, bufferSize = 10): Consumer {
  const subscription = client.subscribeToPersistentSubscriptionToAll(GROUP, { bufferSize });
  const received: PersistentSubscriptionToAllResolvedEvent[] = [];
  subscription.on('data', (resolved: PersistentSubscriptionToAllResolvedEvent) => received.push(resolved));
  subscription.on('error', () => undefined);
  return { subscription, received };
}

function at(consumer: Consumer, index: number): PersistentSubscriptionToAllResolvedEvent {
  const resolved = consumer.received[index];
  if (resolved === undefined) throw new Error(`Message ${index} was not received.`);
  return resolved;
}

async function parkedCount(client: EventStoreDBClient): Promise<bigint> {
  return (await client.getPersistentSubscriptionToAllInfo(GROUP)).stats.parkedMessageCount;
}

it('delivers what the filter wants, stored and new, with its position and without a retry', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('order-1', events(2));
  await client.appendToStream('other-1', event(9));
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const consumer = consume(client);
  await eventually('the stored events', () => consumer.received.length === 2);
  await client.appendToStream('order-2', event(2));
  await eventually('the new event', () => consumer.received.length === 3);
  expect(numbers(consumer.received)).toEqual([0, 1, 2]);
  expect(at(consumer, 2).retryCount).toBe(0);
  expect(at(consumer, 2).commitPosition).toBe(at(consumer, 2).event?.position?.commit);
});

it('starts at the end when told so', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('order-1', event(0));
  await client.createPersistentSubscriptionToAll(GROUP, settings({ startFrom: END }), { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', event(1));
  await eventually('the new event', () => consumer.received.length === 1);
  expect(numbers(consumer.received)).toEqual([1]);
});

it('gives a consumer no more than its buffer holds unanswered', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const consumer = consume(client, 2);
  await client.appendToStream('order-1', events(5));
  await eventually('two messages', () => consumer.received.length === 2);
  const { stats, connections } = await client.getPersistentSubscriptionToAllInfo(GROUP);
  expect(stats.totalInFlightMessages).toBe(2);
  expect(connections.map(({ availableSlots }) => availableSlots)).toEqual([0]);
  await consumer.subscription.ack(at(consumer, 0));
  await eventually('the third', () => consumer.received.length === 3);
});

it('shares messages by turns, or gives them to one consumer while it has slots', async () => {
  for (const [consumerStrategyName, expected] of [
    ['RoundRobin', [2, 2]],
    ['DispatchToSingle', [4, 0]],
  ] as const) {
    const { client } = await startWithClient();
    await client.createPersistentSubscriptionToAll(GROUP, settings({ consumerStrategyName }), { filter });
    const first = consume(client);
    await once(first.subscription, 'confirmation');
    const second = consume(client);
    await once(second.subscription, 'confirmation');
    await client.appendToStream('order-1', events(4));
    await eventually('all four', () => first.received.length + second.received.length === 4);
    expect([first.received.length, second.received.length]).toEqual(expected);
  }
});

it('delivers again what was refused, and parks it after the last retry', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings({ maxRetryCount: 1 }), { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', event(7));
  await eventually('the message', () => consumer.received.length === 1);
  await consumer.subscription.nack('retry', 'not now', at(consumer, 0));
  await eventually('the retry', () => consumer.received.length === 2);
  expect(at(consumer, 1).retryCount).toBe(1);
  await consumer.subscription.nack('retry', 'not now', at(consumer, 1));
  await eventually('the parking', async () => (await parkedCount(client)) === 1n);
  const [link] = await collect(client.readStream(PARKED, { resolveLinkTos: true }));
  expect(numbers(link === undefined ? [] : [link])).toEqual([7]);
  expect(link?.link?.type).toBe('$>');
  expect(link?.link?.metadata).toMatchObject({
    reason: 'Reached retry count of 1',
    subscriptionEventNumber: 0,
  });
});

it('parks at once when asked, and skips without a trace', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', events(2));
  await eventually('both messages', () => consumer.received.length === 2);
  await consumer.subscription.nack('park', 'broken', at(consumer, 0));
  await consumer.subscription.nack('skip', 'whatever', at(consumer, 1));
  await eventually('nothing outstanding', async () => {
    const { stats } = await client.getPersistentSubscriptionToAllInfo(GROUP);
    return stats.outstandingMessagesCount === 0;
  });
  expect(await parkedCount(client)).toBe(1n);
  const streamsOfAll = (await collect(client.readAll())).map((resolved) => resolved.event?.streamId);
  expect(streamsOfAll).not.toContain(PARKED);
  const [link] = await collect(client.readStream(PARKED));
  expect(link?.event?.metadata).toMatchObject({ reason: "Client explicitly NAK'ed message.\nbroken" });
});

it('replays parked messages, the oldest when limited, and forgets that they were parked', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', events(3));
  await eventually('all messages', () => consumer.received.length === 3);
  await consumer.subscription.nack('park', 'broken', ...consumer.received);
  await eventually('all parked', async () => (await parkedCount(client)) === 3n);
  await client.replayParkedMessagesToAll(GROUP, { stopAt: 1 });
  await eventually('the oldest again', () => consumer.received.length === 4);
  expect(numbers(consumer.received.slice(3))).toEqual([0]);
  expect(at(consumer, 3).retryCount).toBe(0);
  expect(await parkedCount(client)).toBe(2n);
  expect((await collect(client.readStream(PARKED, { resolveLinkTos: true }))).length).toBe(2);
  await consumer.subscription.ack(at(consumer, 3));
  await client.replayParkedMessagesToAll(GROUP);
  await eventually('the rest again', () => consumer.received.length === 6);
  expect(await parkedCount(client)).toBe(0n);
});

it('delivers again what nobody answered in time', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings({ messageTimeout: 100 }), { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', event(1));
  await eventually('the message twice', () => consumer.received.length >= 2);
  expect(at(consumer, 1).retryCount).toBe(1);
});

it('gives another consumer what one left behind', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const first = consume(client);
  await client.appendToStream('order-1', events(2));
  await eventually('both messages', () => first.received.length === 2);
  await first.subscription.unsubscribe();
  const second = consume(client);
  await eventually('both again', () => second.received.length === 2);
  expect(second.received.map(({ retryCount }) => retryCount)).toEqual([1, 1]);
});

it('drops its consumers when it is changed or deleted', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings(), { filter });
  const first = consume(client);
  await once(first.subscription, 'confirmation');
  const dropped = once(first.subscription, 'error');
  await client.updatePersistentSubscriptionToAll(GROUP, settings({ maxRetryCount: 3 }));
  expect((await dropped)[0]).toMatchObject({ type: 'persistent-subscription-dropped' });
  const { settings: changed } = await client.getPersistentSubscriptionToAllInfo(GROUP);
  expect(changed.maxRetryCount).toBe(3);
  const changedConsumer = consume(client);
  await client.appendToStream('other-1', event(1));
  await client.appendToStream('order-1', event(2));
  await eventually('what the filter wants', () => changedConsumer.received.length > 0);
  expect(numbers(changedConsumer.received)).toEqual([2]);
  await client.deletePersistentSubscriptionToAll(GROUP);
  const second = consume(client);
  const [error] = await once(second.subscription, 'error');
  expect(error).toMatchObject({ type: 'persistent-subscription-does-not-exist' });
});

it('refuses a second group of the same name, a missing one, a bad buffer and one consumer too many', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(GROUP, settings({ maxSubscriberCount: 1 }), { filter });
  const typeOf = async (promise: Promise<unknown>): Promise<unknown> => (await rejectionOf(promise)).type;
  expect(await typeOf(client.createPersistentSubscriptionToAll(GROUP, settings()))).toBe(
    'persistent-subscription-exists',
  );
  expect(await typeOf(client.updatePersistentSubscriptionToAll('none', settings()))).toBe(
    'persistent-subscription-does-not-exist',
  );
  expect(await typeOf(client.deletePersistentSubscriptionToAll('none'))).toBe(
    'persistent-subscription-does-not-exist',
  );
  const bad = settings({ readBatchSize: 20, historyBufferSize: 20 });
  expect(await typeOf(client.createPersistentSubscriptionToAll('bad', bad))).toBe(
    'persistent-subscription-failed',
  );
  const first = consume(client);
  await once(first.subscription, 'confirmation');
  const second = consume(client);
  expect((await once(second.subscription, 'error'))[0]).toMatchObject({
    type: 'maximum-subscribers-reached',
  });
});

it('serves a stream by its revisions', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('order-1', events(3));
  const fromSecond = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 1n });
  await client.createPersistentSubscriptionToStream('order-1', GROUP, fromSecond);
  const subscription = client.subscribeToPersistentSubscriptionToStream('order-1', GROUP);
  const received: ResolvedEvent[] = [];
  subscription.on('data', (resolved: PersistentSubscriptionToStreamResolvedEvent) => {
    received.push(resolved);
    void subscription.ack(resolved);
  });
  await eventually('what follows the start', () => received.length === 2);
  expect(numbers(received)).toEqual([1, 2]);
  const listed = await client.listPersistentSubscriptionsToStream('order-1');
  expect(listed.map(({ groupName, eventSource }) => [groupName, eventSource])).toEqual([[GROUP, 'order-1']]);
});

it('remembers its groups, checkpoints and parked messages over a restart', async () => {
  const stateFile = temporaryPath('state');
  const double = await startDouble({ stateFile });
  const client = connect(double.url);
  const checkpointed = settings({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
  await client.createPersistentSubscriptionToAll(GROUP, checkpointed, { filter });
  const consumer = consume(client);
  await client.appendToStream('order-1', events(3));
  await eventually('all messages', () => consumer.received.length === 3);
  await consumer.subscription.ack(at(consumer, 0));
  await consumer.subscription.nack('park', 'broken', at(consumer, 1));
  await eventually('one left', async () => {
    const { stats } = await client.getPersistentSubscriptionToAllInfo(GROUP);
    return stats.outstandingMessagesCount === 1 && stats.parkedMessageCount === 1n;
  });
  await client.dispose();
  await double.close();
  const again = connect((await startDouble({ stateFile })).url);
  const next = consume(again);
  await eventually('the unfinished one', () => next.received.length === 1);
  expect(numbers(next.received)).toEqual([2]);
  expect(await parkedCount(again)).toBe(1n);
});

it('lets records that the filter leaves out move the checkpoint past what waits while nobody consumes', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll(
    GROUP,
    settings({ startFrom: END, checkPointLowerBound: 1, checkPointUpperBound: 1 }),
    { filter },
  );
  await client.appendToStream('order-1', event(1));
  await client.appendToStream('other-1', events(3));
  await client.restartPersistentSubscriptionSubsystem();
  const consumer = consume(client);
  await client.appendToStream('order-1', event(2));
  await eventually('what came after', () => consumer.received.length > 0);
  expect(numbers(consumer.received)).toEqual([2]);
});
