/** Appends through every trouble that a server or the way to it can make: nothing lost, nothing doubled. */
import { EventStoreDBClient } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import type { ExpectedRevision } from '../../../src/event-sourcing/event-store.ts';
import {
  collect,
  idsIn,
  idsOf,
  mustAppend,
  newEvent,
  newEvents,
  uniqueName,
} from '../../support/event-builders.ts';
import type { WriteFault } from '../../support/kurrentdb-double/faults.ts';
import { openStore, startDouble, startDoubleAndStore } from './with-double.ts';

const FAULTS: readonly WriteFault[] = [
  'drop_before_commit',
  'drop_after_commit',
  'time_out_before_commit',
  'time_out_after_commit',
  'no_position',
];
const UNAVAILABLE = { name: 'StoreError', code: 'unavailable' };

describe('an append', () => {
  for (const fault of FAULTS) {
    it.each<[ExpectedRevision]>([['no_stream'], [1]])(
      `that meets ${fault}, at %s, is done once`,
      async (expected) => {
        const { double, store } = await startDoubleAndStore();
        const stream = uniqueName('faulty');
        const before = expected === 'no_stream' ? [] : newEvents(2);
        if (before.length > 0) await mustAppend(store, stream, before, 'no_stream');
        const events = newEvents(3);
        double.faults.failWrites(fault, 2);
        const { revision, position } = await mustAppend(store, stream, events, expected);
        const read = await collect(store.readStream(stream));
        expect(idsOf(read)).toEqual(idsOf([...before, ...events]));
        expect(read.at(-1)).toMatchObject({ revision, position });
      },
    );
  }

  it.each<[WriteFault, ExpectedRevision, number]>([
    ['drop_before_commit', 'any', 0],
    ['drop_after_commit', 'any', 1],
    ['silent_after_commit', 'any', 1],
    ['time_out_after_commit', 'stream_exists', 1],
  ])(
    'that meets %s at %s says that its outcome is unknown, and is not tried again',
    async (fault, expected, written) => {
      const { double, store } = await startDoubleAndStore();
      const stream = uniqueName('unknown');
      await mustAppend(store, stream, newEvents(1), 'no_stream');
      double.faults.failWrites(fault);
      await expect(store.append(stream, newEvents(1), expected)).rejects.toMatchObject(UNAVAILABLE);
      expect(await idsIn(store, stream)).toHaveLength(1 + written);
    },
  );

  it('waits for a server that is not ready yet, whatever it expects', async () => {
    const { double, store } = await startDoubleAndStore();
    double.faults.beUnavailableFor(300);
    const stream = uniqueName('starting');
    const [event] = newEvents(1);
    if (!event) throw new Error('There is one.');
    await mustAppend(store, stream, [event], 'no_stream');
    expect(await idsIn(store, stream)).toEqual([event.id]);
  });

  it('goes to the leader when the node is no longer that', async () => {
    const { double: follower, store } = await startDoubleAndStore();
    const stream = uniqueName('moved');
    follower.faults.refuseAsNotLeader(1, { host: '127.0.0.1', port: follower.port });
    const events = newEvents(2);
    await mustAppend(store, stream, events, 'no_stream');
    expect(await idsIn(store, stream)).toEqual(idsOf(events));
  });

  it('that was written before the stream was deleted and created again is recognised', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('reborn');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.deleteStream(stream);
    const events = newEvents(2);
    double.faults.failWrites('drop_after_commit');
    const first = await mustAppend(store, stream, events, 'no_stream');
    expect(first.revision).toBe(4);
    expect(await store.append(stream, events, 'no_stream')).toEqual({ ok: true, ...first });
    expect(await idsIn(store, stream)).toEqual(idsOf(events));
  });

  it('at an old revision of a deleted stream is a conflict with no stream', async () => {
    const { store } = await startDoubleAndStore();
    const stream = uniqueName('gone');
    await mustAppend(store, stream, newEvents(3), 'no_stream');
    await store.deleteStream(stream);
    for (const expected of [0, 'stream_exists'] as const) {
      expect(await store.append(stream, newEvents(1), expected)).toEqual({
        ok: false,
        conflict: { actual: 'no_stream' },
      });
    }
  });

  it('to a stream that was deleted for ever is refused', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('tombstone');
    await mustAppend(store, stream, newEvents(1), 'no_stream');
    const client = EventStoreDBClient.connectionString(double.url);
    await client.tombstoneStream(stream);
    await client.dispose();
    await expect(store.append(stream, newEvents(1), 'any')).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(await collect(store.readStream(stream))).toEqual([]);
  });

  it.each([
    ['than the server takes', 2 * 1024 * 1024],
    ['than anything the server could be set to take', 16 * 1024 * 1024],
  ])('larger %s is refused, and hurts no other', async (_, bytes) => {
    const { store } = await startDoubleAndStore();
    const stream = uniqueName('large');
    const large = newEvent({ data: { text: 'x'.repeat(bytes) } });
    const [refused, sound] = await Promise.allSettled([
      store.append(stream, [large], 'no_stream'),
      store.append(uniqueName('small'), newEvents(1), 'no_stream'),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'invalid_request' } });
    expect(sound).toMatchObject({ status: 'fulfilled', value: { ok: true } });
  });

  it('with an id that is no UUID is refused', async () => {
    const { store } = await startDoubleAndStore();
    await expect(store.append(uniqueName('id'), [newEvent({ id: 'seven' })], 'any')).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('that was accepted is finished before the store closes', async () => {
    const double = await startDouble();
    const [store, other] = [await openStore(double), await openStore(double)];
    const stream = uniqueName('closing');
    const appending = store.append(stream, newEvents(1), 'no_stream');
    await store.close();
    expect(await appending).toMatchObject({ ok: true, revision: 0 });
    expect(await idsIn(other, stream)).toHaveLength(1);
  });
});
