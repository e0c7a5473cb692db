/** An import writes what was exported into an empty store, all of it or a beginning that the next import goes on with. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AppendResult } from '../../../src/event-sourcing/event-store.ts';
import { fillerEvent, isFiller } from '../../../src/event-sourcing/filler-event.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { emptyStore, exportOf, imported, logOf, smallStore, streamsOf } from './moving.ts';

const GONE = new StoreError('unavailable', 'The server is gone.');
const FULL = new StoreError('disk_full', 'No room.');

describe('an import', () => {
  it('keeps every event with its id, type, data, metadata, revision and place in the log', async () => {
    const source = await smallStore();
    const target = emptyStore();
    const result = await imported(await exportOf(source), target);
    expect(result).toMatchObject({ events: 12, streams: 3, segments: 3, eventsBefore: 0 });
    expect(await logOf(target)).toEqual(await logOf(source));
  });

  it('into a store that has it already changes nothing', async () => {
    const directory = await exportOf(await smallStore());
    const target = new WatchedEventStore(emptyStore());
    await imported(directory, target);
    const before = await collect(target.readAll());
    target.forget();
    expect(await imported(directory, target)).toMatchObject({ events: 12, eventsBefore: 12 });
    expect(target.appends).toEqual([]);
    expect(await collect(target.readAll())).toEqual(before);
  });

  it.each([true, false])('goes on wherever it was cut (keepsOrder: %s)', async (keepsOrder) => {
    const source = await smallStore();
    const directory = await exportOf(source);
    const inner = emptyStore();
    const target = new WatchedEventStore(inner);
    await imported(directory, target, keepsOrder);
    const appends = target.appends.length;
    expect(appends).toBeGreaterThan(2);
    for (let cut = 0; cut < appends; cut += 1) {
      for (const written of [false, true]) {
        const cutOff = new WatchedEventStore(emptyStore());
        cutOff.onAppend = async (proceed) => {
          if (cutOff.appends.length <= cut) return proceed();
          // The one at the cut may have been written when its answer got lost; no other gets through.
          if (written && cutOff.appends.length === cut + 1) await proceed();
          throw FULL;
        };
        await expect(imported(directory, cutOff, keepsOrder)).rejects.toBe(FULL);
        cutOff.onAppend = undefined;
        const held = (await collect(cutOff.readAll())).length;
        expect(await imported(directory, cutOff, keepsOrder)).toMatchObject({ eventsBefore: held });
        expect(await streamsOf(cutOff)).toEqual(await streamsOf(source));
      }
    }
  });

  it('tries again what may pass, without writing anything twice', async () => {
    const source = await smallStore();
    const target = new WatchedEventStore(emptyStore());
    let failures = 0;
    target.onAppend = async (proceed) => {
      if (failures >= 3) return proceed();
      failures += 1;
      if (failures === 2) await proceed();
      throw GONE;
    };
    await imported(await exportOf(source), target);
    expect(await streamsOf(target)).toEqual(await streamsOf(source));
  });

  it('gives up when the target stays away, and says what the target said', async () => {
    const target = new WatchedEventStore(emptyStore());
    target.onAppend = () => Promise.reject(GONE);
    await expect(imported(await exportOf(await smallStore()), target)).rejects.toBe(GONE);
  });

  it.each([
    ['a stream of its own', 'person-9', 0],
    ['another beginning of a stream of the export', 'person-1', 0],
    ['more of a stream than the export', 'person-1', 4],
  ] as const)('refuses a target with %s', async (_, stream, from) => {
    const source = await smallStore();
    const target = new WatchedEventStore(emptyStore());
    if (from > 0)
      await target.append(stream, (await collect(source.readStream(stream))).slice(), 'no_stream');
    await mustAppend(target, stream, newEvents(1), from === 0 ? 'no_stream' : from - 1);
    target.forget();
    await expect(imported(await exportOf(source), target)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(`^An import needs a store without events: ${stream} is there`),
    });
    expect(target.appends).toEqual([]);
  });

  it('refuses an export that was never finished', async () => {
    const directory = await exportOf(await smallStore());
    directory.segments.pop();
    const target = new WatchedEventStore(emptyStore());
    await expect(imported(directory, target)).rejects.toThrow(/holds no finished export: .* segment 2\.$/);
    expect(target.appends).toEqual([]);
  });

  it('stops when somebody else writes to the target', async () => {
    const target = new WatchedEventStore(emptyStore());
    target.onAppend = async (proceed, { stream }) => {
      target.onAppend = undefined;
      await mustAppend(target.inner, stream, newEvents(1), 'any');
      return proceed();
    };
    const outcome = imported(await exportOf(await smallStore()), target);
    await expect(outcome).rejects.toThrow(
      /^Somebody else writes to the store: person-1 is at \d where revision 0 /,
    );
  });

  it('finds out that the target does not hold what it was given', async () => {
    const directory = await exportOf(await smallStore());
    const changed = new WatchedEventStore(emptyStore());
    changed.onAppend = (_, { stream, events, expected }) => {
      const other = events.map((event) => ({ ...event, data: { number: -1 } }));
      return changed.inner.append(stream, other, expected);
    };
    await expect(imported(directory, changed)).rejects.toThrow(/the checksum over all events is another/);

    const forgetful = new WatchedEventStore(emptyStore());
    forgetful.onAppend = async (_, { events, expected }): Promise<AppendResult> => {
      const revision = (typeof expected === 'number' ? expected : -1) + events.length;
      return { ok: true, revision, position: 1n };
    };
    await expect(imported(directory, forgetful)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(/person-1 is at revision missing, not at 3\.$/),
    });
  });

  it('begins a stream only after all before it was acknowledged, where the target keeps no order', async () => {
    const random = randomNumbers(7);
    const source = emptyStore();
    const next = new Map<string, number>();
    for (let index = 0; index < 300; index += 1) {
      const stream = `stream-${Math.floor(random() * (1 + index / 5))}`;
      const revision = next.get(stream) ?? 0;
      await mustAppend(source, stream, newEvents(1), revision === 0 ? 'no_stream' : revision - 1);
      next.set(stream, revision + 1);
    }
    const order = (await collect(source.readAll())).map(({ id }) => id);
    const acknowledged = new Set<string>();
    const atOnce: number[] = [];
    let underWay = 0;
    const target = new WatchedEventStore(emptyStore());
    target.onAppend = async (proceed, { events, expected }) => {
      underWay += 1;
      atOnce.push(underWay);
      if (expected === 'no_stream') {
        const before = order.slice(0, order.indexOf(String(events[0]?.id)));
        expect(before.filter((id) => !acknowledged.has(id))).toEqual([]);
      }
      await sleep(random() * 3);
      const result = await proceed();
      for (const { id } of events) acknowledged.add(id);
      underWay -= 1;
      return result;
    };
    await imported(await exportOf(source), target, false);
    expect(await streamsOf(target)).toEqual(await streamsOf(source));
    // Otherwise it would have been one after the other, which is no test of anything.
    expect(Math.max(...atOnce)).toBeGreaterThan(3);
  });
});

describe('a stream whose beginning was cut off', () => {
  it('keeps its revisions and its metadata, and goes on from there', async () => {
    const source = await smallStore();
    await source.setStreamMetadata('bank-account-1', { truncateBefore: 2, maxAge: 1_000_000 });
    const target = emptyStore();
    const directory = await exportOf(source);
    expect(await imported(directory, target)).toMatchObject({ events: 10, streams: 3 });
    const kept = await collect(target.readStream('bank-account-1'));
    expect(kept.map(({ revision, id }) => [revision, id])).toEqual(
      (await collect(source.readStream('bank-account-1'))).map(({ revision, id }) => [revision, id]),
    );
    expect(await target.getStreamMetadata('bank-account-1')).toEqual({
      truncateBefore: 2,
      maxAge: 1_000_000,
    });
    await mustAppend(target, 'bank-account-1', newEvents(1), 3);
    expect((await collect(target.readAll())).filter(isFiller)).toEqual([]);
  });

  it('also when it was deleted and written anew', async () => {
    const source = await smallStore();
    await source.deleteStream('person-1');
    await mustAppend(source, 'person-1', newEvents(2), 'no_stream');
    const target = emptyStore();
    await imported(await exportOf(source), target);
    const revisions = (await collect(target.readStream('person-1'))).map(({ revision }) => revision);
    expect(revisions).toEqual([4, 5]);
  });

  it('is filled up again when the import was cut among its fillers', async () => {
    const source = await smallStore();
    await source.setStreamMetadata('person-1', { truncateBefore: 3 });
    const directory = await exportOf(source);
    const target = new WatchedEventStore(emptyStore());
    target.onAppend = async (proceed, { stream, expected }) => {
      if (stream === 'person-1' && expected === 'no_stream') return proceed();
      throw FULL;
    };
    const cut = imported(directory, target, false);
    await expect(cut).rejects.toBe(FULL);
    target.onAppend = undefined;
    expect(await imported(directory, target, false)).toMatchObject({ events: 9 });
    expect(await streamsOf(target)).toEqual(await streamsOf(source));
  });

  it('is not taken for one of another export by its fillers', async () => {
    const target = emptyStore();
    const { stream, revision: _, ...filler } = fillerEvent('person-9', 0);
    await mustAppend(target, stream, [filler], 'no_stream');
    const outcome = imported(await exportOf(await smallStore()), target);
    await expect(outcome).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
