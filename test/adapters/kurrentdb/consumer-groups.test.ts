/** Consumer groups through broken connections and restarts, and what only this store has: links, reasons, rights. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { KurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import { UNREADABLE_EVENT_TYPE } from '../../../src/event-sourcing/event-store.ts';
import { collect, idsOf, mustAppend, newEvent, newEvents, uniqueName } from '../../support/event-builders.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, acknowledge, GroupConsumer, hold, park } from '../../support/group-consumer.ts';
import { startKurrentDbDouble } from '../../support/kurrentdb-double/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openStore, startDouble, startDoubleAndStore } from './with-double.ts';

const consumers: GroupConsumer[] = [];
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop().catch(() => undefined)));
});

interface TestGroup {
  readonly name: string;
  readonly stream: string;
}

async function newGroup(store: KurrentDbEventStore): Promise<TestGroup> {
  const [name, stream] = [uniqueName('group'), uniqueName('work')];
  await store.consumerGroups.ensureGroup({ name, streamPrefixes: [stream], startFrom: 'first_event' });
  return { name, stream };
}

function consume(
  store: KurrentDbEventStore,
  { name }: TestGroup,
  answer: Answer = acknowledge,
): GroupConsumer {
  const consumer = new GroupConsumer(store.consumerGroups, name, { answer });
  consumers.push(consumer);
  return consumer;
}

describe('a consumer', () => {
  it('goes on by itself after its connection broke, and gets again what it had not answered', async () => {
    const { double, store } = await startDoubleAndStore();
    const group = await newGroup(store);
    const events = newEvents(6);
    await mustAppend(store, group.stream, events, 'no_stream');
    let works = false;
    const consumer = consume(store, group, (delivery) => (works ? delivery.ack() : undefined));
    await consumer.untilGiven(events);
    works = true;
    const before = consumer.deliveries.length;
    double.faults.dropConnections();
    await consumer.until('all again', () => new Set(consumer.ids.slice(before)).size === events.length);
    const more = newEvents(2);
    await mustAppend(store, group.stream, more, 5);
    await consumer.untilGiven(more);
  });

  it('goes on after the server was restarted', async () => {
    const directory = temporaryDirectory();
    const stateFile = directory.file('log');
    const first = await startKurrentDbDouble({ stateFile });
    const store = await openStore(first);
    try {
      const group = await newGroup(store);
      const consumer = consume(store, group);
      const before = newEvents(3);
      await mustAppend(store, group.stream, before, 'no_stream');
      await consumer.untilGiven(before);
      await first.close();
      await sleep(100);
      const second = await startKurrentDbDouble({ stateFile, port: first.port });
      const after = newEvents(3);
      await mustAppend(store, group.stream, after, 2);
      await consumer.untilGiven(after);
      await consumer.stop();
      await store.close();
      await second.close();
    } finally {
      directory.remove();
    }
  });

  it('answers to nobody once its connection is gone', async () => {
    const { double, store } = await startDoubleAndStore();
    const group = await newGroup(store);
    const [event] = newEvents(1);
    await mustAppend(store, group.stream, [event as never], 'no_stream');
    const consumer = consume(store, group, hold);
    await consumer.untilDelivered(1);
    double.faults.dropConnections();
    await consumer.untilDelivered(2);
    await consumer.deliveries[0]?.nack('park', 'too late');
    await consumer.deliveries[1]?.ack();
    await sleep(50);
    expect(await store.consumerGroups.countParked(group.name)).toBe(0);
  });

  it('that comes too late answers for nobody else', async () => {
    const { store } = await startDoubleAndStore();
    const [name, stream] = [uniqueName('group'), uniqueName('work')];
    const settings = { name, streamPrefixes: [stream], startFrom: 'first_event' as const };
    await store.consumerGroups.ensureGroup({ ...settings, messageTimeoutMs: 300 });
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    const hanging = consume(store, { name, stream }, hold);
    await hanging.untilDelivered(1);
    const other = consume(store, { name, stream }, hold);
    await other.untilDelivered(1);
    await hanging.deliveries[0]?.ack();
    await sleep(50);
    await other.deliveries.at(-1)?.nack('park', 'in time');
    await eventually('parked', async () => (await store.consumerGroups.countParked(name)) === 1);
  });

  it('ends with `closed` when the store is closed', async () => {
    const { store } = await startDoubleAndStore();
    const group = await newGroup(store);
    const consumer = consume(store, group);
    await mustAppend(store, group.stream, newEvents(1), 'no_stream');
    await consumer.untilDelivered(1);
    await store.close();
    await expect(consumer.ended()).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
    const closed = { name: 'StoreError', code: 'closed' };
    await expect(store.consumerGroups.countParked(group.name)).rejects.toMatchObject(closed);
    await expect(store.consumerGroups.deleteGroup(group.name)).rejects.toMatchObject(closed);
  });

  it('is handed an event that nobody can read, in its place', async () => {
    const { double, store } = await startDoubleAndStore();
    const group = await newGroup(store);
    const ANY = -2;
    const raw = {
      id: newEvent().id,
      type: 'Raw',
      isJson: true,
      data: Buffer.from('{'),
      metadata: Buffer.from(''),
    };
    double.store.write(group.stream, ANY, [raw]);
    const consumer = consume(store, group);
    await consumer.untilDelivered(1);
    expect(consumer.events[0]).toMatchObject({
      id: raw.id,
      type: UNREADABLE_EVENT_TYPE,
      stream: group.stream,
    });
  });
});

describe('parked messages', () => {
  async function parkThree(store: KurrentDbEventStore, group: TestGroup) {
    const events = newEvents(3);
    await mustAppend(store, group.stream, events, 'no_stream');
    const consumer = consume(store, group, park);
    await eventually('3 parked', async () => (await store.consumerGroups.countParked(group.name)) === 3);
    await consumer.stop();
    return events;
  }

  it('come with the reason that the consumer gave', async () => {
    const { store } = await startDoubleAndStore();
    const group = await newGroup(store);
    await parkThree(store, group);
    const parked = await store.consumerGroups.listParked(group.name, { limit: 10 });
    expect(parked.map((one) => one.reason)).toEqual(Array.from({ length: 3 }, () => 'nobody can do this'));
  });

  it('are delivered again at the position of their event, not of the link that parked it', async () => {
    const { store } = await startDoubleAndStore();
    const group = await newGroup(store);
    await parkThree(store, group);
    const consumer = consume(store, group);
    expect(await store.consumerGroups.replayParked(group.name, { limit: 3 })).toBe(3);
    await consumer.untilDelivered(3);
    const stored = await collect(store.readStream(group.stream));
    expect(consumer.events.toSorted((one, other) => one.revision - other.revision)).toEqual(stored);
  });

  it('whose event is gone by now are listed with the place where it was', async () => {
    const { store } = await startDoubleAndStore();
    const group = await newGroup(store);
    await parkThree(store, group);
    await store.setStreamMetadata(group.stream, { truncateBefore: 2 });
    const parked = await store.consumerGroups.listParked(group.name, { limit: 10 });
    expect(parked.map(({ event }) => [event.stream, event.revision])).toEqual(
      [0, 1, 2].map((revision) => [group.stream, revision]),
    );
    expect(parked[0]?.event.type).toBe(UNREADABLE_EVENT_TYPE);
    const consumer = consume(store, group);
    expect(await store.consumerGroups.replayParked(group.name, { limit: 3 })).toBe(3);
    await consumer.untilDelivered(1);
    expect(consumer.events[0]?.revision).toBe(2);
  });

  it('are not there for a group that never was', async () => {
    const { store } = await startDoubleAndStore();
    const name = uniqueName('never');
    expect(await store.consumerGroups.countParked(name)).toBe(0);
    expect(await store.consumerGroups.listParked(name, { limit: 10 })).toEqual([]);
    expect(await store.consumerGroups.replayParked(name, { limit: 10 })).toBe(0);
    expect(await store.consumerGroups.discardParked(name, { limit: 10 })).toBe(0);
  });
});

describe('a group that begins with the next event', () => {
  it('loses nothing when its settings change before it was ever consumed', async () => {
    const double = await startDouble();
    const store = await openStore(double);
    const [name, stream] = [uniqueName('group'), uniqueName('work')];
    const settings = { name, streamPrefixes: [stream], startFrom: 'next_event' as const };
    await mustAppend(store, stream, newEvents(2), 'no_stream');
    await store.consumerGroups.ensureGroup(settings);
    const events = newEvents(3);
    await mustAppend(store, stream, events, 1);
    await store.consumerGroups.ensureGroup({ ...settings, maxRetries: 3 });
    const consumer = consume(store, { name, stream });
    await consumer.untilGiven(events);
    expect(consumer.ids.toSorted()).toEqual(idsOf(events).toSorted());
  });
});
