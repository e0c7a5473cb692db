/** Reads through broken connections, and readers who leave early. */
import { describe, expect, it } from 'vitest';
import { collect, fillStream, idsOf, newEvents, uniqueName } from '../../support/event-builders.ts';
import { DEADLINE_MS, startDoubleAndStore } from './with-double.ts';

const UNAVAILABLE = { name: 'StoreError', code: 'unavailable' };

describe('a read', () => {
  it.each([
    ['readStream', 'forwards'],
    ['readStream', 'backwards'],
    ['readAll', 'forwards'],
    ['readAll', 'backwards'],
  ] as const)('%s %s goes on where its connection broke, again and again', async (method, direction) => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('broken');
    // Large enough that the whole stream never fits into what waits on the way.
    const events = newEvents(800, { data: { text: 'x'.repeat(4_000) } });
    await fillStream(store, stream, events);
    const reading =
      method === 'readStream' ? store.readStream(stream, { direction }) : store.readAll({ direction });
    const seen: { id: string }[] = [];
    for await (const event of reading) {
      if (seen.push(event) % 200 === 0) double.faults.dropConnections();
    }
    expect(idsOf(seen)).toEqual(direction === 'forwards' ? idsOf(events) : idsOf(events).toReversed());
  });

  it('fails when the server stays away', async () => {
    const { double, store } = await startDoubleAndStore();
    double.faults.beUnavailableFor(60_000);
    await expect(collect(store.readStream(uniqueName('away')))).rejects.toMatchObject(UNAVAILABLE);
    await expect(collect(store.readAll())).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.headPosition()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('of a server that says nothing fails instead of waiting for ever', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('silent');
    await fillStream(store, stream, newEvents(10));
    double.faults.delayEvents(4 * DEADLINE_MS);
    await expect(store.headPosition()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('that is left early lets go of its call and its connection goes on', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('left');
    await fillStream(store, stream, newEvents(500, { data: { text: 'x'.repeat(4_000) } }));
    for (let round = 0; round < 50; round += 1) {
      for await (const event of store.readStream(stream)) {
        if (event.revision === round % 3) break;
      }
    }
    expect(double.connectionCount).toBe(1);
    expect(await collect(store.readStream(stream, { limit: 2 }))).toHaveLength(2);
  });
});
