/** Reads of streams and of the whole log. */

import {
  BACKWARDS,
  binaryEvent,
  END,
  type EventData,
  eventTypeFilter,
  FORWARDS,
  type ResolvedEvent,
  START,
} from '@eventstore/db-client';
import { expect, it } from 'vitest';
import { collect, event, events, numbers, rejectionOf, startWithClient } from './double-client.ts';

it('reads a stream from any revision, both ways, up to a number', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(100));
  const read = async (options: Parameters<typeof client.readStream>[1]): Promise<number[]> =>
    numbers(await collect(client.readStream('a-1', options)));
  expect(await read({})).toEqual(events(100).map((_, n) => n));
  expect(await read({ fromRevision: 97n })).toEqual([97, 98, 99]);
  expect(await read({ fromRevision: 40n, maxCount: 3 })).toEqual([40, 41, 42]);
  expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([99, 98]);
  expect(await read({ direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0]);
  expect(await read({ direction: BACKWARDS, fromRevision: 500n, maxCount: 1 })).toEqual([99]);
  expect(await read({ fromRevision: 100n })).toEqual([]);
});

it('says when an event was recorded, and where it is in the log', async () => {
  const { client } = await startWithClient();
  const before = Date.now();
  await client.appendToStream('a-1', event(0));
  const [{ event: recorded } = {} as ResolvedEvent] = await collect(client.readStream('a-1'));
  const created = recorded?.created.getTime() ?? 0;
  expect(created).toBeGreaterThanOrEqual(before);
  expect(created).toBeLessThanOrEqual(Date.now());
  const [fromAll] = await collect(client.readAll({ maxCount: 1 }));
  expect(fromAll?.event?.position).toEqual(recorded?.position);
});

it('places events in the log at gaps that depend on their size, in the order of their commits', async () => {
  const { client } = await startWithClient();
  for (const stream of ['a-1', 'a-much-longer-name', 'b-1']) await client.appendToStream(stream, events(2));
  const all = await collect(client.readAll());
  const positions = all.map(({ commitPosition }) => commitPosition ?? 0n);
  expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)));
  const gaps = positions.slice(1).map((position, index) => position - (positions[index] as bigint));
  expect(new Set(gaps).size).toBeGreaterThan(1);
});

it('reads the log forwards with the event at the position, and backwards without it', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(3));
  const all = await collect(client.readAll());
  const fromPosition = all[1]?.event?.position;
  if (fromPosition === undefined) throw new Error('There is no second event.');
  expect(numbers(await collect(client.readAll({ direction: FORWARDS, fromPosition })))).toEqual([1, 2]);
  expect(numbers(await collect(client.readAll({ direction: BACKWARDS, fromPosition })))).toEqual([0]);
  expect(numbers(await collect(client.readAll({ direction: BACKWARDS, fromPosition: END })))).toEqual([
    2, 1, 0,
  ]);
  const before = { commit: fromPosition.commit, prepare: 0n };
  expect(numbers(await collect(client.readAll({ direction: BACKWARDS, fromPosition: before })))).toEqual([]);
});

it('fails at a position where nothing begins, and gives nothing behind the end', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(3));
  const [first] = await collect(client.readAll());
  const commit = (first?.commitPosition ?? 0n) + 1n;
  const fromPosition = { commit, prepare: commit };
  expect(await rejectionOf(collect(client.readAll({ fromPosition })))).toMatchObject({ code: 2 });
  const subscription = client.subscribeToAll({ fromPosition });
  expect(await rejectionOf(collect(subscription))).toMatchObject({ code: 3 });
  expect(await collect(client.readAll({ fromPosition: { commit: 999_999n, prepare: 999_999n } }))).toEqual(
    [],
  );
});

it('resolves links when asked, and leaves out the event of a link that leads nowhere', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(2));
  const link = (target: string): EventData => binaryEvent({ type: '$>', data: Buffer.from(target) });
  await client.appendToStream('links', [link('1@a-1'), link('9@a-1')]);
  const unresolved = await collect(client.readStream('links'));
  expect(unresolved.map(({ event: recorded }) => recorded?.type)).toEqual(['$>', '$>']);
  const resolved = await collect(client.readStream('links', { resolveLinkTos: true }));
  expect(numbers(resolved)).toEqual([1, -1]);
  expect(resolved.map(({ link: recorded }) => recorded?.streamId)).toEqual(['links', 'links']);
  await client.setStreamMetadata('a-1', { truncateBefore: 2 });
  expect(numbers(await collect(client.readStream('links', { resolveLinkTos: true })))).toEqual([-1, -1]);
});

it('links every event from its category and its type while the system projections run', async () => {
  const { client } = await startWithClient({ systemProjections: true });
  await client.appendToStream('bank-account-1', events(2));
  const ofCategory = await collect(client.readStream('$ce-bank', { resolveLinkTos: true }));
  expect(numbers(ofCategory)).toEqual([0, 1]);
  expect(numbers(await collect(client.readStream('$et-Counted', { resolveLinkTos: true })))).toEqual([0, 1]);
  expect(await collect(client.readAll({ fromPosition: START }))).toHaveLength(2 + 2 + 2 + 1);
});

it('shows system events in $all that a filter by type leaves out', async () => {
  const { double, client } = await startWithClient();
  await client.appendToStream('a-1', event(0));
  await client.setStreamMetadata('a-1', { maxCount: 1 });
  double.writeStatistics();
  const types = (await collect(client.readAll())).map(({ event: recorded }) => recorded?.type);
  expect(types).toEqual(['Counted', '$metadata', '$statsCollected']);
  const filter = eventTypeFilter({ regex: '^[^$]' });
  const subscription = client.subscribeToAll({ filter });
  const seen: (string | undefined)[] = [];
  subscription.on('data', (resolved) => seen.push(resolved.event?.type));
  await new Promise((resolve) => subscription.once('caughtUp', resolve));
  expect(seen).toEqual(['Counted']);
});

it('gives an event that calls itself JSON and is not as it is', async () => {
  const { double, client } = await startWithClient();
  double.writeUnreadable('a-1', 'Broken');
  const [read] = await collect(client.readStream('a-1'));
  expect(read?.event).toMatchObject({ type: 'Broken', isJson: true, data: '{"cut off' });
});
