/** Reads that are broken or closed on the way, and deletions that are. */
import { describe, expect, it } from 'vitest';
import { collect, fillStream, idsOf, newEvents, uniqueName } from '../../support/event-builders.ts';
import { startDoubleAndStore } from './with-double.ts';

describe('a read', () => {
  it('keeps its limit when it is broken', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('limited');
    const events = newEvents(600, { data: { text: 'x'.repeat(4_000) } });
    await fillStream(store, stream, events);
    for (const reading of [store.readStream(stream, { limit: 500 }), store.readAll({ limit: 500 })]) {
      const seen: { id: string }[] = [];
      for await (const event of reading) {
        if (seen.push(event) === 100) double.faults.dropConnections();
      }
      expect(idsOf(seen)).toEqual(idsOf(events.slice(0, 500)));
    }
  });

  it('that is under way when the store closes says so', async () => {
    const { store } = await startDoubleAndStore();
    const stream = uniqueName('closed');
    await fillStream(store, stream, newEvents(1_500, { data: { text: 'x'.repeat(4_000) } }));
    const read = async () => {
      for await (const event of store.readStream(stream)) if (event.revision === 5) await store.close();
    };
    await expect(read()).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
  });
});

describe('deleting a stream', () => {
  it.each(['drop_after_commit', 'drop_before_commit', 'time_out_after_commit'] as const)(
    'that meets %s is done all the same',
    async (fault) => {
      const { double, store } = await startDoubleAndStore();
      const stream = uniqueName('deleted');
      await fillStream(store, stream, newEvents(3));
      double.faults.failWrites(fault);
      await store.deleteStream(stream);
      expect(await collect(store.readStream(stream))).toEqual([]);
    },
  );
});
