/** Appends, by batch and one by one: expected revisions, repetition, limits, and what the answers say. */
import { randomUUID } from 'node:crypto';
import {
  ANY,
  type AppendExpectedRevision,
  type AppendToStreamOptions,
  binaryEvent,
  type EventData,
  type EventStoreDBClient,
  NO_STREAM,
  STREAM_EXISTS,
} from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { RecentEventIds } from '../support/kurrentdb-double/commit-check.ts';
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

// With credentials of its own a call goes by `Append`, without them by `BatchAppend`.
const ONE_BY_ONE = { credentials: { username: 'anybody', password: 'any' } };

type Append = (
  client: EventStoreDBClient,
  stream: string,
  data: EventData | EventData[],
  expectedRevision?: AppendExpectedRevision,
) => ReturnType<EventStoreDBClient['appendToStream']>;

function appendWith(options: AppendToStreamOptions): Append {
  return (client, stream, data, expectedRevision = ANY) =>
    client.appendToStream(stream, data as never, { ...options, expectedRevision });
}

describe.each([
  ['by batch', appendWith({})],
  ['one by one', appendWith(ONE_BY_ONE)],
])('appends %s', (_, append) => {
  it('answers with the last revision and its position in the log', async () => {
    const { client } = await startWithClient();
    await append(client, 'a-1', events(2));
    const { nextExpectedRevision, position } = await append(client, 'a-1', events(2), 1n);
    const [last] = await collect(client.readStream('a-1', { fromRevision: 3n }));
    expect(nextExpectedRevision).toBe(3n);
    expect(last?.event?.position).toEqual(position);
  });

  it('refuses what contradicts the stream, and names its revision', async () => {
    const { client } = await startWithClient();
    const conflict = async (expected: AppendExpectedRevision): Promise<unknown[]> => {
      const { type, actualVersion, expectedVersion } = await rejectionOf(
        append(client, 'a-1', event(0), expected),
      );
      return [type, actualVersion, expectedVersion];
    };
    expect(await conflict(STREAM_EXISTS)).toEqual(['wrong-expected-version', 'no_stream', 'stream_exists']);
    expect(await conflict(0n)).toEqual(['wrong-expected-version', 'no_stream', 0n]);
    await append(client, 'a-1', events(2), NO_STREAM);
    expect(await conflict(NO_STREAM)).toEqual(['wrong-expected-version', 1n, 'no_stream']);
    expect(await conflict(0n)).toEqual(['wrong-expected-version', 1n, 0n]);
    expect(await conflict(2n)).toEqual(['wrong-expected-version', 1n, 2n]);
    await append(client, 'a-1', event(2), STREAM_EXISTS);
    expect(await collect(client.readStream('a-1'))).toHaveLength(3);
  });

  it('answers a repetition at the same place as it did the first time, and writes nothing', async () => {
    const { client } = await startWithClient();
    for (const expected of [NO_STREAM, 1n] as const) {
      const batch = events(2);
      const first = await append(client, 'a-1', batch, expected);
      expect(await append(client, 'a-1', batch, expected)).toEqual(first);
    }
    expect(await collect(client.readStream('a-1'))).toHaveLength(4);
  });

  it('refuses what repeats an append in part', async () => {
    const { client } = await startWithClient();
    const batch = events(2);
    await append(client, 'a-1', batch, NO_STREAM);
    for (const partial of [
      [batch[0] as EventData, event(9)],
      [...batch, event(9)],
      [event(9), batch[1] as EventData],
    ]) {
      const error = await rejectionOf(append(client, 'a-1', partial, NO_STREAM));
      expect(error).toMatchObject({ type: 'wrong-expected-version', actualVersion: 1n });
    }
    expect(await rejectionOf(append(client, 'a-1', [batch[1] as EventData, event(9)], ANY))).toMatchObject({
      type: 'wrong-expected-version',
    });
  });

  it('knows a repetition at any revision by ids that it has seen lately in that stream', async () => {
    const { client } = await startWithClient();
    const one = event(1);
    const first = await append(client, 'a-1', one);
    await append(client, 'a-1', event(2));
    expect(await append(client, 'a-1', one)).toEqual(first);
    await append(client, 'a-2', one);
    expect(await collect(client.readStream('a-2'))).toHaveLength(1);
    expect(await collect(client.readStream('a-1'))).toHaveLength(2);
  });

  it('refuses an append that is too large, and takes one that is just not', async () => {
    const { client } = await startWithClient({ limits: { maxAppendSize: 1000 } });
    const sized = (bytes: number): EventData => binaryEvent({ type: 'T', data: new Uint8Array(bytes - 2) });
    await append(client, 'a-1', sized(1000));
    const error = await rejectionOf(append(client, 'a-1', [sized(500), sized(501)]));
    expect(error).toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1000 });
    expect(await collect(client.readStream('a-1'))).toHaveLength(1);
  });

  it('keeps bytes as bytes and JSON as JSON', async () => {
    const { client } = await startWithClient();
    const data = Uint8Array.from([0, 255, 1]);
    await append(client, 'a-1', [
      binaryEvent({ type: 'Raw', data, metadata: Uint8Array.from([9]) }),
      event(1),
    ]);
    const [raw, json] = await collect(client.readStream('a-1'));
    expect([raw?.event?.isJson, Buffer.from(raw?.event?.data as Uint8Array)]).toEqual([
      false,
      Buffer.from(data),
    ]);
    expect([json?.event?.isJson, json?.event?.data, json?.event?.metadata]).toEqual([
      true,
      { n: 1 },
      { m: 1 },
    ]);
  });

  it('fails on a stream with a tombstone', async () => {
    const { client } = await startWithClient();
    await append(client, 'a-1', event(0));
    await client.tombstoneStream('a-1');
    expect(await rejectionOf(append(client, 'a-1', event(1)))).toMatchObject({ type: 'stream-deleted' });
  });
});

it('appends many batches at once, each by itself', async () => {
  const { client } = await startWithClient();
  const streams = Array.from({ length: 50 }, (_, n) => `a-${n}`);
  const results = await Promise.allSettled(
    [...streams, 'a-0'].map((stream) =>
      client.appendToStream(stream, events(3), { expectedRevision: NO_STREAM }),
    ),
  );
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(await collect(client.readAll())).toHaveLength(50 * 3);
});

it('takes an append that arrives in several messages', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(20), { batchAppendSize: 100 });
  expect(numbers(await collect(client.readStream('a-1')))).toEqual(events(20).map((_, n) => n));
});

it('leaves out the position of a repetition whose events are gone', async () => {
  const { client } = await startWithClient();
  const batch = events(2);
  await client.appendToStream('a-1', batch, { expectedRevision: NO_STREAM });
  await client.setStreamMetadata('a-1', { truncateBefore: 2 });
  const again = await client.appendToStream('a-1', batch, { expectedRevision: NO_STREAM });
  expect(again).toMatchObject({ success: true, nextExpectedRevision: 1n, position: undefined });
});

it('forgets the ids it has seen when it restarts, but not what its streams hold', async () => {
  const stateFile = temporaryPath('state');
  const one = event(1, randomUUID());
  const two = event(2);
  const double = await startDouble({ stateFile });
  const client = connect(double.url);
  await client.appendToStream('a-1', one, { expectedRevision: NO_STREAM });
  await client.appendToStream('a-1', two, { expectedRevision: ANY });
  await client.dispose();
  await double.close();
  const again = connect((await startDouble({ stateFile })).url);
  expect((await again.appendToStream('a-1', one, { expectedRevision: NO_STREAM })).nextExpectedRevision).toBe(
    0n,
  );
  expect((await again.appendToStream('a-1', two, { expectedRevision: ANY })).nextExpectedRevision).toBe(2n);
});

it('remembers ids up to a size, the newest ones', () => {
  const recent = new RecentEventIds();
  const stream = 'a'.repeat(1024 * 1024);
  const remember = (id: string): void => {
    const bytes = new Uint8Array();
    const record = { id, type: 'T', isJson: false, data: bytes, metadata: bytes, stream };
    recent.remember({ ...record, revision: 0, position: 0, end: 1, created: 0 });
  };
  for (const id of ['1', '2', '3', '4', '5']) remember(id);
  expect([recent.revisionIn(stream, '1'), recent.revisionIn(stream, '5')]).toEqual([undefined, 0]);
});
