/** What every store of events must do, as tests: they run on each adapter, so they rely on the port alone. */

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  RecordedEvent,
  SubscribeOptions,
} from '../../src/event-sourcing/event-store.ts';
import {
  areIncreasing,
  collect,
  fillStream,
  idsIn,
  idsOf,
  mustAppend,
  newEvent,
  newEvents,
  newMetadata,
  uniqueName,
} from '../support/event-builders.ts';
import { settledHeapBytes } from '../support/live-heap.ts';
import { SubscriptionFollower } from '../support/subscription-follower.ts';

export interface OpenedStore {
  readonly store: EventStore;
  /** Closes the store and removes what it left behind. */
  dispose(): Promise<void>;
}

type StoreOf = () => EventStore;

const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Registers the suite for one adapter. Stores may be shared and hold other streams: every name here is new. */
export function describeEventStoreContract(name: string, openStore: () => Promise<OpenedStore>): void {
  describe(`event store contract on ${name}`, () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await openStore();
    });
    afterAll(() => opened.dispose());
    const storeOf = () => opened.store;

    describe('append', () => appendCases(storeOf));
    describe('expected revision', () => expectedRevisionCases(storeOf));
    describe('concurrent appends', () => concurrencyCases(storeOf));
    describe('idempotent retry', () => idempotencyCases(storeOf));
    describe('readStream', () => readStreamCases(storeOf));
    describe('readAll', () => readAllCases(storeOf));
    describe('subscribeToAll', () => subscriptionCases(storeOf));
    describe('back-pressure', () => backPressureCases(storeOf));
    describe('stream metadata', () => metadataCases(storeOf));
    describe('deleteStream', () => deletionCases(storeOf));
    describe('random histories', () => randomHistoryCases(storeOf));
    describe('close', () => closeCases(openStore));
  });
}

function appendCases(storeOf: StoreOf): void {
  it('to a new stream gives the whole envelope back', async () => {
    const store = storeOf();
    const stream = uniqueName('envelope');
    const event = newEvent({ metadata: newMetadata({ actor: 'teller', idempotency_key: 'key-1' }) });
    const appended = await mustAppend(store, stream, [event], 'no_stream');
    expect(appended.revision).toBe(0);
    expect(await collect(store.readStream(stream))).toEqual([
      {
        ...event,
        stream,
        revision: 0,
        position: appended.position,
        recordedAt: expect.stringMatching(RFC_3339_UTC),
      },
    ]);
  });

  it('of several events keeps them together and in order', async () => {
    const store = storeOf();
    const stream = uniqueName('several');
    const events = newEvents(25);
    const { revision, position } = await mustAppend(store, stream, events, 'no_stream');
    const read = await collect(store.readStream(stream));
    expect(idsOf(read)).toEqual(idsOf(events));
    expect(read.map((event) => event.revision)).toEqual(events.map((_, index) => index));
    expect(areIncreasing(read.map((event) => event.position))).toBe(true);
    expect(revision).toBe(24);
    expect(read.at(-1)?.position).toBe(position);
  });

  it('answers the revision and position of its last event, each append after the one before', async () => {
    const store = storeOf();
    const stream = uniqueName('answers');
    const results = [
      await mustAppend(store, stream, newEvents(2), 'no_stream'),
      await mustAppend(store, stream, newEvents(3), 1),
      await mustAppend(store, uniqueName('answers'), newEvents(1), 'no_stream'),
      await mustAppend(store, stream, newEvents(1), 4),
    ];
    expect(results.map((result) => result.revision)).toEqual([1, 4, 0, 5]);
    expect(areIncreasing(results.map((result) => result.position))).toBe(true);
  });

  it('of no events is refused and creates no stream', async () => {
    const store = storeOf();
    const stream = uniqueName('nothing');
    await expectStoreError(store.append(stream, [], 'any'), 'invalid_request');
    expect((await mustAppend(store, stream, newEvents(1), 'no_stream')).revision).toBe(0);
  });

  it.each([
    ['is cyclic', cyclicData()],
    ['has no JSON at all', { toJSON: () => undefined }],
  ])('whose data %s is refused as a whole, and hurts no other append', async (_, data) => {
    const store = storeOf();
    const [broken, sound] = [uniqueName('broken'), uniqueName('sound')];
    const answers = await Promise.allSettled([
      store.append(sound, newEvents(1), 'no_stream'),
      store.append(broken, [newEvent(), newEvent({ data })], 'no_stream'),
      store.append(sound, newEvents(1), 0),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { name: 'StoreError', code: 'invalid_request' } });
    expect(await idsIn(store, broken)).toEqual([]);
    expect(await idsIn(store, sound)).toHaveLength(2);
  });

  it('takes a snapshot of the events: changing them later changes nothing', async () => {
    const store = storeOf();
    const stream = uniqueName('mutated');
    const data = { amount: '1.00' };
    const appending = store.append(stream, [newEvent({ data })], 'no_stream');
    data.amount = '1000.00';
    await appending;
    expect((await collect(store.readStream(stream)))[0]?.data).toEqual({ amount: '1.00' });
  });

  it.each([
    ['unicode', { text: 'Zoë 日本語 🏦👩‍👩‍👧 \u0000 \u202e עברית e\u0301', 'clé ключ': '🔑' }],
    ['quotes and control characters', { text: '"\'\\\n\r\t\u2028</script>`', empty: '' }],
    ['nesting', { a: [{ b: [[{ c: null }], [], {}] }, true, false], d: { e: { f: { g: [1, 'x'] } } } }],
    ['large strings', { text: 'The quick brown fox 🦊 '.repeat(10_000) }],
    ['decimal strings', { amounts: ['0.10', '-0.00', '9007199254740993.01', '1e3', '007'] }],
    ['numbers', { numbers: [0, -1, 0.1, 1e21, 1.7976931348623157e308, 5e-324, 9007199254740991] }],
    ['an empty object', {}],
    ['a list', [1, { two: 2 }]],
  ])('keeps %s as JSON says', async (_, data) => {
    const store = storeOf();
    const stream = uniqueName('json');
    await mustAppend(store, stream, [newEvent({ data })], 'no_stream');
    expect((await collect(store.readStream(stream)))[0]?.data).toEqual(data);
  });

  it('keeps every field of the metadata', async () => {
    const store = storeOf();
    const stream = uniqueName('metadata');
    const metadata = newMetadata({
      actor: 'Zoë 🏦',
      idempotency_key: '"quoted"',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    await mustAppend(store, stream, [newEvent({ metadata })], 'no_stream');
    expect((await collect(store.readStream(stream)))[0]?.metadata).toEqual(metadata);
  });

  it('keeps streams apart whose names differ only in case, accents or an ending', async () => {
    const store = storeOf();
    const base = uniqueName('name');
    const names = [
      base,
      base.toUpperCase(),
      `${base}é`,
      `${base}e\u0301`,
      `${base} `,
      `${base}-1`,
      `${base}%_`,
    ];
    for (const name of names) await mustAppend(store, name, [newEvent({ data: { name } })], 'no_stream');
    for (const name of names) {
      const read = await collect(store.readStream(name));
      expect(read.map((event) => [event.stream, event.data])).toEqual([[name, { name }]]);
    }
  });

  it('moves the head position to at least its own', async () => {
    const store = storeOf();
    const first = await mustAppend(store, uniqueName('head'), newEvents(3), 'no_stream');
    const head = await store.headPosition();
    const second = await mustAppend(store, uniqueName('head'), newEvents(1), 'no_stream');
    expect(head).toBeGreaterThanOrEqual(first.position);
    expect(head).toBeLessThan(second.position);
  });
}

function expectedRevisionCases(storeOf: StoreOf): void {
  const conflictAt = (actual: number | 'no_stream') => ({ ok: false, conflict: { actual } });

  it.each<[string, ExpectedRevision]>([
    ['the newest revision', 2],
    ['stream_exists', 'stream_exists'],
    ['any', 'any'],
  ])('%s lets an append to an existing stream through', async (_, expected) => {
    const store = storeOf();
    const stream = uniqueName('existing');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    expect((await mustAppend(store, stream, newEvents(2), expected)).revision).toBe(4);
  });

  it.each<[string, ExpectedRevision]>([
    ['an older revision', 1],
    ['the first revision', 0],
    ['a revision to come', 3],
    ['a far revision', 1_000_000],
    ['no_stream', 'no_stream'],
  ])('%s is a conflict that names the newest revision, and nothing is written', async (_, expected) => {
    const store = storeOf();
    const stream = uniqueName('conflict');
    const events = newEvents(3);
    await mustAppend(store, stream, events, 'no_stream');
    expect(await store.append(stream, newEvents(2), expected)).toEqual(conflictAt(2));
    expect(await idsIn(store, stream)).toEqual(idsOf(events));
  });

  it.each<[string, ExpectedRevision]>([
    ['revision 0', 0],
    ['a later revision', 7],
    ['stream_exists', 'stream_exists'],
  ])('%s of a missing stream is a conflict that says so, and no stream appears', async (_, expected) => {
    const store = storeOf();
    const stream = uniqueName('missing');
    expect(await store.append(stream, newEvents(1), expected)).toEqual(conflictAt('no_stream'));
    expect(await idsIn(store, stream)).toEqual([]);
    expect((await mustAppend(store, stream, newEvents(1), 'no_stream')).revision).toBe(0);
  });

  it('any creates a missing stream', async () => {
    expect((await mustAppend(storeOf(), uniqueName('any'), newEvents(2), 'any')).revision).toBe(1);
  });

  it('after a conflict, the append at the named revision succeeds', async () => {
    const store = storeOf();
    const stream = uniqueName('again');
    await mustAppend(store, stream, newEvents(4), 'no_stream');
    const refused = await store.append(stream, newEvents(1), 1);
    const actual = refused.ok ? 'no_stream' : refused.conflict.actual;
    expect((await mustAppend(store, stream, newEvents(1), actual)).revision).toBe(4);
  });
}

function concurrencyCases(storeOf: StoreOf): void {
  it.each([2, 50])('%i racing creations: exactly one wins', async (racers) => {
    const store = storeOf();
    const stream = uniqueName('race');
    const events = newEvents(racers);
    const results = await Promise.all(events.map((event) => store.append(stream, [event], 'no_stream')));
    const winners = events.filter((_, index) => results[index]?.ok);
    expect(winners).toHaveLength(1);
    expect(await idsIn(store, stream)).toEqual(idsOf(winners));
    for (const lost of results.filter((result) => !result.ok)) {
      expect(lost).toEqual({ ok: false, conflict: { actual: 0 } });
    }
  });

  it('racing writers at one revision: one wins, and each round goes on from there', async () => {
    const store = storeOf();
    const stream = uniqueName('rounds');
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    for (let revision = 0; revision < 10; revision += 1) {
      const results = await Promise.all(
        Array.from({ length: 8 }, () => store.append(stream, newEvents(1), revision)),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
    }
    expect(await idsIn(store, stream)).toHaveLength(11);
  });

  it('a conflict fails its own append only', async () => {
    const store = storeOf();
    const streams = Array.from({ length: 60 }, () => uniqueName('mixed'));
    const taken = streams.filter((_, index) => index % 3 === 0);
    for (const stream of taken) await mustAppend(store, stream, newEvents(1), 'no_stream');
    const results = await Promise.all(
      streams.map((stream) => store.append(stream, newEvents(2), 'no_stream')),
    );
    for (const [index, stream] of streams.entries()) {
      const lost = taken.includes(stream);
      expect(results[index]?.ok).toBe(!lost);
      expect(await idsIn(store, stream)).toHaveLength(lost ? 1 : 2);
    }
  });

  it('several events of one append stay next to each other in their stream', async () => {
    const store = storeOf();
    const stream = uniqueName('together');
    const appends = Array.from({ length: 40 }, () => newEvents(3));
    const results = await Promise.all(appends.map((events) => store.append(stream, events, 'any')));
    const ids = await idsIn(store, stream);
    expect(ids).toHaveLength(120);
    for (const [index, events] of appends.entries()) {
      const { revision } = results[index] as { revision: number };
      expect(ids.slice(revision - 2, revision + 1)).toEqual(idsOf(events));
    }
  });

  it('each answer names the place where its event is read', async () => {
    const store = storeOf();
    const streams = Array.from({ length: 20 }, () => uniqueName('place'));
    const results = await Promise.all(
      streams.map((stream) => mustAppend(store, stream, newEvents(3), 'no_stream')),
    );
    for (const [index, stream] of streams.entries()) {
      const last = (await collect(store.readStream(stream))).at(-1);
      expect({ revision: last?.revision, position: last?.position }).toEqual(results[index]);
    }
  });
}

function idempotencyCases(storeOf: StoreOf): void {
  it.each<[string, number, ExpectedRevision]>([
    ['no_stream', 0, 'no_stream'],
    ['a concrete revision', 4, 3],
  ])('at %s answers as the first time and writes nothing', async (_, already, expected) => {
    const store = storeOf();
    const stream = uniqueName('retry');
    if (already > 0) await mustAppend(store, stream, newEvents(already), 'no_stream');
    const events = newEvents(3);
    const first = await store.append(stream, events, expected);
    expect(first).toMatchObject({ ok: true, revision: already + 2 });
    expect(await store.append(stream, events, expected)).toEqual(first);
    expect(await idsIn(store, stream)).toHaveLength(already + 3);
  });

  it.each<[string, ExpectedRevision]>([
    ['no_stream', 'no_stream'],
    ['a concrete revision', 0],
  ])('at %s is still recognised after further events', async (_, expected) => {
    const store = storeOf();
    const stream = uniqueName('late-retry');
    if (expected !== 'no_stream') await mustAppend(store, stream, newEvents(1), 'no_stream');
    const events = newEvents(2);
    const first = await mustAppend(store, stream, events, expected);
    await mustAppend(store, stream, newEvents(3), first.revision);
    const length = first.revision + 4;
    expect(await store.append(stream, events, expected)).toEqual({ ok: true, ...first });
    expect(await idsIn(store, stream)).toHaveLength(length);
  });

  it('while the first try is under way: both get the same answer, one is written', async () => {
    const store = storeOf();
    const stream = uniqueName('double');
    const events = newEvents(2);
    const results = await Promise.all([1, 2, 3].map(() => store.append(stream, events, 'no_stream')));
    expect(results[0]).toMatchObject({ ok: true, revision: 1 });
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(await idsIn(store, stream)).toEqual(idsOf(events));
  });

  it.each<[string, (first: readonly NewEvent[]) => NewEvent[]]>([
    ['other ids', () => newEvents(2)],
    ['the first id only', ([one]) => [one as NewEvent, newEvent()]],
    ['the last id only', ([, two]) => [newEvent(), two as NewEvent]],
    ['the same ids in another order', ([one, two]) => [two as NewEvent, one as NewEvent]],
    ['one id more', (first) => [...first, newEvent()]],
  ])('with %s is a conflict', async (_, changed) => {
    const store = storeOf();
    for (const expected of ['no_stream', 0] as const) {
      const stream = uniqueName('no-retry');
      if (expected === 0) await mustAppend(store, stream, newEvents(1), 'no_stream');
      const events = newEvents(2);
      const { revision } = await mustAppend(store, stream, events, expected);
      const refused = await store.append(stream, changed(events), expected);
      expect(refused).toEqual({ ok: false, conflict: { actual: revision } });
      expect(await idsIn(store, stream)).toHaveLength(revision + 1);
    }
  });

  it('at another expected revision is a conflict', async () => {
    const store = storeOf();
    const stream = uniqueName('elsewhere');
    const events = newEvents(1);
    await mustAppend(store, stream, newEvents(2), 'no_stream');
    await mustAppend(store, stream, events, 1);
    expect(await store.append(stream, events, 0)).toMatchObject({ ok: false });
    expect(await idsIn(store, stream)).toHaveLength(3);
  });

  it('in another stream is an append of its own', async () => {
    const store = storeOf();
    const events = newEvents(1);
    const [one, two] = [uniqueName('same-id'), uniqueName('same-id')];
    await mustAppend(store, one, events, 'no_stream');
    await mustAppend(store, two, events, 'no_stream');
    expect(await idsIn(store, two)).toEqual(idsOf(events));
  });
}

function readStreamCases(storeOf: StoreOf): void {
  const stream = uniqueName('long');
  const events = newEvents(1_300);
  const revisions = events.map((_, index) => index);
  beforeAll(async () => {
    await fillStream(storeOf(), stream, events);
  });
  const read = async (options: Parameters<EventStore['readStream']>[1]) =>
    (await collect(storeOf().readStream(stream, options))).map((event) => event.revision);

  it('gives the whole stream forwards, across pages', async () => {
    const all = await collect(storeOf().readStream(stream));
    expect(idsOf(all)).toEqual(idsOf(events));
    expect(all.map((event) => event.revision)).toEqual(revisions);
    expect(areIncreasing(all.map((event) => event.position))).toBe(true);
  });

  it('gives the whole stream backwards, across pages', async () => {
    const all = await collect(storeOf().readStream(stream, { direction: 'backwards' }));
    expect(idsOf(all)).toEqual(idsOf(events).reverse());
    expect(all.map((event) => event.revision)).toEqual(revisions.toReversed());
  });

  it('starts forwards at the asked revision, that one included', async () => {
    expect(await read({ from: 700 })).toEqual(revisions.slice(700));
    expect(await read({ from: 1_299 })).toEqual([1_299]);
  });

  it('starts backwards at the asked revision, that one included', async () => {
    expect(await read({ direction: 'backwards', from: 700 })).toEqual(revisions.slice(0, 701).toReversed());
    expect(await read({ direction: 'backwards', from: 0 })).toEqual([0]);
  });

  it.each([1, 2, 511, 512, 513, 1_024, 1_025, 1_299, 1_300, 5_000])(
    'stops after %i events',
    async (limit) => {
      expect(await read({ limit })).toEqual(revisions.slice(0, limit));
      expect(await read({ limit, direction: 'backwards' })).toEqual(revisions.toReversed().slice(0, limit));
    },
  );

  it('takes a start and a limit together', async () => {
    expect(await read({ from: 600, limit: 600 })).toEqual(revisions.slice(600, 1_200));
    expect(await read({ from: 600, limit: 3, direction: 'backwards' })).toEqual([600, 599, 598]);
  });

  it('gives nothing for a limit of 0', async () => {
    expect(await read({ limit: 0 })).toEqual([]);
  });

  it('gives nothing forwards from beyond the end, and everything backwards', async () => {
    expect(await read({ from: 1_300 })).toEqual([]);
    expect(await read({ from: 5_000, direction: 'backwards' })).toHaveLength(1_300);
  });

  it('gives nothing for a missing stream', async () => {
    const missing = uniqueName('missing');
    expect(await collect(storeOf().readStream(missing))).toEqual([]);
    expect(await collect(storeOf().readStream(missing, { direction: 'backwards', from: 3 }))).toEqual([]);
  });

  it('may be left early and read again', async () => {
    for await (const event of storeOf().readStream(stream)) {
      expect(event.revision).toBe(0);
      break;
    }
    expect(await read({ limit: 2 })).toEqual([0, 1]);
  });

  it('keeps two readers of one stream apart', async () => {
    const store = storeOf();
    const [one, two] = [store.readStream(stream), store.readStream(stream, { direction: 'backwards' })];
    const [forwards, backwards] = await Promise.all([collect(one), collect(two)]);
    expect(idsOf(forwards)).toEqual(idsOf(backwards).reverse());
  });

  it('sees its own writes at once', async () => {
    const store = storeOf();
    const own = uniqueName('own');
    for (let revision = 0; revision < 20; revision += 1) {
      const event = newEvent();
      await mustAppend(store, own, [event], revision === 0 ? 'no_stream' : revision - 1);
      expect((await collect(store.readStream(own, { direction: 'backwards', limit: 1 })))[0]?.id).toBe(
        event.id,
      );
    }
  });
}

function readAllCases(storeOf: StoreOf): void {
  const prefix = uniqueName('log');
  const placed: { id: string; position: bigint }[] = [];
  beforeAll(async () => {
    const store = storeOf();
    for (let round = 0; round < 240; round += 1) {
      const events = newEvents(5);
      const { position } = await mustAppend(store, `${prefix}-${round % 7}`, events, 'any');
      placed.push({ id: (events.at(-1) as NewEvent).id, position });
    }
  });
  const isOwn = (event: RecordedEvent) => event.stream.startsWith(prefix);
  const first = () => ownFirst(storeOf(), `${prefix}-0`);
  const last = () => (placed.at(-1) as { position: bigint }).position;

  it('forwards gives the events of all streams in the order of their appends', async () => {
    const all = await collect(storeOf().readAll({ from: await first() }));
    expect(areIncreasing(all.map((event) => event.position))).toBe(true);
    const own = all.filter(isOwn);
    expect(own).toHaveLength(1_200);
    expect(own.filter((_, index) => index % 5 === 4).map(({ id, position }) => ({ id, position }))).toEqual(
      placed,
    );
  });

  it('forwards gives the same events as the streams', async () => {
    const store = storeOf();
    const own = (await collect(store.readAll({ from: await first() }))).filter(isOwn);
    for (let number = 0; number < 7; number += 1) {
      const stream = `${prefix}-${number}`;
      const fromAll = own.filter((event) => event.stream === stream);
      expect(fromAll).toEqual(await collect(store.readStream(stream)));
    }
  });

  it('backwards gives the same events in the opposite order', async () => {
    const store = storeOf();
    const forwards = (await collect(store.readAll({ from: await first() }))).filter(isOwn);
    const backwards: RecordedEvent[] = [];
    for await (const event of store.readAll({ direction: 'backwards', from: last() })) {
      if (isOwn(event)) backwards.push(event);
      if (backwards.length === forwards.length) break;
    }
    expect(backwards).toEqual(forwards.toReversed());
  });

  it('starts at the asked position, that one included, in both directions', async () => {
    const store = storeOf();
    const { id, position } = placed[100] as { id: string; position: bigint };
    for (const direction of ['forwards', 'backwards'] as const) {
      const [event] = await collect(store.readAll({ direction, from: position, limit: 1 }));
      expect(event).toMatchObject({ id, position });
    }
  });

  it.each([1, 2, 511, 512, 513, 1_024])('stops after %i events', async (limit) => {
    const store = storeOf();
    for (const [direction, from] of [
      ['forwards', await first()],
      ['backwards', last()],
    ] as const) {
      const limited = await collect(store.readAll({ direction, from, limit }));
      const reference: RecordedEvent[] = [];
      for await (const event of store.readAll({ direction, from })) {
        if (reference.push(event) === limit) break;
      }
      expect(limited).toHaveLength(limit);
      expect(limited).toEqual(reference);
    }
  });

  it('without a start goes from the first event, or from the newest', async () => {
    const store = storeOf();
    const [oldest] = await collect(store.readAll({ limit: 1 }));
    const [newest] = await collect(store.readAll({ limit: 1, direction: 'backwards' }));
    expect(oldest?.position).toBeLessThanOrEqual(await first());
    expect(newest?.position).toBeGreaterThanOrEqual(last());
  });

  it('gives nothing for a limit of 0', async () => {
    expect(await collect(storeOf().readAll({ limit: 0 }))).toEqual([]);
  });
}

function subscriptionCases(storeOf: StoreOf): void {
  const followers: SubscriptionFollower[] = [];
  const follow = (options: Omit<SubscribeOptions, 'signal'> = {}) => {
    const follower = new SubscriptionFollower(storeOf(), options);
    followers.push(follower);
    return follower;
  };
  afterEach(async () => {
    await Promise.all(followers.splice(0).map((follower) => follower.stop()));
  });
  const backlog = uniqueName('backlog');
  const before = newEvents(3_000);
  beforeAll(async () => {
    await fillStream(storeOf(), backlog, before);
  });

  it('goes from the start to live without a gap or a duplicate while eight writers append', async () => {
    const store = storeOf();
    const prefix = uniqueName('live');
    const follower = follow({ streamPrefixes: [backlog, prefix] });
    const written = await Promise.all(
      Array.from({ length: 8 }, (_, writer) => writeManyAppends(store, `${prefix}-${writer}`, 100)),
    );
    const total = before.length + written.flat().length;
    await follower.until(`${total} events`, () => follower.events.length >= total);
    await sleep(50);
    expect(idsOf(follower.events).toSorted()).toEqual([...idsOf(before), ...written.flat()].toSorted());
    expect(areIncreasing(follower.events.map((event) => event.position))).toBe(true);
    for (const [writer, ids] of written.entries()) {
      const own = follower.events.filter((event) => event.stream === `${prefix}-${writer}`);
      expect(idsOf(own)).toEqual(ids);
    }
  });

  it('gives the same whole events as a read', async () => {
    const store = storeOf();
    const stream = uniqueName('whole');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    const follower = follow({ streamPrefixes: [stream] });
    await follower.until('3 events', () => follower.events.length === 3);
    await mustAppend(store, stream, newEvents(2), 2);
    await follower.until('5 events', () => follower.events.length === 5);
    expect(follower.events).toEqual(await collect(store.readStream(stream)));
  });

  it('starts after the asked position, that one excluded', async () => {
    const store = storeOf();
    const stream = uniqueName('after');
    await mustAppend(store, stream, newEvents(5), 'no_stream');
    const read = await collect(store.readStream(stream));
    const follower = follow({ streamPrefixes: [stream], after: (read[2] as RecordedEvent).position });
    await follower.until('2 events', () => follower.events.length >= 2);
    expect(idsOf(follower.events)).toEqual(idsOf(read.slice(3)));
  });

  it('gives only streams that begin with one of the prefixes', async () => {
    const store = storeOf();
    const base = uniqueName('filter');
    const names = ['one-1', 'two-1', 'three-1', 'one-2', 'on', 'xone-1', 'two'].map(
      (name) => `${base}-${name}`,
    );
    names.push(`x${base}-one-1`);
    for (const name of names) await mustAppend(store, name, newEvents(1), 'no_stream');
    const follower = follow({ streamPrefixes: [`${base}-one-`, `${base}-two`] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    expect(follower.events.map((event) => event.stream)).toEqual(
      ['one-1', 'two-1', 'one-2', 'two'].map((name) => `${base}-${name}`),
    );
  });

  it('takes the letters of a prefix as they are', async () => {
    const store = storeOf();
    const base = uniqueName('literal');
    for (const end of ['a_c', 'abc', 'a%c', 'a.c', 'A_C']) {
      await mustAppend(store, `${base}${end}`, newEvents(1), 'no_stream');
    }
    const follower = follow({ streamPrefixes: [`${base}a_`, `${base}a.`] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    expect(follower.events.map((event) => event.stream)).toEqual([`${base}a_c`, `${base}a.c`]);
  });

  it('without prefixes gives every stream', async () => {
    const store = storeOf();
    const base = uniqueName('every');
    const start = await mustAppend(store, `${base}-start`, newEvents(1), 'no_stream');
    const events = newEvents(3);
    for (const [index, event] of events.entries()) {
      await mustAppend(store, `${base}-${index}`, [event], 'no_stream');
    }
    const follower = follow({ after: start.position });
    const own = () => follower.events.filter((event) => event.stream.startsWith(base));
    await follower.until('3 events', () => own().length >= 3);
    expect(idsOf(own())).toEqual(idsOf(events));
  });

  it('moves its position through filtered-out events, so an idle one reaches the head', async () => {
    const store = storeOf();
    const follower = follow({ streamPrefixes: [uniqueName('idle')] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    const { position } = await fillStream(store, uniqueName('noise'), newEvents(700));
    await follower.until('the head', () => follower.hasReached(position));
    expect(follower.events).toEqual([]);
  });

  it('never moves its position back, nor before an event it has given', async () => {
    const store = storeOf();
    const prefix = uniqueName('monotonous');
    const follower = follow({ streamPrefixes: [prefix] });
    for (let round = 0; round < 30; round += 1) {
      await mustAppend(store, round % 2 ? `${prefix}-a` : uniqueName('other'), newEvents(2), 'any');
    }
    await follower.until('30 events', () => follower.events.length >= 30);
    let seen = 0n;
    for (const { events, position } of follower.batches) {
      for (const event of events) {
        expect(event.position).toBeGreaterThan(seen);
        expect(event.position).toBeLessThanOrEqual(position);
      }
      expect(position).toBeGreaterThanOrEqual(seen);
      seen = position;
    }
  });

  it('says that it has caught up only after what was there', async () => {
    const follower = follow({ streamPrefixes: [backlog] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    const until = follower.batches.findIndex((batch) => batch.caughtUp);
    expect(follower.batches.slice(0, until + 1).flatMap((batch) => batch.events)).toHaveLength(before.length);
  });

  it('says that it has caught up even when there is nothing for it', async () => {
    const store = storeOf();
    const { position } = await mustAppend(store, uniqueName('newest'), newEvents(1), 'no_stream');
    const follower = follow({ after: position, streamPrefixes: [uniqueName('nothing')] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    expect(follower.events).toEqual([]);
    expect(follower.hasReached(position)).toBe(true);
  });

  it('resumes from the position of any event with exactly the rest', async () => {
    const store = storeOf();
    const prefix = uniqueName('resume');
    for (let round = 0; round < 12; round += 1) {
      await mustAppend(store, `${prefix}-${round % 3}`, newEvents(1), 'any');
      await mustAppend(store, uniqueName('between'), newEvents(1), 'no_stream');
    }
    const whole = follow({ streamPrefixes: [prefix] });
    await whole.until('12 events', () => whole.events.length >= 12);
    for (const [index, event] of whole.events.entries()) {
      const rest = follow({ streamPrefixes: [prefix], after: event.position });
      await rest.until('caught up', () => rest.hasCaughtUp);
      expect(rest.events).toEqual(whole.events.slice(index + 1));
    }
  });

  it('resumes from the position of any batch with exactly the rest', async () => {
    const store = storeOf();
    const prefix = uniqueName('checkpoint');
    const whole = follow({ streamPrefixes: [backlog, prefix] });
    await whole.until('caught up', () => whole.hasCaughtUp);
    for (let round = 1; round < 6; round += 1) {
      const { position } = await mustAppend(store, `${prefix}-${round}`, newEvents(2), 'no_stream');
      await whole.until('the new events', () => whole.hasReached(position));
    }
    let given = 0;
    for (const batch of whole.batches) {
      given += batch.events.length;
      const rest = follow({ streamPrefixes: [backlog, prefix], after: batch.position });
      await rest.until('caught up', () => rest.hasCaughtUp);
      expect(idsOf(rest.events)).toEqual(idsOf(whole.events.slice(given)));
    }
  });

  it('gives every subscription everything', async () => {
    const store = storeOf();
    const stream = uniqueName('fan-out');
    const three = [1, 2, 3].map(() => follow({ streamPrefixes: [stream] }));
    const ids = await writeManyAppends(store, stream, 30);
    for (const follower of three) {
      await follower.until('all events', () => follower.events.length >= ids.length);
      expect(idsOf(follower.events)).toEqual(ids);
    }
  });

  it('ends at once, with nothing, when it was aborted before', async () => {
    const subscription = storeOf().subscribeToAll({ signal: AbortSignal.abort() });
    expect(await within(1_000, collect(subscription))).toEqual([]);
  });

  it('ends promptly when it is aborted while it waits', async () => {
    const follower = new SubscriptionFollower(storeOf(), { streamPrefixes: [uniqueName('waits')] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    await sleep(100);
    await within(500, follower.stop());
  });

  it('ends promptly when it is aborted while its consumer works', async () => {
    const store = storeOf();
    const abort = new AbortController();
    let batches = 0;
    const consume = async () => {
      for await (const { events } of store.subscribeToAll({
        signal: abort.signal,
        streamPrefixes: [backlog],
      })) {
        if (events.length === 0) continue;
        batches += 1;
        abort.abort();
      }
    };
    await within(1_000, consume());
    expect(batches).toBe(1);
  });

  it('ends when its consumer leaves, and the store goes on', async () => {
    const store = storeOf();
    const stream = uniqueName('leaves');
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    const { signal } = new AbortController();
    for await (const { caughtUp } of store.subscribeToAll({ signal, streamPrefixes: [stream] })) {
      if (caughtUp) break;
    }
    expect((await mustAppend(store, stream, newEvents(1), 0)).revision).toBe(1);
  });

  it('goes past the place of removed events', async () => {
    const store = storeOf();
    const stream = uniqueName('removed');
    const idle = follow({ streamPrefixes: [stream] });
    await idle.until('caught up', () => idle.hasCaughtUp);
    // The deletion comes first of all that the append wakes, so the subscription never gets to see the events.
    const appended = store.append(stream, newEvents(3), 'no_stream');
    await appended.then(() => store.deleteStream(stream));
    const { position } = (await appended) as { position: bigint };
    await idle.until('the place of the removed events', () => idle.hasReached(position));
    const late = follow({ streamPrefixes: [stream] });
    await late.until('the place of the removed events', () => late.hasReached(position));
  });
}

function backPressureCases(storeOf: StoreOf): void {
  const MEGABYTE = 1_048_576;

  it('a subscription whose consumer stands still holds no growing pile of events', async () => {
    const store = storeOf();
    const stream = uniqueName('slow');
    const text = 'x'.repeat(4_096);
    await mustAppend(store, stream, [newEvent({ data: { text } })], 'no_stream');
    const abort = new AbortController();
    const subscription = store.subscribeToAll({ signal: abort.signal, streamPrefixes: [stream] });
    const batches = subscription[Symbol.asyncIterator]();
    let seen = 0;
    while (seen === 0) seen += (await batches.next()).value.events.length;

    const before = await settledHeapBytes();
    for (let round = 0; round < 50; round += 1) {
      await mustAppend(store, stream, newEvents(100, { data: { text } }), round * 100);
    }
    // 20 megabytes have been written; whatever would collect them in the background has the time to do so.
    expect((await settledHeapBytes()) - before).toBeLessThan(8 * MEGABYTE);

    while (seen < 5_001) seen += (await batches.next()).value.events.length;
    expect(seen).toBe(5_001);
    abort.abort();
    await batches.next();
  });

  it.each(['readStream', 'readAll'] as const)(
    'a %s whose consumer stands still holds little',
    async (method) => {
      const store = storeOf();
      const stream = uniqueName('standing');
      const events = newEvents(2_000, { data: { text: 'x'.repeat(4_096) } });
      await fillStream(store, stream, events);
      const from = await ownFirst(store, stream);
      const before = await settledHeapBytes();
      const iterable = method === 'readStream' ? store.readStream(stream) : store.readAll({ from });
      const iterator = iterable[Symbol.asyncIterator]();
      await iterator.next();
      expect((await settledHeapBytes()) - before).toBeLessThan(5 * MEGABYTE);
      await iterator.return?.();
    },
  );
}

function metadataCases(storeOf: StoreOf): void {
  const revisionsOf = async (stream: string, direction: 'forwards' | 'backwards' = 'forwards') =>
    (await collect(storeOf().readStream(stream, { direction }))).map((event) => event.revision);

  it('is empty at first, and reads back as it was set', async () => {
    const store = storeOf();
    const stream = uniqueName('settings');
    expect(await store.getStreamMetadata(stream)).toEqual({});
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    expect(await store.getStreamMetadata(stream)).toEqual({});
    await store.setStreamMetadata(stream, { maxCount: 10, maxAge: 3_600, truncateBefore: 0 });
    expect(await store.getStreamMetadata(stream)).toEqual({ maxCount: 10, maxAge: 3_600, truncateBefore: 0 });
    await store.setStreamMetadata(stream, { maxCount: 20 });
    expect(await store.getStreamMetadata(stream)).toEqual({ maxCount: 20 });
  });

  it('may be set before the stream exists, without creating it', async () => {
    const store = storeOf();
    const stream = uniqueName('early');
    await store.setStreamMetadata(stream, { maxCount: 2 });
    expect(await revisionsOf(stream)).toEqual([]);
    expect(await store.append(stream, newEvents(1), 'stream_exists')).toMatchObject({ ok: false });
    await mustAppend(store, stream, newEvents(5), 'no_stream');
    expect(await revisionsOf(stream)).toEqual([3, 4]);
  });

  it('maxCount keeps the newest events, those to come included', async () => {
    const store = storeOf();
    const stream = uniqueName('max-count');
    const { revision } = await mustAppend(store, stream, newEvents(5), 'no_stream');
    await store.setStreamMetadata(stream, { maxCount: 2 });
    expect(await revisionsOf(stream)).toEqual([3, 4]);
    expect(await revisionsOf(stream, 'backwards')).toEqual([4, 3]);
    await mustAppend(store, stream, newEvents(1), revision);
    expect(await revisionsOf(stream)).toEqual([4, 5]);
    await mustAppend(store, stream, newEvents(3), 5);
    expect(await revisionsOf(stream)).toEqual([7, 8]);
  });

  it('maxCount and a limit together give the oldest of what is kept', async () => {
    const store = storeOf();
    const stream = uniqueName('max-count-limit');
    await mustAppend(store, stream, newEvents(6), 'no_stream');
    await store.setStreamMetadata(stream, { maxCount: 3 });
    const read = await collect(store.readStream(stream, { from: 0, limit: 2 }));
    expect(read.map((event) => event.revision)).toEqual([3, 4]);
  });

  it('without maxCount again keeps all that comes', async () => {
    const store = storeOf();
    const stream = uniqueName('unlimited');
    await store.setStreamMetadata(stream, { maxCount: 1 });
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.setStreamMetadata(stream, {});
    await mustAppend(store, stream, newEvents(3), 2);
    expect((await revisionsOf(stream)).slice(-4)).toEqual([2, 3, 4, 5]);
  });

  it('maxAge hides events once they are older, and keeps younger ones', async () => {
    const store = storeOf();
    const stream = uniqueName('max-age');
    await store.setStreamMetadata(stream, { maxAge: 1 });
    await mustAppend(store, stream, newEvents(2), 'no_stream');
    expect(await revisionsOf(stream)).toEqual([0, 1]);
    await sleep(1_100);
    expect(await revisionsOf(stream)).toEqual([]);
    expect(await revisionsOf(stream, 'backwards')).toEqual([]);
    await mustAppend(store, stream, newEvents(1), 'any');
    expect(await revisionsOf(stream)).toEqual([2]);
  });

  it('truncateBefore hides older revisions, and the stream goes on', async () => {
    const store = storeOf();
    const stream = uniqueName('truncated');
    await mustAppend(store, stream, newEvents(5), 'no_stream');
    await store.setStreamMetadata(stream, { truncateBefore: 3 });
    expect(await revisionsOf(stream)).toEqual([3, 4]);
    expect(await revisionsOf(stream, 'backwards')).toEqual([4, 3]);
    expect((await mustAppend(store, stream, newEvents(1), 4)).revision).toBe(5);
    expect(await revisionsOf(stream)).toEqual([3, 4, 5]);
  });

  it('leaves other streams alone', async () => {
    const store = storeOf();
    const [one, two] = [uniqueName('cut'), uniqueName('uncut')];
    for (const stream of [one, two]) await mustAppend(store, stream, newEvents(4), 'no_stream');
    await store.setStreamMetadata(one, { maxCount: 1 });
    expect(await revisionsOf(one)).toEqual([3]);
    expect(await revisionsOf(two)).toEqual([0, 1, 2, 3]);
  });
}

function deletionCases(storeOf: StoreOf): void {
  it('empties the stream in both directions', async () => {
    const store = storeOf();
    const stream = uniqueName('deleted');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.deleteStream(stream);
    expect(await collect(store.readStream(stream))).toEqual([]);
    expect(await collect(store.readStream(stream, { direction: 'backwards' }))).toEqual([]);
  });

  it('lets the stream be created again, with revisions and positions that go on', async () => {
    const store = storeOf();
    const stream = uniqueName('reborn');
    const before = await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.deleteStream(stream);
    const events = newEvents(2);
    const after = await mustAppend(store, stream, events, 'no_stream');
    expect(after.revision).toBe(4);
    expect(after.position).toBeGreaterThan(before.position);
    const read = await collect(store.readStream(stream));
    expect(read.map((event) => [event.id, event.revision])).toEqual([
      [events[0]?.id, 3],
      [events[1]?.id, 4],
    ]);
    expect((await mustAppend(store, stream, newEvents(1), 4)).revision).toBe(5);
  });

  it('may be done again and again', async () => {
    const store = storeOf();
    const stream = uniqueName('cycle');
    for (let round = 0; round < 3; round += 1) {
      expect((await mustAppend(store, stream, newEvents(1), 'no_stream')).revision).toBe(round);
      await store.deleteStream(stream);
      await store.deleteStream(stream);
      expect(await idsIn(store, stream)).toEqual([]);
    }
  });

  it('of a missing stream changes nothing', async () => {
    const store = storeOf();
    const stream = uniqueName('never');
    await store.deleteStream(stream);
    expect((await mustAppend(store, stream, newEvents(1), 'no_stream')).revision).toBe(0);
  });

  it('leaves other streams and the log behind it alone', async () => {
    const store = storeOf();
    const prefix = uniqueName('neighbour');
    const start = await mustAppend(store, `${prefix}-a`, newEvents(1), 'no_stream');
    await mustAppend(store, `${prefix}-b`, newEvents(2), 'no_stream');
    await mustAppend(store, `${prefix}-c`, newEvents(3), 'no_stream');
    await store.deleteStream(`${prefix}-b`);
    const rest = await collect(store.readAll({ from: start.position }));
    const kept = rest.filter((event) => event.stream === `${prefix}-a` || event.stream === `${prefix}-c`);
    expect(kept.map((event) => event.revision)).toEqual([0, 0, 1, 2]);
  });
}

function randomHistoryCases(storeOf: StoreOf): void {
  const runs = { numRuns: 30 };
  const streamNumber = fc.nat({ max: 2 });
  const append = fc.record({
    stream: streamNumber,
    count: fc.integer({ min: 1, max: 3 }),
    expected: fc.oneof(
      fc.constantFrom<ExpectedRevision>('no_stream', 'stream_exists', 'any'),
      fc.integer({ min: 0, max: 8 }),
      fc.constant('right' as const),
    ),
    /** Sends this earlier append again instead, when there is one. */
    again: fc.option(fc.nat({ max: 5 }), { freq: 3 }),
  });

  it('one append after another: each answer and each stream is as a simple model says', async () => {
    const store = storeOf();
    await fc.assert(
      fc.asyncProperty(fc.array(append, { minLength: 1, maxLength: 15 }), async (commands) => {
        const prefix = uniqueName('model');
        const model = [0, 1, 2].map((number) => ({ name: `${prefix}-${number}`, ids: [] as string[] }));
        const sent: { events: NewEvent[]; stream: number; expected: ExpectedRevision; answer: unknown }[] =
          [];
        for (const command of commands) {
          const earlier = sent[command.again ?? -1];
          if (earlier) {
            const { name } = model[earlier.stream] as (typeof model)[number];
            expect(await store.append(name, earlier.events, earlier.expected)).toEqual(earlier.answer);
            continue;
          }
          const { name, ids } = model[command.stream] as (typeof model)[number];
          const right = ids.length === 0 ? 'no_stream' : ids.length - 1;
          const expected = command.expected === 'right' ? right : command.expected;
          const events = newEvents(command.count);
          const answer = await store.append(name, events, expected);
          if (!modelAccepts(expected, ids.length)) {
            expect(answer).toEqual({ ok: false, conflict: { actual: right } });
            continue;
          }
          ids.push(...idsOf(events));
          expect(answer).toMatchObject({ ok: true, revision: ids.length - 1 });
          if (typeof expected === 'number' || expected === 'no_stream') {
            sent.push({ events, stream: command.stream, expected, answer });
          }
        }
        for (const { name, ids } of model) expect(await idsIn(store, name)).toEqual(ids);
      }),
      runs,
    );
  });

  it('all appends at once: whatever the order was, the log agrees with every answer', async () => {
    const store = storeOf();
    await fc.assert(
      fc.asyncProperty(fc.array(append, { minLength: 2, maxLength: 25 }), async (commands) => {
        const prefix = uniqueName('crowd');
        const appends = commands.map((command) => ({
          stream: `${prefix}-${command.stream}`,
          events: newEvents(command.count),
          expected: command.expected === 'right' ? 'no_stream' : command.expected,
        }));
        const answers = await Promise.all(
          appends.map(({ stream, events, expected }) => store.append(stream, events, expected)),
        );
        const logs = await Promise.all(
          [0, 1, 2].map(
            async (number) => [`${prefix}-${number}`, await idsIn(store, `${prefix}-${number}`)] as const,
          ),
        );
        const log = new Map<string, string[]>(logs);
        let written = 0;
        for (const [index, { stream, events, expected }] of appends.entries()) {
          const answer = answers[index] as AppendResult;
          const ids = log.get(stream) ?? [];
          if (!answer.ok) {
            expect(expected).not.toBe('any');
            expect(ids.some((id) => idsOf(events).includes(id))).toBe(false);
            continue;
          }
          written += events.length;
          const start = answer.revision - events.length + 1;
          expect(ids.slice(start, answer.revision + 1)).toEqual(idsOf(events));
          expect(modelAccepts(expected, start)).toBe(true);
        }
        expect(logs.flatMap(([, ids]) => ids)).toHaveLength(written);
      }),
      runs,
    );
  });
}

function closeCases(openStore: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  beforeAll(async () => {
    opened = await openStore();
  });
  afterAll(() => opened.dispose());

  it('ends a subscription that waits, and every later call says closed', async () => {
    const { store } = opened;
    const stream = uniqueName('closing');
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    const follower = new SubscriptionFollower(store, { streamPrefixes: [stream] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    const { signal } = new AbortController();

    await store.close();
    await expectStoreError(within(500, follower.ended()), 'closed');
    await expectStoreError(store.append(stream, newEvents(1), 'any'), 'closed');
    await expectStoreError(collect(store.readStream(stream)), 'closed');
    await expectStoreError(collect(store.readAll()), 'closed');
    await expectStoreError(collect(store.subscribeToAll({ signal })), 'closed');
    await expectStoreError(store.headPosition(), 'closed');
    await expectStoreError(store.getStreamMetadata(stream), 'closed');
    await expectStoreError(store.setStreamMetadata(stream, {}), 'closed');
    await expectStoreError(store.deleteStream(stream), 'closed');
    await store.close();
  });
}

async function expectStoreError(work: Promise<unknown>, code: string): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'StoreError', code });
}

/** Fails instead of hanging when something does not end in time. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`It did not end within ${milliseconds} ms.`);
  });
  // The timer loses as a rule, and then nobody waits for its rejection.
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

/** Appends of one to three events, one after another at their exact revisions; answers all ids. */
async function writeManyAppends(store: EventStore, stream: string, appends: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < appends; number += 1) {
    const events = newEvents(1 + (number % 3));
    await mustAppend(store, stream, events, ids.length === 0 ? 'no_stream' : ids.length - 1);
    ids.push(...idsOf(events));
  }
  return ids;
}

/** The position of a stream's first event: where a test's own part of the log begins. */
async function ownFirst(store: EventStore, stream: string): Promise<bigint> {
  const [first] = await collect(store.readStream(stream, { limit: 1 }));
  return (first as RecordedEvent).position;
}

/** The rule of expected revisions on a stream of so many events, none removed. */
function modelAccepts(expected: ExpectedRevision, length: number): boolean {
  if (expected === 'any') return true;
  if (expected === 'no_stream') return length === 0;
  if (expected === 'stream_exists') return length > 0;
  return expected === length - 1;
}

function cyclicData(): object {
  const data: { self?: object } = {};
  data.self = data;
  return data;
}
