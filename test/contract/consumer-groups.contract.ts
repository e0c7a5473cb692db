/**
 * What every store's consumer groups must do, as tests: they run on each adapter, so they rely on the port alone. A store
 * may look for timeouts only every now and then and keep its counts in memory, so the tests wait and never measure.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  ConsumerGroupSettings,
  ConsumerGroups,
  Delivery,
  EventSelection,
} from '../../src/event-sourcing/consumer-groups.ts';
import type { EventStore, NewEvent } from '../../src/event-sourcing/event-store.ts';
import { collect, idsOf, mustAppend, newEvent, newEvents, uniqueName } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, acknowledge, GroupConsumer, hold, park, retry } from '../support/group-consumer.ts';

export interface OpenedGroups {
  /** The log and its groups as they are open now; `reopen` replaces both. */
  readonly store: EventStore;
  readonly groups: ConsumerGroups;
  /** The groups on the same log as another process has them, or as near to that as the store allows. */
  openSecond(): Promise<ConsumerGroups>;
  /** Closes all and opens it again, as a restart of the program does. */
  reopen(): Promise<void>;
  /** Closes everything and removes what it left behind. */
  dispose(): Promise<void>;
}

/** Answers are promised to be sent, not to have arrived: time for that, before somebody else looks. */
const ARRIVAL_MS = 100;
/** Long enough that an answer given at once comes in time, short enough to wait for. */
const SHORT_TIMEOUT_MS = 500;
const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Registers the suite for one adapter. Stores may be shared and hold other streams and groups: every name is new. */
export function describeConsumerGroupsContract(name: string, open: () => Promise<OpenedGroups>): void {
  describe(`consumer groups contract on ${name}`, () => {
    const bench = new Bench();
    beforeAll(async () => {
      bench.opened = await open();
    });
    afterEach(() => bench.stopConsumers());
    afterAll(() => bench.opened.dispose());

    describe('delivery', () => deliveryCases(bench));
    describe('competing consumers', () => competitionCases(bench));
    describe('refused messages', () => refusalCases(bench));
    describe('messages without an answer', () => timeoutCases(bench));
    describe('parked messages', () => parkedCases(bench));
    describe('settings', () => settingsCases(bench));
    describe('deletion', () => deletionCases(bench));
  });
}

/** One group with streams of its own. */
interface TestGroup {
  readonly selection: EventSelection;
  readonly settings: ConsumerGroupSettings;
  readonly name: string;
  /** A stream that the group wants. */
  stream(suffix?: string): string;
}

/** The opened stores and the consumers that a test has started. */
class Bench {
  opened!: OpenedGroups;
  #consumers: GroupConsumer[] = [];
  #groups: string[] = [];

  /** Defines a group with its own stream prefix and creates it. */
  async group(settings: Partial<ConsumerGroupSettings> = {}): Promise<TestGroup> {
    const group = this.define(settings);
    await this.opened.groups.ensureGroup(group.settings);
    return group;
  }

  /** Defines a group without creating it. */
  define(overrides: Partial<ConsumerGroupSettings> = {}): TestGroup {
    const name = uniqueName('group');
    const prefix = `${uniqueName('work')}-`;
    const { streamPrefixes = [prefix], eventTypes, ...others } = overrides;
    const selection = eventTypes ? { eventTypes } : { streamPrefixes };
    const settings: ConsumerGroupSettings = { name, startFrom: 'first_event', ...selection, ...others };
    this.#groups.push(name);
    return { selection, settings, name, stream: (suffix = '1') => `${prefix}${suffix}` };
  }

  /** Writes new events at the end of a stream. */
  async append(stream: string, count: number): Promise<NewEvent[]> {
    const events = newEvents(count);
    await mustAppend(this.opened.store, stream, events, 'any');
    return events;
  }

  /** Starts a consumer, on the first opening of the groups unless another is named. */
  consume(
    group: TestGroup,
    answer: Answer = acknowledge,
    { groups = this.opened.groups, maxInFlight }: { groups?: ConsumerGroups; maxInFlight?: number } = {},
  ): GroupConsumer {
    const consumer = new GroupConsumer(
      groups,
      group.name,
      maxInFlight === undefined ? { answer } : { answer, maxInFlight },
    );
    this.#consumers.push(consumer);
    return consumer;
  }

  /** Parks so many new events, one after another. */
  async parkNew(group: TestGroup, count: number): Promise<NewEvent[]> {
    const events = await this.append(group.stream(), count);
    const consumer = this.consume(group, park, { maxInFlight: 1 });
    await this.untilParked(group, count);
    await consumer.stop();
    return events;
  }

  async untilParked(group: TestGroup, count: number): Promise<void> {
    let parked = 0;
    await eventually(`${count} parked messages`, async () => {
      parked = await this.opened.groups.countParked(group.name);
      return parked >= count;
    });
    expect(parked).toBe(count);
  }

  /** Writes one more event and waits until it was delivered: whatever was to be delivered before it, has been. */
  async untilNextDelivered(group: TestGroup, consumer: GroupConsumer): Promise<NewEvent> {
    const [event] = (await this.append(group.stream('next'), 1)) as [NewEvent];
    await consumer.untilGiven([event]);
    return event;
  }

  async stopConsumers(): Promise<void> {
    // A consumer that a test has seen failing is no failure again.
    await Promise.all(this.#consumers.splice(0).map((one) => one.stop().catch(() => undefined)));
    await Promise.all(this.#groups.splice(0).map((name) => this.opened.groups.deleteGroup(name)));
  }
}

function deliveryCases(bench: Bench): void {
  it('gives every event of the wanted streams, whole, and none of others', async () => {
    const group = await bench.group();
    const { store } = bench.opened;
    const wanted = [
      ...(await bench.append(group.stream('a'), 3)),
      ...(await bench.append(group.stream('b'), 2)),
    ];
    await bench.append(`other-${group.stream('a')}`, 2);
    await bench.append(group.stream('').slice(0, -1), 1);
    wanted.push(...(await bench.append(group.stream('a'), 1)));
    const consumer = bench.consume(group);
    await consumer.untilGiven(wanted);
    const last = await bench.untilNextDelivered(group, consumer);
    expect(consumer.ids.toSorted()).toEqual(idsOf([...wanted, last]).toSorted());
    const stored = await collect(store.readStream(group.stream('a')));
    for (const event of stored) {
      expect(consumer.events.find((one) => one.id === event.id)).toEqual(event);
    }
    expect(consumer.deliveries.map((delivery) => delivery.retries)).toEqual(consumer.ids.map(() => 0));
  });

  it('takes several prefixes', async () => {
    const prefixes = [`${uniqueName('one')}-`, `${uniqueName('two')}-`];
    const group = await bench.group({ streamPrefixes: prefixes });
    const events = [
      ...(await bench.append(`${prefixes[0]}x`, 1)),
      ...(await bench.append(`${prefixes[1]}y`, 1)),
    ];
    await bench.consume(group).untilGiven(events);
  });

  it('takes event types in the place of prefixes, whatever their streams', async () => {
    const wanted = [uniqueName('Wanted'), uniqueName('Wanted.Too')];
    const group = await bench.group({ eventTypes: wanted });
    const types = [...wanted, `${wanted[0]}More`, wanted[1]?.replace('.', 'x') as string];
    const events = types.map((type) => newEvent({ type }));
    for (const event of events) {
      await mustAppend(bench.opened.store, group.stream(uniqueName('any')), [event], 'any');
    }
    const consumer = bench.consume(group);
    await consumer.untilGiven(events.slice(0, 2));
    const last = newEvent({ type: wanted[1] as string });
    await mustAppend(bench.opened.store, group.stream(), [last], 'any');
    await consumer.untilGiven([last]);
    expect(consumer.ids.toSorted()).toEqual(idsOf([...events.slice(0, 2), last]).toSorted());
  });

  it('goes on live: what is appended while a consumer waits arrives', async () => {
    const group = await bench.group();
    const consumer = bench.consume(group);
    for (const _ of [1, 2, 3]) await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveries).toHaveLength(3);
  });

  it('begins with the first event of the log, also with those older than the group', async () => {
    const group = bench.define({ startFrom: 'first_event' });
    const older = await bench.append(group.stream(), 3);
    await bench.opened.groups.ensureGroup(group.settings);
    const newer = await bench.append(group.stream(), 2);
    await bench.consume(group).untilGiven([...older, ...newer]);
  });

  it('begins with the next event, also with those that came before the first consumer', async () => {
    const group = bench.define({ startFrom: 'next_event' });
    await bench.append(group.stream(), 3);
    await bench.opened.groups.ensureGroup(group.settings);
    const newer = await bench.append(group.stream(), 2);
    const consumer = bench.consume(group);
    await consumer.untilGiven(newer);
    expect(consumer.ids.toSorted()).toEqual(idsOf(newer).toSorted());
  });

  it('gives each event of a long history once', async () => {
    const group = bench.define();
    const events = await bench.append(group.stream(), 1_200);
    await bench.opened.groups.ensureGroup(group.settings);
    const consumer = bench.consume(group, acknowledge, { maxInFlight: 100 });
    await consumer.untilGiven(events);
    expect(consumer.deliveries).toHaveLength(1_200);
  });

  it('gives an acknowledged message never again', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS });
    const events = await bench.append(group.stream(), 5);
    const consumer = bench.consume(group);
    await consumer.untilGiven(events);
    await sleep(2 * SHORT_TIMEOUT_MS);
    const last = await bench.untilNextDelivered(group, consumer);
    expect(consumer.ids.toSorted()).toEqual(idsOf([...events, last]).toSorted());
  });

  it('remembers across a restart what was acknowledged, and where the group is', async () => {
    const group = await bench.group();
    const before = await bench.append(group.stream(), 5);
    const consumer = bench.consume(group);
    await consumer.untilGiven(before);
    await sleep(ARRIVAL_MS);
    await consumer.stop();
    await bench.opened.reopen();
    const meanwhile = await bench.append(group.stream(), 2);
    const again = bench.consume(group);
    await again.untilGiven(meanwhile);
    expect(again.ids.toSorted()).toEqual(idsOf(meanwhile).toSorted());
  });

  it('gives again what was in flight when the program was restarted', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS });
    const events = await bench.append(group.stream(), 6);
    const isOdd: Answer = (delivery) =>
      (delivery.event.data as { number: number }).number % 2 === 1 ? delivery.ack() : undefined;
    const consumer = bench.consume(group, isOdd);
    await consumer.untilGiven(events);
    await sleep(ARRIVAL_MS);
    await consumer.stop();
    await bench.opened.reopen();
    const again = bench.consume(group);
    const unanswered = events.filter((_, index) => index % 2 === 0);
    await again.untilGiven(unanswered);
    const last = await bench.untilNextDelivered(group, again);
    expect(new Set(again.ids)).toEqual(new Set(idsOf([...unanswered, last])));
  });
}

function competitionCases(bench: Bench): void {
  it('two consumers share: each event comes to one of them', async () => {
    const group = await bench.group();
    const second = await bench.opened.openSecond();
    const consumers = [bench.consume(group), bench.consume(group, acknowledge, { groups: second })];
    const events = await bench.append(group.stream(), 100);
    await eventually('100 events', () => consumers.flatMap((one) => one.ids).length >= 100);
    expect(consumers.flatMap((one) => one.ids).toSorted()).toEqual(idsOf(events).toSorted());
  });

  it('a busy consumer leaves the rest to the other', async () => {
    const group = await bench.group();
    const busy = bench.consume(group, hold, { maxInFlight: 1 });
    const [first] = (await bench.append(group.stream(), 1)) as [NewEvent];
    await busy.untilGiven([first]);
    const free = bench.consume(group, acknowledge, { groups: await bench.opened.openSecond() });
    const rest = await bench.append(group.stream(), 5);
    await free.untilGiven(rest);
    expect(busy.ids).toEqual([first.id]);
  });

  it('a consumer has no more unanswered messages than it takes', async () => {
    const group = await bench.group();
    const events = await bench.append(group.stream(), 20);
    const consumer = bench.consume(group, hold, { maxInFlight: 3 });
    await consumer.untilDelivered(3);
    for (let answered = 0; answered < 17; answered += 1) {
      if (answered % 5 === 0) await sleep(20);
      expect(consumer.deliveries).toHaveLength(answered + 3);
      await (consumer.deliveries[answered] as Delivery).ack();
      await consumer.untilDelivered(answered + 4);
    }
    expect(consumer.ids.toSorted()).toEqual(idsOf(events).toSorted());
  });

  it('a refused message makes room for another as an acknowledged one does', async () => {
    const group = await bench.group();
    const events = await bench.append(group.stream(), 4);
    const consumer = bench.consume(group, park, { maxInFlight: 1 });
    await consumer.untilGiven(events);
    await bench.untilParked(group, 4);
  });

  it('what a stopped consumer had in flight goes to others', async () => {
    const group = await bench.group();
    const events = await bench.append(group.stream(), 4);
    const stopping = bench.consume(group, hold, { maxInFlight: 4 });
    await stopping.untilGiven(events);
    const other = bench.consume(group, acknowledge, { groups: await bench.opened.openSecond() });
    await stopping.stop();
    await other.untilGiven(events);
    expect(other.ids.toSorted()).toEqual(idsOf(events).toSorted());
  });

  it('an aborted consumer ends at once, also while it waits for events', async () => {
    const group = await bench.group();
    const waiting = bench.consume(group);
    await bench.untilNextDelivered(group, waiting);
    await waiting.stop();
    const aborted = new AbortController();
    aborted.abort();
    expect(await collect(bench.opened.groups.consume(group.name, { signal: aborted.signal }))).toEqual([]);
  });

  it('two groups over the same streams each get everything', async () => {
    const group = await bench.group();
    const twin = await bench.group(group.selection);
    const events = await bench.append(group.stream(), 5);
    for (const one of [group, twin]) {
      const consumer = bench.consume(one);
      await consumer.untilGiven(events);
      expect(consumer.deliveries).toHaveLength(5);
    }
  });
}

function refusalCases(bench: Bench): void {
  it('a message refused for now comes again, and says how often it came before', async () => {
    const group = await bench.group();
    const [event] = (await bench.append(group.stream(), 1)) as [NewEvent];
    const consumer = bench.consume(group, (delivery) =>
      delivery.retries < 3 ? retry(delivery) : delivery.ack(),
    );
    await consumer.untilDelivered(4);
    const last = await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveriesOf(event).map((delivery) => delivery.retries)).toEqual([0, 1, 2, 3]);
    expect(consumer.deliveriesOf(last)).not.toHaveLength(0);
    expect(await bench.opened.groups.countParked(group.name)).toBe(0);
  });

  it('a message refused for good is parked at once and comes no more', async () => {
    const group = await bench.group();
    const [bad, good] = (await bench.append(group.stream(), 2)) as [NewEvent, NewEvent];
    const consumer = bench.consume(group, (delivery) =>
      delivery.event.id === bad.id ? park(delivery) : delivery.ack(),
    );
    await consumer.untilGiven([bad, good]);
    await bench.untilParked(group, 1);
    await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveriesOf(bad)).toHaveLength(1);
  });

  it('a message refused too often is parked, and the others go on', async () => {
    const group = await bench.group({ maxRetries: 2 });
    const [bad, good] = (await bench.append(group.stream(), 2)) as [NewEvent, NewEvent];
    const consumer = bench.consume(group, (delivery) =>
      delivery.event.id === bad.id ? retry(delivery) : delivery.ack(),
    );
    await bench.untilParked(group, 1);
    await consumer.untilGiven([good]);
    await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveriesOf(bad).map((delivery) => delivery.retries)).toEqual([0, 1, 2]);
    expect(consumer.deliveriesOf(good)).toHaveLength(1);
  });
}

function timeoutCases(bench: Bench): void {
  it('come again after their time, and count as tried', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS });
    const [event] = (await bench.append(group.stream(), 1)) as [NewEvent];
    const consumer = bench.consume(group, (delivery) =>
      delivery.retries === 0 ? undefined : delivery.ack(),
    );
    await consumer.untilDelivered(2);
    await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveriesOf(event).map((delivery) => delivery.retries)).toEqual([0, 1]);
  });

  it('go to another consumer while the first one hangs', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS });
    const hanging = bench.consume(group, hold);
    const events = await bench.append(group.stream(), 2);
    await hanging.untilGiven(events);
    const other = bench.consume(group, acknowledge, { groups: await bench.opened.openSecond() });
    await other.untilGiven(events);
  });

  it('are parked when that happens too often', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS, maxRetries: 1 });
    const [event] = (await bench.append(group.stream(), 1)) as [NewEvent];
    const consumer = bench.consume(group, hold);
    await bench.untilParked(group, 1);
    expect(consumer.deliveriesOf(event).map((delivery) => delivery.retries)).toEqual([0, 1]);
  });

  it('take no late answer: the newer delivery alone decides', async () => {
    const group = await bench.group({ messageTimeoutMs: SHORT_TIMEOUT_MS });
    await bench.append(group.stream(), 1);
    const consumer = bench.consume(group, hold);
    await consumer.untilDelivered(2);
    // A clock beside the server's may be late by the time that a message travels.
    await sleep(ARRIVAL_MS / 2);
    const [late, current] = consumer.deliveries as [Delivery, Delivery];
    await late.ack();
    await late.nack('retry', 'too late');
    await sleep(ARRIVAL_MS / 2);
    await current.nack('park', 'in time');
    await bench.untilParked(group, 1);
    const next = await bench.untilNextDelivered(group, consumer);
    expect(consumer.deliveriesOf(next)).toHaveLength(1);
  });
}

function parkedCases(bench: Bench): void {
  it('are counted and listed, oldest first, with the event and perhaps the reason', async () => {
    const group = await bench.group();
    const { groups, store } = bench.opened;
    expect(await groups.countParked(group.name)).toBe(0);
    expect(await groups.listParked(group.name, { limit: 10 })).toEqual([]);
    const events = await bench.parkNew(group, 3);
    const stored = await collect(store.readStream(group.stream()));
    const parked = await groups.listParked(group.name, { limit: 10 });
    expect(parked.map((one) => one.event)).toEqual(stored);
    for (const { reason, parkedAt } of parked) {
      if (reason !== undefined) expect(reason).toContain('nobody can do this');
      expect(parkedAt).toMatch(RFC_3339_UTC);
    }
    const first = await groups.listParked(group.name, { limit: 2 });
    expect(idsOf(first.map((one) => one.event))).toEqual(idsOf(events.slice(0, 2)));
  });

  it('stay parked across a restart', async () => {
    const group = await bench.group();
    const events = await bench.parkNew(group, 2);
    await bench.opened.reopen();
    const { groups } = bench.opened;
    expect(await groups.countParked(group.name)).toBe(2);
    const parked = await groups.listParked(group.name, { limit: 10 });
    expect(idsOf(parked.map((one) => one.event))).toEqual(idsOf(events));
    const consumer = bench.consume(group);
    const next = await bench.untilNextDelivered(group, consumer);
    expect(consumer.ids).toEqual([next.id]);
  });

  it('are replayed to a consumer that waits, the oldest first, with their retries counted anew', async () => {
    const group = await bench.group({ maxRetries: 1 });
    const { groups } = bench.opened;
    const events = await bench.append(group.stream(), 3);
    let works = false;
    const consumer = bench.consume(group, (delivery) => (works ? delivery.ack() : retry(delivery)), {
      maxInFlight: 1,
    });
    await bench.untilParked(group, 3);
    works = true;
    const before = consumer.deliveries.length;
    expect(before).toBe(6);
    const listed = idsOf((await groups.listParked(group.name, { limit: 2 })).map((one) => one.event));

    expect(await groups.replayParked(group.name, { limit: 2 })).toBe(2);
    await consumer.untilDelivered(8);
    await bench.untilParked(group, 1);
    expect(consumer.ids.slice(before).toSorted()).toEqual(listed.toSorted());
    expect(await groups.replayParked(group.name, { limit: 100 })).toBe(1);
    await consumer.untilDelivered(9);
    await eventually('nothing parked', async () => (await groups.countParked(group.name)) === 0);
    const replayed = consumer.deliveries.slice(before);
    expect(idsOf(replayed.map((one) => one.event)).toSorted()).toEqual(idsOf(events).toSorted());
    expect(replayed.map((delivery) => delivery.retries)).toEqual([0, 0, 0]);
    expect(await groups.replayParked(group.name, { limit: 100 })).toBe(0);
  });

  it('may be parked again after a replay', async () => {
    const group = await bench.group();
    const [event] = await bench.parkNew(group, 1);
    const { groups } = bench.opened;
    const consumer = bench.consume(group, park);
    expect(await groups.replayParked(group.name, { limit: 1 })).toBe(1);
    await consumer.untilGiven([event as NewEvent]);
    await bench.untilParked(group, 1);
  });

  it('are discarded for ever, the oldest first', async () => {
    const group = await bench.group();
    const { groups } = bench.opened;
    const events = await bench.parkNew(group, 3);
    expect(await groups.discardParked(group.name, { limit: 2 })).toBe(2);
    await bench.untilParked(group, 1);
    const left = await groups.listParked(group.name, { limit: 10 });
    expect(idsOf(left.map((one) => one.event))).toEqual(idsOf(events.slice(2)));

    const consumer = bench.consume(group);
    expect(await groups.replayParked(group.name, { limit: 10 })).toBe(1);
    await consumer.untilGiven(events.slice(2));
    const next = await bench.untilNextDelivered(group, consumer);
    expect(consumer.ids.toSorted()).toEqual(idsOf([...events.slice(2), next]).toSorted());
    expect(await groups.discardParked(group.name, { limit: 10 })).toBe(0);
  });

  it('of one group are no concern of another', async () => {
    const group = await bench.group();
    const twin = await bench.group(group.selection);
    await bench.parkNew(group, 2);
    expect(await bench.opened.groups.countParked(twin.name)).toBe(0);
    expect(await bench.opened.groups.discardParked(twin.name, { limit: 10 })).toBe(0);
    expect(await bench.opened.groups.countParked(group.name)).toBe(2);
  });
}

function settingsCases(bench: Bench): void {
  it('given again change nothing: the group stays where it is', async () => {
    const group = await bench.group();
    const { groups } = bench.opened;
    const events = await bench.append(group.stream(), 3);
    const consumer = bench.consume(group);
    await consumer.untilGiven(events);
    await sleep(ARRIVAL_MS);
    await groups.ensureGroup(group.settings);
    await (await bench.opened.openSecond()).ensureGroup({ ...group.settings, startFrom: 'next_event' });
    const last = await bench.untilNextDelivered(group, consumer);
    expect(consumer.ids.toSorted()).toEqual(idsOf([...events, last]).toSorted());
  });

  it('may be given by two at once', async () => {
    const group = bench.define();
    const second = await bench.opened.openSecond();
    await Promise.all([bench.opened.groups.ensureGroup(group.settings), second.ensureGroup(group.settings)]);
    await bench.untilNextDelivered(group, bench.consume(group));
  });

  it('may change: the new number of retries holds, also for a consumer that is at work', async () => {
    const group = await bench.group({ maxRetries: 10 });
    const { groups } = bench.opened;
    const consumer = bench.consume(group, (delivery) =>
      delivery.event.type === 'BadDomainEventV1' ? retry(delivery) : delivery.ack(),
    );
    await bench.untilNextDelivered(group, consumer);
    await groups.ensureGroup({ ...group.settings, maxRetries: 1 });
    const [bad] = newEvents(1, { type: 'BadDomainEventV1' }) as [NewEvent];
    await mustAppend(bench.opened.store, group.stream(), [bad], 'any');
    await bench.untilParked(group, 1);
    expect(consumer.deliveriesOf(bad).map((delivery) => delivery.retries)).toEqual([0, 1]);
  });

  it('may change: the new timeout holds', async () => {
    const group = await bench.group({ messageTimeoutMs: 60_000 });
    await bench.opened.groups.ensureGroup({ ...group.settings, messageTimeoutMs: SHORT_TIMEOUT_MS });
    const [event] = (await bench.append(group.stream(), 1)) as [NewEvent];
    const consumer = bench.consume(group, (delivery) =>
      delivery.retries === 0 ? undefined : delivery.ack(),
    );
    await consumer.untilDelivered(2);
    expect(consumer.deliveriesOf(event)).toHaveLength(2);
  });
}

function deletionCases(bench: Bench): void {
  const missing = { name: 'StoreError', code: 'invalid_request' };

  it('nobody can consume a group that was never there', async () => {
    await expect(bench.consume(bench.define()).ended()).rejects.toMatchObject(missing);
  });

  it('nobody can consume a deleted group, and who did is told', async () => {
    const group = await bench.group();
    const working = bench.consume(group);
    await bench.untilNextDelivered(group, working);
    await bench.opened.groups.deleteGroup(group.name);
    await expect(working.ended()).rejects.toMatchObject(missing);
    await expect(bench.consume(group).ended()).rejects.toMatchObject(missing);
  });

  it('of a missing group does nothing', async () => {
    const { groups } = bench.opened;
    await groups.deleteGroup(uniqueName('never'));
    const group = await bench.group();
    await groups.deleteGroup(group.name);
    await groups.deleteGroup(group.name);
  });

  it('forgets everything: a new group of the same name begins anew', async () => {
    const group = await bench.group();
    const { groups } = bench.opened;
    const events = await bench.parkNew(group, 2);
    await groups.deleteGroup(group.name);
    await groups.ensureGroup(group.settings);
    await eventually('nothing parked', async () => (await groups.countParked(group.name)) === 0);
    await bench.consume(group).untilGiven(events);
  });
}
