/** What our events look like to other tools of the server, and what becomes of events that others have written. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { UNREADABLE_EVENT_TYPE } from '../../../src/event-sourcing/event-store.ts';
import {
  collect,
  mustAppend,
  newEvent,
  newEvents,
  newMetadata,
  uniqueName,
} from '../../support/event-builders.ts';
import { eventually } from '../../support/eventually.ts';
import type { KurrentDbDouble } from '../../support/kurrentdb-double/index.ts';
import { follow, startDoubleAndStore } from './with-double.ts';

describe('an event on the wire', () => {
  it('is JSON and names its correlation and causation as the server’s own tools expect', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('wire');
    const event = newEvent({ metadata: newMetadata({ actor: 'teller' }) });
    await mustAppend(store, stream, [event], 'no_stream');
    const client = EventStoreDBClient.connectionString(double.url);
    const [seen] = await collect(client.readStream(stream));
    expect(seen?.event).toMatchObject({
      id: event.id,
      type: event.type,
      isJson: true,
      data: event.data,
      metadata: {
        ...event.metadata,
        $correlationId: event.metadata.correlation_id,
        $causationId: event.metadata.causation_id,
      },
    });
    expect((await collect(store.readStream(stream)))[0]).toMatchObject({
      recordedAt: seen?.event?.created.toISOString(),
    });
    expect((await collect(store.readStream(stream)))[0]?.metadata).toEqual(event.metadata);
    await client.dispose();
  });
});

describe('an event that cannot be read', () => {
  const readable = JSON.stringify(newMetadata());
  it.each<[string, { data?: string; metadata?: string; isJson?: boolean }]>([
    ['has data that are no JSON', { data: '{"amount":' }],
    ['has data that are no object', { data: '"text"' }],
    ['has no metadata', { metadata: '' }],
    ['has metadata that are no JSON', { metadata: 'none' }],
    ['has metadata of somebody else', { metadata: '{"$correlationId":"x"}' }],
    ['is not JSON at all', { isJson: false }],
  ])(
    'because it %s stops a read, unless it is to be handed on, and is handed on by a subscription',
    async (_, { data, metadata, isJson }) => {
      const { double, store } = await startDoubleAndStore();
      const stream = uniqueName('damaged');
      const [before, after] = [newEvents(1), newEvents(1)];
      await mustAppend(store, stream, before, 'no_stream');
      writeRaw(double, stream, {
        data: data ?? '{}',
        metadata: metadata ?? readable,
        isJson: isJson ?? true,
      });
      await mustAppend(store, stream, after, 1);

      const follower = follow(store, { streamPrefixes: [stream] });
      await follower.until('3 events', () => follower.events.length >= 3);
      const seen = [
        [0, before[0]?.type],
        [1, UNREADABLE_EVENT_TYPE],
        [2, after[0]?.type],
      ];
      expect(follower.events.map((event) => [event.revision, event.type])).toEqual(seen);
      const read = await collect(store.readStream(stream, { unreadable: 'handed_on' }));
      expect(read.map((event) => [event.revision, event.type])).toEqual(seen);
      const corrupt = {
        name: 'StoreError',
        code: 'corrupt',
        message: expect.stringContaining(`revision 1 of ${stream}`),
      };
      await expect(collect(store.readStream(stream))).rejects.toMatchObject(corrupt);
      await expect(collect(store.readAll())).rejects.toMatchObject(corrupt);
      expect(await collect(store.readStream(stream, { from: 2 }))).toHaveLength(1);
    },
  );
});

describe('the server’s own events', () => {
  it('are seen by nobody: neither links, nor metadata, nor links in ordinary streams', async () => {
    const { double, store } = await startDoubleAndStore({ systemProjections: true });
    const stream = uniqueName('plain');
    await mustAppend(store, stream, newEvents(2), 'no_stream');
    await store.setStreamMetadata(stream, { maxCount: 10 });
    const client = EventStoreDBClient.connectionString(double.url);
    await client.appendToStream(uniqueName('links'), jsonEvent({ type: '$>', data: {} }));
    await client.dispose();
    await mustAppend(store, stream, newEvents(1), 1);
    const follower = follow(store);
    await follower.until('caught up', () => follower.hasCaughtUp);
    for (const seen of [
      follower.events,
      await collect(store.readAll()),
      (await collect(store.readAll({ direction: 'backwards' }))).toReversed(),
    ]) {
      expect(seen.map((event) => [event.stream, event.revision])).toEqual(
        [0, 1, 2].map((one) => [stream, one]),
      );
    }
  });

  it('may end the log in any number: its head is found at once, and behind nothing that was handed over', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('before-noise');
    const { position } = await mustAppend(store, stream, newEvents(1), 'no_stream');
    for (let round = 0; round < 2_000; round += 1) {
      writeRaw(double, '$noise', { data: '{}', metadata: '', isJson: true });
    }
    const head = await store.headPosition();
    expect(head).toBeGreaterThan(position);
    const follower = follow(store, { streamPrefixes: [stream] });
    await follower.until('the head', () => follower.hasReached(head ?? 0n));
    expect(follower.position).toBeLessThanOrEqual((await store.headPosition()) ?? 0n);
  });
});

describe('the metadata of a stream', () => {
  it('keeps what others have put there', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('shared-settings');
    const client = EventStoreDBClient.connectionString(double.url);
    await client.setStreamMetadata(stream, {
      maxAge: 60,
      owner: 'somebody',
      acl: { readRoles: ['$admins'] },
    });
    await store.setStreamMetadata(stream, { maxCount: 3 });
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({
      maxCount: 3,
      owner: 'somebody',
      acl: { readRoles: ['$admins'] },
    });
    await client.dispose();
  });

  it('of a deleted stream does not bring its events back', async () => {
    const { store } = await startDoubleAndStore();
    const stream = uniqueName('stays-deleted');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.deleteStream(stream);
    expect(await store.getStreamMetadata(stream)).toEqual({});
    await store.setStreamMetadata(stream, { maxCount: 10 });
    expect(await collect(store.readStream(stream))).toEqual([]);
  });

  it('is changed by many at once without losing a change of others', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('contended');
    double.faults.failWrites('drop_after_commit');
    await Promise.all([1, 2, 3, 4].map((maxCount) => store.setStreamMetadata(stream, { maxCount })));
    expect((await store.getStreamMetadata(stream)).maxCount).toBeGreaterThan(0);
  });

  it('may be replaced by another before a lost answer is asked for again', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('replaced');
    double.faults.failWrites('drop_after_commit');
    const setting = store.setStreamMetadata(stream, { maxCount: 1 });
    await eventually('the first change', async () => 'maxCount' in (await store.getStreamMetadata(stream)));
    writeRaw(double, `$$${stream}`, { data: '{"$maxCount":2}', metadata: '', isJson: true });
    await setting;
    expect(await store.getStreamMetadata(stream)).toEqual({ maxCount: 2 });
  });
});

/** Writes past the client, as a program may that knows nothing of us. */
function writeRaw(
  double: KurrentDbDouble,
  stream: string,
  event: { data: string; metadata: string; isJson: boolean },
): void {
  const ANY = -2;
  const { data, metadata, isJson } = event;
  double.store.write(stream, ANY, [
    {
      id: newEvent().id,
      type: 'RawEventV1',
      isJson,
      data: Buffer.from(data),
      metadata: Buffer.from(metadata),
    },
  ]);
}
