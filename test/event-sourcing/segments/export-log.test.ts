/** An export holds what the store held at its start, and goes on behind any interruption. */
import { describe, expect, it } from 'vitest';
import { exportLog } from '../../../src/event-sourcing/segments/export-log.ts';
import { checkExport } from '../../../src/event-sourcing/segments/import-log.ts';
import { toLine } from '../../../src/event-sourcing/segments/segment.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { mustAppend, newEvent, newEvents } from '../../support/event-builders.ts';
import { MemorySegments } from '../../support/memory-segments.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { emptyStore, exported, exportOf, imported, logOf, smallStore } from './moving.ts';

const FULL = new StoreError('disk_full', 'No room.');

describe('an export', () => {
  it('says of itself what it is, and chains its segments', async () => {
    const source = await smallStore();
    const directory = await exportOf(source);
    expect(directory.segments.map(({ number }) => number)).toEqual([1, 2, 3]);
    const [first, second, third] = [1, 2, 3].map((number) => directory.records(number));
    expect(first?.[0]).toMatchObject({
      kind: 'header',
      format: 'openbank-segment',
      version: 1,
      store_id: source.storeId,
      number: 1,
      created_at: '2026-03-04T05:06:07.000Z',
      first_position: '1',
    });
    expect(first?.[0]).not.toHaveProperty('previous');
    expect(second?.[0]).toMatchObject({ previous: directory.segments[0]?.sha256, first_position: '6' });
    expect(second?.at(-1)).toEqual({ kind: 'footer', events: 5, last_position: '10' });
    expect(third?.slice(-2)).toMatchObject([
      { kind: 'end', finished_at: '2026-03-04T05:06:07.000Z', events: 12, streams: 3 },
      { kind: 'footer', events: 2, last_position: '12' },
    ]);
  });

  it('of an empty store is a whole export', async () => {
    const directory = await exportOf(emptyStore());
    expect(directory.records(1).map(({ kind }) => kind)).toEqual(['header', 'end', 'footer']);
    const target = emptyStore();
    expect(await imported(directory, target)).toMatchObject({ events: 0, streams: 0, segments: 1 });
  });

  it('leaves snapshots out', async () => {
    const source = await smallStore();
    await mustAppend(source, 'snapshot-bank-account-1', newEvents(1), 'no_stream');
    expect(await exported(source, new MemorySegments())).toMatchObject({ events: 12, streams: 3 });
  });

  it('ends where the log ended when it began', async () => {
    const source = await smallStore();
    const directory = new MemorySegments();
    directory.onWrite = () => {
      void source.append('person-9', newEvents(1), 'any');
    };
    expect(await exported(source, directory)).toMatchObject({ events: 12 });
    expect((await logOf(source)).length).toBeGreaterThan(12);
  });

  it('that is finished stays as it is, whatever the store got meanwhile', async () => {
    const source = await smallStore();
    const directory = await exportOf(source);
    const before = [...directory.segments];
    await mustAppend(source, 'person-9', newEvents(1), 'no_stream');
    expect(await exported(source, directory)).toMatchObject({ events: 12, eventsBefore: 12 });
    expect(directory.segments).toEqual(before);
  });

  it('begins a segment anew when the one before has enough characters', async () => {
    const source = await smallStore();
    const directory = new MemorySegments();
    await exportLog({ source, directory, now: () => new Date(), segmentLength: 1_000 });
    expect(directory.segments.length).toBeGreaterThan(2);
    expect(await imported(directory, emptyStore())).toMatchObject({ events: 12 });
  });

  it('goes on behind the last whole segment, wherever it was cut', async () => {
    const source = await smallStore();
    const whole = await exportOf(source);
    for (const cut of [1, 2, 3]) {
      for (const step of ['piece', 'whole'] as const) {
        const directory = new MemorySegments();
        directory.onWrite = (number, at) => {
          if (number === cut && at === step) throw FULL;
        };
        await expect(exported(source, directory)).rejects.toBe(FULL);
        expect(directory.segments).toHaveLength(cut - 1);
        await expect(checkExport(directory)).rejects.toMatchObject({ code: 'invalid_request' });
        directory.onWrite = undefined;
        const result = await exported(source, directory);
        expect(result).toMatchObject({ events: 12, eventsBefore: (cut - 1) * 5 });
        expect(directory.segments).toEqual(whole.segments);
      }
    }
  });

  it("refuses to go on with another store's export", async () => {
    const directory = await exportOf(await smallStore());
    directory.segments.pop();
    const other = emptyStore();
    const outcome = exported(other, directory);
    await expect(outcome).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^the directory holds another export: .*\.$/),
    });
    expect(directory.segments).toHaveLength(2);
  });

  it('refuses to go on behind a damaged segment', async () => {
    const source = await smallStore();
    const directory = await exportOf(source);
    directory.segments.pop();
    const [first] = directory.segments;
    directory.segments[0] = { ...first, content: first?.content.slice(1) } as never;
    await expect(exported(source, directory)).rejects.toMatchObject({ code: 'corrupt' });
    expect(directory.segments).toHaveLength(2);
  });

  it('refuses a stream that loses events in its middle while it is read', async () => {
    const source = await smallStore();
    const holed = Object.assign(new WatchedEventStore(source), {
      async *readAll() {
        for await (const event of source.readAll()) if (event.position !== 8n) yield event;
      },
    });
    const directory = new MemorySegments();
    const outcome = exportLog({ source: holed, directory, now: () => new Date() });
    await expect(outcome).rejects.toThrow(/^bank-account-1 lost its events before revision 3 /);
    expect(directory.segments).toEqual([]);
  });

  it('reports how far it is, up to the end', async () => {
    const source = emptyStore();
    for (let index = 0; index < 5; index += 1) {
      await mustAppend(source, `person-${index}`, newEvents(600), 'no_stream');
    }
    const reports: { phase: string; events: number; fraction: number }[] = [];
    await exportLog({
      source,
      directory: new MemorySegments(),
      now: () => new Date(),
      onProgress: (one) => reports.push(one),
    });
    expect(reports.map(({ phase, events }) => [phase, events])).toEqual([
      ['exporting', 999],
      ['exporting', 1_999],
      ['exporting', 2_999],
    ]);
    expect(reports.map(({ fraction }) => fraction)).toEqual([1 / 3, 2 / 3, 1]);
  });
});

describe('an event that is too large for a line', () => {
  it('is refused by name', () => {
    const huge = { ...newEvent({ data: { text: 'x'.repeat(33 * 1024 * 1024) } }), stream: 'person-1' };
    const event = { ...huge, revision: 7, position: 1n, recordedAt: '2026-01-01T00:00:00.000Z' };
    expect(() => toLine({ kind: 'event', event })).toThrow(/^Revision 7 of person-1 is larger than/);
  });
});
