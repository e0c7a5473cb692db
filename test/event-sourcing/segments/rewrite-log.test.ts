/** Event replacement: what a function makes of an export is a whole export again, and the report says what changed. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { type EventJudge, RewriteCheck } from '../../../src/event-sourcing/segments/rewrite-check.ts';
import {
  type EventRewrite,
  type RewriteOptions,
  rewriteLog,
} from '../../../src/event-sourcing/segments/rewrite-log.ts';
import { mustAppend, newEvent } from '../../support/event-builders.ts';
import { MemorySegments } from '../../support/memory-segments.ts';
import { emptyStore, exported, exportOf, imported, logOf } from './moving.ts';

const STREAMS = ['counter-1', 'counter-2'];

/** Two streams that take turns: `Begun`, three times `Counted`, `Ended`. */
async function counters() {
  const store = emptyStore();
  const steps = ['Begun', 'Counted', 'Counted', 'Counted', 'Ended'];
  for (const [revision, type] of steps.entries()) {
    for (const stream of STREAMS) {
      const event = newEvent({ type, data: { step: revision } });
      await mustAppend(store, stream, [event], revision === 0 ? 'no_stream' : revision - 1);
    }
  }
  return store;
}

function rewritten(source: MemorySegments, rewrite: EventRewrite, others: Partial<RewriteOptions> = {}) {
  const now = () => new Date('2026-03-04T05:06:07.000Z');
  return rewriteLog({ source, rewrite, judge: () => ({ state: undefined }), now, ...others });
}

const unchanged: EventRewrite = (event) => event;

describe('a rewrite', () => {
  it('that changes nothing gives the same events', async () => {
    const store = await counters();
    const target = new MemorySegments();
    const report = await rewritten(await exportOf(store), unchanged, { target });
    expect(report).toMatchObject({ eventsRead: 10, eventsWritten: 10, examples: [] });
    expect(report.types.map(({ type, kept }) => [type, kept])).toEqual([
      ['Begun', 2],
      ['Counted', 6],
      ['Ended', 2],
    ]);
    const fresh = emptyStore();
    await imported(target, fresh);
    expect(await logOf(fresh)).toEqual(await logOf(store));
  });

  it('changes, removes and adds events, and closes the ranks of each stream', async () => {
    const store = await counters();
    const target = new MemorySegments();
    const report = await rewritten(
      await exportOf(store),
      (event) => {
        const { step } = event.data as { step: number };
        if (event.type === 'Begun') return { type: 'BegunV2', data: { step, by: 'nobody' } };
        if (event.type === 'Ended') return [event, { type: 'Archived', data: {} }];
        return step === 2 ? undefined : event;
      },
      { target },
    );
    expect(report.types).toEqual([
      { type: 'Begun', kept: 0, changed: 2, removed: 0, added: 0 },
      { type: 'Counted', kept: 4, changed: 0, removed: 2, added: 0 },
      { type: 'Ended', kept: 2, changed: 0, removed: 0, added: 2 },
    ]);
    expect(report).toMatchObject({ eventsRead: 10, eventsWritten: 10, written: { events: 10, streams: 2 } });
    const fresh = emptyStore();
    await imported(target, fresh);
    const log = await logOf(fresh);
    const before = await logOf(store);
    for (const stream of STREAMS) {
      const own = log.filter((event) => event.stream === stream);
      expect(own.map(({ revision, type }) => [revision, type])).toEqual([
        [0, 'BegunV2'],
        [1, 'Counted'],
        [2, 'Counted'],
        [3, 'Ended'],
        [4, 'Archived'],
      ]);
      const old = before.filter((event) => event.stream === stream);
      expect(own.slice(0, 4).map(({ id, metadata }) => [id, metadata])).toEqual(
        [0, 1, 3, 4].map((revision) => [old[revision]?.id, old[revision]?.metadata]),
      );
      expect(own[4]?.metadata).toEqual(old[4]?.metadata);
    }
    expect(new Set(log.map(({ id }) => id)).size).toBe(10);
  });

  it('shows the first changes of each type, with what came of them', async () => {
    const { examples } = await rewritten(await exportOf(await counters()), (event) =>
      event.type === 'Counted' ? { ...event, data: { counted: true } } : event,
    );
    expect(examples).toHaveLength(2);
    expect(examples[0]).toMatchObject({
      stream: 'counter-1',
      revision: 1,
      before: { type: 'Counted', data: { step: 1 } },
      after: [{ type: 'Counted', data: { counted: true } }],
    });
  });

  it('sees a change that the function makes in the event it was given', async () => {
    const { types } = await rewritten(await exportOf(await counters()), (event) => {
      if (event.type === 'Begun') Object.assign(event.metadata, { actor: 'somebody' });
      return event;
    });
    expect(types[0]).toMatchObject({ type: 'Begun', kept: 0, changed: 2 });
  });

  it('reports what will be read again', async () => {
    const { types, examples } = await rewritten(await exportOf(await counters()), (event) =>
      event.type === 'Begun'
        ? { type: 'Begun', data: { step: 0, left_out: undefined } }
        : { ...event, data: { ...event.data, on: new Date(0) } },
    );
    expect(types[0]).toMatchObject({ type: 'Begun', kept: 2, changed: 0 });
    expect(examples[0]?.after[0]?.data).toEqual({ step: 1, on: '1970-01-01T00:00:00.000Z' });
  });

  it('moves events in time', async () => {
    const target = new MemorySegments();
    await rewritten(await exportOf(await counters()), stampedAt('2024-02-29T23:59:59.999Z'), { target });
    const fresh = emptyStore();
    await imported(target, fresh);
    const times = (await logOf(fresh)).map(({ metadata }) => metadata.timestamp);
    expect(new Set(times)).toEqual(new Set(['2024-02-29T23:59:59.999Z']));
  });

  it('begins a stream that was cut off where it began', async () => {
    const store = await counters();
    await store.setStreamMetadata('counter-1', { truncateBefore: 3 });
    const target = new MemorySegments();
    await rewritten(await exportOf(store), (event) => (event.revision === 3 ? undefined : event), { target });
    const fresh = emptyStore();
    await imported(target, fresh);
    const places = (await logOf(fresh)).map(({ stream, revision, type }) => [stream, revision, type]);
    expect(places).toContainEqual(['counter-1', 3, 'Ended']);
    expect(places.filter(([stream]) => stream === 'counter-1')).toHaveLength(1);
    expect(await fresh.getStreamMetadata('counter-1')).toEqual({ truncateBefore: 3 });
  });

  it('makes the same export every time, and one that is not of the old store', async () => {
    const store = await counters();
    const source = await exportOf(store);
    const targets = [new MemorySegments(), new MemorySegments()];
    const split: EventRewrite = (event) => [event, { type: 'Echo', data: {} }];
    const reports = [];
    for (const target of targets) reports.push(await rewritten(source, split, { target }));
    expect(reports[0]).toEqual(reports[1]);
    await expect(exported(store, targets[0] as MemorySegments)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('another export'),
    });
  });
});

/** Every event happens then. */
function stampedAt(timestamp: string): EventRewrite {
  return (event) => ({ ...event, metadata: { ...event.metadata, timestamp } });
}

/** A counter counts only between its beginning and its end. */
const judgeCounter: EventJudge = ({ type }, before) => {
  const state = before?.state;
  if (type === 'Begun') return { state: 'begun' };
  if (before && state !== 'begun') {
    return { state, fault: { kind: 'not_applicable', message: 'It has not begun.' } };
  }
  return { state: type === 'Ended' ? 'ended' : state };
};

describe('what was wrong before', () => {
  it('stays so, and does not stand in the way', async () => {
    const store = emptyStore();
    await mustAppend(store, 'counter-1', [newEvent({ type: 'Counted', data: {} })], 'no_stream');
    const later = ['Begun', 'Counted'].map((type) => newEvent({ type, data: { step: type } }));
    await mustAppend(store, 'counter-1', later, 0);
    const target = new MemorySegments();
    const changed: EventRewrite = ({ type }) => ({ type, data: { changed: true } });
    const { faults } = await rewritten(await exportOf(store), changed, { target, judge: judgeCounter });
    expect(faults).toEqual({ events: 0, streams: 0, first: [], inherited: 1, unfolded: 0 });
  });

  it('and what is wrong in another way now are two things', async () => {
    const judge: EventJudge = (event, before) =>
      event.type === 'Unheard'
        ? { state: before?.state, fault: { kind: 'unknown_event_type', message: 'Nobody knows it.' } }
        : judgeCounter(event, before);
    const store = emptyStore();
    await mustAppend(store, 'counter-1', [newEvent({ type: 'Counted', data: {} })], 'no_stream');
    const { faults } = await rewritten(await exportOf(store), ({ data }) => ({ type: 'Unheard', data }), {
      judge,
    });
    expect(faults).toMatchObject({ events: 1, inherited: 0, first: [{ kind: 'unknown_event_type' }] });
  });

  it('of streams that were forgotten is told by each event alone', () => {
    const check = new RewriteCheck(judgeCounter, 1);
    const step = (stream: string, revision: number, type: string, becomes = type) => {
      const event = { ...newEvent({ type }), stream, revision, position: 1n, recordedAt: '' };
      const other = { ...newEvent({ type: becomes }), stream, revision, position: 1n, recordedAt: '' };
      return check.take(event, revision === 0, [becomes === type ? event : other]);
    };
    step('one', 0, 'Begun', 'Counted');
    step('two', 0, 'Begun');
    expect(step('one', 1, 'Counted')).toBeUndefined();
    expect(step('two', 1, 'Counted', 'Ended')).toBeUndefined();
    expect(step('two', 2, 'Counted')).toMatchObject({ stream: 'two', revision: 2 });
    expect(check.faults()).toMatchObject({ events: 2, streams: 2, unfolded: 1 });
  });
});

describe('a rewrite is refused', () => {
  it.each<[string, EventRewrite, RegExp]>([
    ['the function fails', () => raise('no such field'), /^Revision 0 of counter-1: .*no such field/],
    ['it answers a promise', (() => Promise.resolve(undefined)) as never, /answered what is no event/],
    ['it answers null', (() => null) as never, /answered what is no event/],
    ['the type is missing', (() => ({ data: {} })) as never, /needs a type and data/],
    ['the type is empty', () => ({ type: '', data: {} }), /needs a type and data/],
    ['the data are a list', () => ({ type: 'Begun', data: [] }), /needs a type and data/],
    ['the data have no JSON', () => ({ type: 'Begun', data: { step: 1n } }), /no JSON: .*BigInt/],
    ['the data are a date', () => ({ type: 'Begun', data: new Date(0) }), /its JSON is no object/],
    [
      'metadata are missing',
      (({ type, data }: RecordedEvent) => ({ type, data, metadata: {} })) as never,
      /its metadata have no aggregate_type/,
    ],
    ['the time is none', stampedAt('yesterday'), /timestamp is 'yesterday', no time/],
    ['the time is not in UTC', stampedAt('2026-01-01T00:30:00.000+01:00'), /no time such as/],
    ['the time does not exist', stampedAt('2026-02-30T00:00:00.000Z'), /no time such as/],
    ['the metadata are text', (() => ({ type: 'Begun', data: {}, metadata: 'x' })) as never, /no event/],
  ])('when %s, naming the event', async (_, rewrite, message) => {
    const target = new MemorySegments();
    const running = rewritten(await exportOf(await counters()), rewrite, { target });
    await expect(running).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(message),
    });
    expect(target.segments).toEqual([]);
  });

  it('when an event would be wrong that was not, and a dry run only reports it', async () => {
    const source = await exportOf(await counters());
    const withoutBeginning: EventRewrite = (event) =>
      event.type === 'Begun' && event.stream === 'counter-2' ? undefined : event;
    const target = new MemorySegments();
    const running = rewritten(source, withoutBeginning, { target, judge: judgeCounter });
    await expect(running).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'Revision 0 of counter-2: what would stand there is not applicable: It has not begun.',
    });
    expect(target.segments).toEqual([]);
    const { faults } = await rewritten(source, withoutBeginning, { judge: judgeCounter });
    expect(faults).toEqual({
      events: 4,
      streams: 1,
      first: [
        {
          stream: 'counter-2',
          revision: 0,
          type: 'Counted',
          kind: 'not_applicable',
          message: 'It has not begun.',
        },
      ],
      inherited: 0,
      unfolded: 0,
    });
  });

  it('when the target holds an export, or the source is unfinished or damaged', async () => {
    const source = await exportOf(await counters());
    await expect(rewritten(source, unchanged, { target: source })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    const unfinished = new MemorySegments(source.segments.slice(0, 1));
    await expect(rewritten(unfinished, unchanged)).rejects.toMatchObject({ code: 'invalid_request' });
    const [first, ...others] = source.segments;
    const damaged = { ...first, content: Buffer.from('') } as (typeof source.segments)[number];
    await expect(rewritten(new MemorySegments([damaged, ...others]), unchanged)).rejects.toMatchObject({
      code: 'corrupt',
    });
  });
});

function raise(message: string): never {
  throw new Error(message);
}
