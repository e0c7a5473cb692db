/** Appends that wait for their deadline, that fill the memory, and that meet every trouble at once. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
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
import { eventually } from '../../support/eventually.ts';
import type { WriteFault } from '../../support/kurrentdb-double/faults.ts';
import { openStore, startDouble, startDoubleAndStore } from './with-double.ts';

const SILENT: readonly WriteFault[] = ['silent_before_commit', 'silent_after_commit'];
const FAULTS: readonly WriteFault[] = [
  ...SILENT,
  'drop_before_commit',
  'drop_after_commit',
  'time_out_before_commit',
  'time_out_after_commit',
  'no_position',
];

describe('an append', () => {
  for (const fault of SILENT) {
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

  it('of several megabytes is sent in parts and written as one', async () => {
    const { store } = await startDoubleAndStore({ limits: { maxAppendSize: 15 * 1024 * 1024 } });
    const stream = uniqueName('parts');
    const events = newEvents(9, { data: { text: 'x'.repeat(1024 * 1024) } });
    expect((await mustAppend(store, stream, events, 'no_stream')).revision).toBe(8);
    expect(await idsIn(store, stream)).toEqual(idsOf(events));
  });

  it('is refused as busy when too much is under way already', async () => {
    const { double, store } = await startDoubleAndStore();
    double.faults.failWrites('silent_before_commit', 100);
    const large = () => [newEvent({ data: { text: 'x'.repeat(10 * 1024 * 1024) } })];
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.append(uniqueName('flood'), large(), 'any')),
    );
    const codes = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.code : 'written'));
    expect(codes.filter((code) => code === 'busy')).toHaveLength(20 - 12);
  });

  // With the pauses between its tries it takes some ten seconds.
  it('gives up after a bounded number of tries', async () => {
    const { double, store } = await startDoubleAndStore();
    const FAULTS = 1_000;
    double.faults.failWrites('time_out_before_commit', FAULTS);
    await expect(store.append(uniqueName('never'), newEvents(1), 'no_stream')).rejects.toMatchObject({
      name: 'StoreError',
      code: 'unavailable',
    });
    let left = 0;
    while (double.faults.takeWriteFault() !== undefined) left += 1;
    expect(FAULTS - left).toBeGreaterThan(1);
    expect(FAULTS - left).toBeLessThan(20);
  });
});

describe('appends of several clients in one process', () => {
  it('are no concern of each other when the connection of one breaks', async () => {
    const [near, far] = [await startDoubleAndStore(), await startDoubleAndStore()];
    const foreign = EventStoreDBClient.connectionString(far.double.url);
    const stream = uniqueName('isolated');
    far.double.faults.failWrites('drop_before_commit', 3);
    const foreignAppend = foreign.appendToStream(uniqueName('foreign'), jsonEvent({ type: 'T', data: {} }));
    const events = Array.from({ length: 50 }, () => newEvent());
    const [broken, ...answers] = await Promise.allSettled([
      foreignAppend,
      ...events.map((event) => near.store.append(stream, [event], 'any')),
    ]);
    expect(broken.status).toBe('rejected');
    expect(answers.every((answer) => answer.status === 'fulfilled')).toBe(true);
    expect((await idsIn(near.store, stream)).toSorted()).toEqual(idsOf(events).toSorted());
    await foreign.dispose();
  });

  it('under constant trouble each find their own answer', async () => {
    const double = await startDouble();
    const stores = [await openStore(double), await openStore(double)];
    const streams = Array.from({ length: 20 }, () => uniqueName('crowd'));
    const written = streams.map(() => newEvents(5));
    for (const fault of FAULTS) double.faults.failWrites(fault, 2);
    await Promise.all(
      streams.map(async (stream, index) => {
        for (const [revision, event] of (written[index] ?? []).entries()) {
          const store = stores[(index + revision) % 2];
          await mustAppend(
            store as (typeof stores)[number],
            stream,
            [event],
            revision === 0 ? 'no_stream' : revision - 1,
          );
        }
      }),
    );
    await eventually('all faults were met', () => remainingFaults(double.faults) === 0);
    for (const [index, stream] of streams.entries()) {
      expect(await idsIn(stores[0] as (typeof stores)[number], stream)).toEqual(idsOf(written[index] ?? []));
    }
  });
});

/** Takes what is left, so ask only once the test is over. */
function remainingFaults(faults: { takeWriteFault(): WriteFault | undefined }): number {
  let left = 0;
  while (faults.takeWriteFault() !== undefined) left += 1;
  return left;
}
