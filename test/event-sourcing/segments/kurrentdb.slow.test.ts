/** Moves from the embedded store to KurrentDB and back, on the double: an import needs a server without events. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import type { EventStore } from '../../../src/event-sourcing/event-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { type RunningServer, startDoubleProcess } from '../../support/kurrentdb-server.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { emptyStore, exportOf, imported, smallStore, streamsOf } from './moving.ts';

let server: RunningServer;
let kurrentDb: EventStore;
beforeAll(async () => {
  server = await startDoubleProcess();
  kurrentDb = await openKurrentDbEventStore(server.url);
});
afterAll(async () => {
  await kurrentDb.close();
  await server.stop();
});

describe('a move to KurrentDB', () => {
  it('and back keeps every event, through an interruption, cut streams and all', async () => {
    const source = await smallStore();
    for (let index = 0; index < 40; index += 1) {
      await mustAppend(source, `person-1${index}`, newEvents(3), 'no_stream');
    }
    await source.setStreamMetadata('bank-account-1', { truncateBefore: 2 });
    await source.deleteStream('person-12');
    await mustAppend(source, 'person-12', newEvents(2), 'no_stream');
    const directory = await exportOf(source);

    const cut = new WatchedEventStore(kurrentDb);
    const full = new StoreError('disk_full', 'No room.');
    cut.onAppend = (proceed) => (cut.appends.length > 17 ? Promise.reject(full) : proceed());
    await expect(imported(directory, cut, false)).rejects.toBe(full);
    const result = await imported(directory, kurrentDb, false);
    expect(result.eventsBefore).toBeGreaterThan(10);
    expect(await imported(directory, kurrentDb, false)).toMatchObject({ eventsBefore: result.events });

    const expected = await streamsOf(source);
    for (const [stream, events] of expected) {
      const read = await collect(kurrentDb.readStream(stream));
      expect(read.map(({ revision, id }) => [revision, id])).toEqual(
        events.map(({ revision, id }) => [revision, id]),
      );
    }
    const back = emptyStore();
    expect(await imported(await exportOf(kurrentDb), back)).toMatchObject({ digest: result.digest });
    expect(await streamsOf(back)).toEqual(expected);
    expect(await back.getStreamMetadata('bank-account-1')).toEqual({ truncateBefore: 2 });
  });

  it('leaves out what was deleted there and is still in its log', async () => {
    await mustAppend(kurrentDb, 'person-deleted', newEvents(2), 'no_stream');
    await kurrentDb.deleteStream('person-deleted');
    const target = emptyStore();
    await imported(await exportOf(kurrentDb), target);
    expect(await collect(target.readStream('person-deleted'))).toEqual([]);
    expect((await streamsOf(target)).has('person-deleted')).toBe(false);
  });
});
