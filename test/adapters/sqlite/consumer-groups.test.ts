/** What the embedded store promises of consumer groups beyond the port: migration, crashes, shared commits, bounds. */
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WINDOW_MESSAGES_MAX } from '../../../src/adapters/sqlite/consumer-groups-queue.ts';
import { openSqliteEventReader } from '../../../src/adapters/sqlite/event-store.ts';
import type {
  ConsumerGroupSettings,
  ConsumerGroups,
  Delivery,
} from '../../../src/event-sourcing/consumer-groups.ts';
import { type NewEvent, UNREADABLE_EVENT_TYPE } from '../../../src/event-sourcing/event-store.ts';
import { collect, fillStream, idsIn, idsOf, mustAppend, newEvents } from '../../support/event-builders.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, acknowledge, GroupConsumer, hold, park, retry } from '../../support/group-consumer.ts';
import { CrashableGroups } from './crashable-groups.ts';
import { commitsInLog, StoreFile } from './store-file.ts';

const GROUP = 'workers';
const SETTINGS: ConsumerGroupSettings = {
  name: GROUP,
  streamPrefixes: ['work-'],
  startFrom: 'first_event',
};

let file: StoreFile;
let consumers: GroupConsumer[];
beforeEach(() => {
  file = new StoreFile();
  consumers = [];
});
afterEach(async () => {
  await Promise.all(consumers.map((one) => one.stop().catch(() => undefined)));
  await file.dispose();
});

describe('a file of format 1', () => {
  it('is migrated when it is opened: its events are intact, and groups work', async () => {
    const events = newEvents(700);
    await fillStream(file.store, 'work-1', events);
    await file.store.setStreamMetadata('other', { maxCount: 3 });
    const { storeId } = file.store;
    const before = await collect(file.store.readAll());
    await file.close();
    backToFormat1(file.path);

    const { store } = file;
    expect(store.storeId).toBe(storeId);
    expect(await collect(store.readAll())).toEqual(before);
    expect(await store.getStreamMetadata('other')).toEqual({ maxCount: 3 });
    expect(await mustAppend(store, 'work-1', newEvents(1), 699)).toMatchObject({ revision: 700 });
    const { reader, close } = openSqliteEventReader(file.path);
    expect(await idsIn(reader, 'work-1')).toHaveLength(701);
    close();
    await store.consumerGroups().ensureGroup(SETTINGS);
    await consume().untilGiven(events);
    await file.close();
    expect(formatOf(file.path)).toBe(2);
  });

  it('is migrated once, and then opened like any other', async () => {
    expect(await idsIn(file.store, 'none')).toEqual([]);
    await file.close();
    backToFormat1(file.path);
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    await (await file.restart()).consumerGroups().countParked(GROUP);
  });
});

describe('commits', () => {
  it('are shared by the acknowledgements of a while', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const events = newEvents(900);
    await mustAppend(file.store, 'work-1', events, 'no_stream');
    const before = commitsInLog(file.path);
    await consume().untilGiven(events);
    await file.store.consumerGroups().countParked(GROUP);
    expect(commitsInLog(file.path) - before).toBeLessThan(30);
  });

  it('of appends are no more and no fewer for a group, and an idle group writes nothing for events of others', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const idle = consume();
    await idle.untilGiven(await work(1));
    await file.store.consumerGroups().countParked(GROUP);
    const before = commitsInLog(file.path);
    for (let number = 0; number < 50; number += 1) {
      await mustAppend(file.store, `other-${number}`, newEvents(1), 'no_stream');
    }
    expect(commitsInLog(file.path) - before).toBe(50);
  });
});

describe('after a crash', () => {
  it('only what was not acknowledged comes again', async () => {
    const before = new CrashableGroups(file.store);
    await before.groups.ensureGroup(SETTINGS);
    const events = await work(20);
    const held = new Set([events[3]?.id, events[11]?.id]);
    const holdSome: Answer = (delivery) => (held.has(delivery.event.id) ? undefined : delivery.ack());
    await consume(holdSome, before).untilGiven(events);
    await before.groups.countParked(GROUP);
    before.crash();

    const after = consume(acknowledge, new CrashableGroups(file.store));
    await after.untilDelivered(2);
    const [next] = await work(1);
    await after.untilGiven([next as NewEvent]);
    expect(after.ids.toSorted()).toEqual([...held, next?.id].toSorted());
    expect(after.deliveries.map((delivery) => delivery.retries)).toEqual([1, 1, 0]);
  });

  it('acknowledgements of the last moment may be lost, and never a message', async () => {
    const before = new CrashableGroups(file.store);
    await before.groups.ensureGroup(SETTINGS);
    const events = await work(5);
    const acked = consume(acknowledge, before);
    await acked.untilGiven(events);
    await acked.deliveries[0]?.ack();
    before.crash();
    const after = consume(acknowledge, new CrashableGroups(file.store));
    await after.untilGiven(await work(1));
    for (const delivery of after.deliveries.slice(0, -1)) expect(delivery.retries).toBe(1);
  });

  it('a message that kills its consumer each time is parked in the end, and those behind it are not', async () => {
    const first = new CrashableGroups(file.store);
    await first.groups.ensureGroup({ ...SETTINGS, maxRetries: 3 });
    first.crash();
    const [deadly, ...others] = await work(4);
    const retries: number[] = [];
    for (let crash = 0; crash < 4; crash += 1) {
      const process = new CrashableGroups(file.store);
      const victim = consume(hold, { ...process, maxInFlight: 1 });
      await victim.untilDelivered(1);
      process.crash();
      expect(victim.ids).toEqual([deadly?.id]);
      retries.push(victim.deliveries[0]?.retries ?? -1);
    }
    expect(retries).toEqual([0, 1, 2, 3]);
    const last = new CrashableGroups(file.store);
    const survivor = consume(acknowledge, last);
    await survivor.untilGiven(others);
    expect(survivor.ids).toEqual(idsOf(others));
    const [parked] = await last.groups.listParked(GROUP, { limit: 10 });
    expect(parked?.event.id).toBe(deadly?.id);
    expect(parked?.reason).toBe('Delivered 4 times without success');
  });

  it('a late acknowledgement has not counted: the newer delivery was not answered', async () => {
    const before = new CrashableGroups(file.store);
    await before.groups.ensureGroup({ ...SETTINGS, messageTimeoutMs: 50 });
    const [event] = await work(1);
    const consumer = consume(hold, before);
    await consumer.untilDelivered(2);
    await before.groups.ensureGroup(SETTINGS);
    await consumer.untilDelivered(3);
    await consumer.deliveries[0]?.ack();
    await before.groups.countParked(GROUP);
    before.crash();
    await consume(acknowledge, new CrashableGroups(file.store)).untilGiven([event as NewEvent]);
  });

  it('discarded messages are gone, also those behind one that nobody has answered', async () => {
    const before = new CrashableGroups(file.store);
    await before.groups.ensureGroup(SETTINGS);
    const [held, ...others] = await work(4);
    const parkOthers: Answer = (delivery) => (delivery.event.id === held?.id ? undefined : park(delivery));
    await consume(parkOthers, before).untilGiven(others);
    await eventually('three parked', async () => (await before.groups.countParked(GROUP)) === 3);
    expect(await before.groups.discardParked(GROUP, { limit: 2 })).toBe(2);
    before.crash();
    const now = new CrashableGroups(file.store);
    const after = consume(acknowledge, now);
    await after.untilGiven(await work(1));
    await after.untilGiven([held as NewEvent]);
    expect(after.deliveries).toHaveLength(2);
    expect(await now.groups.countParked(GROUP)).toBe(1);
  });

  it('events that came later are new', async () => {
    const before = new CrashableGroups(file.store);
    await before.groups.ensureGroup(SETTINGS);
    await consume(acknowledge, before).untilGiven(await work(1));
    await before.groups.countParked(GROUP);
    before.crash();
    const after = consume(acknowledge, new CrashableGroups(file.store));
    await after.untilGiven(await work(3));
    expect(after.deliveries.map((delivery) => delivery.retries)).toEqual([0, 0, 0]);
  });
});

describe('after a restart', () => {
  it('the number of retries goes on', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const [event] = await work(3);
    const retryFirst: Answer = (delivery) => {
      if (delivery.event.id !== event?.id) return delivery.ack();
      return delivery.retries < 2 ? delivery.nack('retry', 'not yet') : undefined;
    };
    await consume(retryFirst).untilDelivered(5);
    await file.restart();
    const again = consume();
    await again.untilDelivered(1);
    expect(again.deliveries[0]?.retries).toBe(3);
    expect(again.ids).toEqual([event?.id]);
  });

  it('what was read ahead and never handed out is as new', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const events = await work(10);
    await consume(hold, { maxInFlight: 1 }).untilDelivered(1);
    await file.restart();
    const again = consume();
    await again.untilGiven(events);
    expect(again.deliveries.map((delivery) => delivery.retries)).toEqual([
      1,
      ...events.slice(1).map(() => 0),
    ]);
  });

  it('a checkpoint behind events of others is kept', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const consumer = consume();
    await consumer.untilGiven(await work(1));
    await fillStream(file.store, 'other-1', newEvents(300));
    await consumer.untilGiven(await work(1));
    await file.close();
    const db = new DatabaseSync(file.path);
    expect(db.prepare('SELECT checkpoint FROM consumer_groups').get()).toEqual({ checkpoint: 302 });
    expect(db.prepare('SELECT count(*) AS rows FROM consumer_group_messages').get()).toEqual({ rows: 0 });
    db.close();
  });
});

describe('events that were removed', () => {
  it('are stepped over, waiting or parked', async () => {
    const groups = file.store.consumerGroups();
    await groups.ensureGroup(SETTINGS);
    await mustAppend(file.store, 'work-removed', newEvents(6), 'no_stream');
    const parking = consume(park, { maxInFlight: 2 });
    await eventually('parked', async () => (await groups.countParked(GROUP)) === 6);
    await parking.stop();
    await mustAppend(file.store, 'work-removed', newEvents(6), 5);
    await file.store.deleteStream('work-removed');
    expect(await groups.countParked(GROUP)).toBe(0);
    expect(await groups.listParked(GROUP, { limit: 10 })).toEqual([]);
    expect(await groups.replayParked(GROUP, { limit: 10 })).toBe(0);
    const kept = await work(2);
    const consumer = consume();
    await consumer.untilGiven(kept);
    expect(consumer.ids).toEqual(idsOf(kept));
  });

  it('do not come again for a retry', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    await mustAppend(file.store, 'work-removed', newEvents(1), 'no_stream');
    const consumer = consume(hold);
    await consumer.untilDelivered(1);
    await file.store.deleteStream('work-removed');
    await (consumer.deliveries[0] as Delivery).nack('retry', 'not yet');
    const kept = await work(1);
    await consumer.untilGiven(kept);
    expect(consumer.deliveries).toHaveLength(2);
  });
});

describe('an event that cannot be read', () => {
  it('is delivered under the type that says so, and listed when it is parked', async () => {
    const groups = file.store.consumerGroups();
    await groups.ensureGroup(SETTINGS);
    const [damaged] = await work(2);
    const { db } = file.store as unknown as { db: DatabaseSync };
    db.prepare('UPDATE events SET data = ? WHERE id = ?').run('{"cut', damaged?.id ?? '');
    const consumer = consume(park);
    await consumer.untilDelivered(2);
    expect(consumer.deliveriesOf(damaged as NewEvent)[0]?.event.type).toBe(UNREADABLE_EVENT_TYPE);
    const parked = await groups.listParked(GROUP, { limit: 10 });
    expect(parked.map((one) => one.event)).toEqual(consumer.events);
  });
});

describe('bounds', () => {
  it('one unanswered message lets only so many pass, and then the rest', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    const events = newEvents(WINDOW_MESSAGES_MAX + 1_000);
    await mustAppend(file.store, 'work-1', events, 'no_stream');
    const consumer = consume((delivery) =>
      delivery.event.id === events[0]?.id ? undefined : delivery.ack(),
    );
    const stalled = () => consumer.deliveries.length;
    await consumer.until('the window is full', () => stalled() > WINDOW_MESSAGES_MAX - 600);
    for (let before = -1; before !== stalled(); ) {
      before = stalled();
      await file.store.consumerGroups().countParked(GROUP);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(stalled()).toBeLessThan(events.length);
    await (consumer.deliveries[0] as Delivery).ack();
    await consumer.untilGiven(events);
    expect(consumer.deliveries).toHaveLength(events.length);
  });

  it.each<[string, Partial<ConsumerGroupSettings>]>([
    ['a name that is no name', { name: 'Not Kebab' }],
    ['no streams', { streamPrefixes: [] }],
    ['too many streams', { streamPrefixes: Array.from({ length: 101 }, (_, number) => `${number}-`) }],
    ['streams and types', { eventTypes: ['SomethingHappened'] }],
    ['a negative number of retries', { maxRetries: -1 }],
    ['half a retry', { maxRetries: 0.5 }],
    ['no time at all', { messageTimeoutMs: 0 }],
    ['endless time', { messageTimeoutMs: Number.POSITIVE_INFINITY }],
  ])('settings with %s are refused', async (_, settings) => {
    const creating = file.store.consumerGroups().ensureGroup({ ...SETTINGS, ...settings });
    await expect(creating).rejects.toMatchObject({ name: 'StoreError', code: 'invalid_request' });
  });

  it('a consumer that takes nothing is refused', async () => {
    await file.store.consumerGroups().ensureGroup(SETTINGS);
    await expect(consume(hold, { maxInFlight: 0 }).ended()).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('changed settings', () => {
  it('with other streams deliver those, and what was unanswered again', async () => {
    const groups = file.store.consumerGroups();
    await groups.ensureGroup(SETTINGS);
    const [done, held] = (await work(2)) as [NewEvent, NewEvent];
    const consumer = consume((delivery) =>
      delivery.event.id === held.id && delivery.retries === 0 ? undefined : delivery.ack(),
    );
    await consumer.untilGiven([done, held]);
    await groups.ensureGroup({ ...SETTINGS, streamPrefixes: ['play-'] });
    await work(1);
    const played = newEvents(1);
    await mustAppend(file.store, 'play-1', played, 'no_stream');
    await consumer.untilGiven(played);
    await consumer.untilDelivered(4);
    expect(consumer.deliveriesOf(held).map((delivery) => delivery.retries)).toEqual([0, 1]);
    expect(consumer.deliveries).toHaveLength(4);
  });

  it('with a shorter timeout hold although a longer one was running', async () => {
    const groups = file.store.consumerGroups();
    await groups.ensureGroup({ ...SETTINGS, messageTimeoutMs: 600_000 });
    const consumer = consume((delivery) => (delivery.retries === 0 ? undefined : delivery.ack()));
    await consumer.untilGiven(await work(1));
    await groups.ensureGroup({ ...SETTINGS, messageTimeoutMs: 50 });
    const [next] = await work(1);
    await consumer.until('the retry', () => consumer.deliveriesOf(next as NewEvent).length === 2);
  });
});

describe('a failing disk', () => {
  it('loses no message: a delivery that cannot be written down is not made, and comes later', async () => {
    const failing = new CrashableGroups(file.store);
    await failing.groups.ensureGroup({ ...SETTINGS, maxRetries: 1_000_000 });
    const [event] = await work(1);
    const refusing = consume(retry, failing);
    await refusing.untilDelivered(1);
    failing.diskFails = true;
    await expect(refusing.ended()).rejects.toMatchObject({ code: 'disk_full' });
    const refused = consume(hold, failing);
    await expect(refused.ended()).rejects.toMatchObject({ code: 'disk_full' });
    expect(refused.deliveries).toEqual([]);
    failing.diskFails = false;
    const later = consume(acknowledge, failing);
    await later.untilGiven([event as NewEvent]);
  });
});

describe('close', () => {
  it('ends every consumer and refuses later calls as closed; a late answer does no harm', async () => {
    const groups = file.store.consumerGroups();
    await groups.ensureGroup(SETTINGS);
    const events = await work(1);
    const [holding, waiting] = [consume(hold), consume(hold)];
    await eventually('one delivery', () => holding.deliveries.length + waiting.deliveries.length === 1);
    const [late] = [...holding.deliveries, ...waiting.deliveries];
    await file.close();
    const closed = { name: 'StoreError', code: 'closed' };
    await expect(holding.ended()).rejects.toMatchObject(closed);
    await expect(waiting.ended()).rejects.toMatchObject(closed);
    await expect(groups.ensureGroup(SETTINGS)).rejects.toMatchObject(closed);
    await expect(groups.countParked(GROUP)).rejects.toMatchObject(closed);
    await expect(groups.replayParked(GROUP, { limit: 1 })).rejects.toMatchObject(closed);
    await expect(groups.deleteGroup(GROUP)).rejects.toMatchObject(closed);
    await late?.ack();
    await consume().untilGiven(events);
  });
});

function consume(
  answer: Answer = acknowledge,
  {
    groups = file.store.consumerGroups(),
    ...options
  }: { groups?: ConsumerGroups; maxInFlight?: number } = {},
): GroupConsumer {
  const consumer = new GroupConsumer(groups, GROUP, { answer, ...options });
  consumers.push(consumer);
  return consumer;
}

async function work(count: number): Promise<NewEvent[]> {
  const events = newEvents(count);
  await mustAppend(file.store, 'work-1', events, 'any');
  return events;
}

/** Format 2 has two tables more than format 1, and nothing else. */
function backToFormat1(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`DROP TABLE consumer_groups; DROP TABLE consumer_group_messages; PRAGMA user_version = 1`);
  db.close();
}

function formatOf(path: string): number {
  const db = new DatabaseSync(path);
  const { user_version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  db.close();
  return user_version;
}
