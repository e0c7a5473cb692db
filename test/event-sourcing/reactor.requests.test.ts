/** What operators ask of a reactor: parked events are delivered again in order, or given up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPERATOR_REQUESTS_STREAM } from '../../src/event-sourcing/operator-requests.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { refused, unreachable } from '../support/fake-sink.ts';
import { ReactorBench, type RunningReactor } from '../support/reactor-bench.ts';

const RETRY = 'DeadLettersRetryRequestedV1';
const DISCARD = 'DeadLettersDiscardRequestedV1';

let bench: ReactorBench;
let running: RunningReactor;
/** Positions of parked events, by stream and revision. */
let positions: Map<string, string>;
beforeEach(async () => {
  bench = new ReactorBench();
  bench.sink.fault = ({ stream }) => (stream.startsWith('thing-good') ? undefined : refused);
  running = await bench.start({ triesMax: 1 });
  await bench.record('thing-a', 3);
  await bench.record('thing-b', 2);
  await bench.record('thing-good', 1);
  await bench.caughtUp();
  const letters = await bench.store.listDeadLetters({ limit: 100 });
  positions = new Map(letters.map((one) => [`${one.stream}@${one.revision}`, String(one.position)]));
});
afterEach(() => bench.dispose());

const repaired = () => {
  bench.sink.fault = () => undefined;
};
const position = (of: string) => positions.get(of) as string;
const parked = async () => (await bench.letters()).map(([stream, revision]) => `${stream}@${revision}`);

describe('a request to try again', () => {
  it('delivers a stream in its order, and lets it go on', async () => {
    repaired();
    await bench.request(RETRY, { document_key: 'thing-a' });
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2, 3]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([]);
    expect(await parked()).toEqual(['thing-b@0', 'thing-b@1']);
  });

  it('delivers all streams', async () => {
    repaired();
    await bench.request(RETRY);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1]);
    expect(await parked()).toEqual([]);
  });

  it('up to a position leaves the later ones waiting', async () => {
    repaired();
    await bench.request(RETRY, { document_key: 'thing-a', position: position('thing-a@0') });
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0]);
    expect(await parked()).toEqual(
      ['thing-b@0', 'thing-b@1', 'thing-a@1', 'thing-a@2', 'thing-a@3'].toSorted(byPosition),
    );
  });

  it('leaves parked what is refused again, with everything behind it', async () => {
    bench.sink.fault = ({ stream, revision }) => (stream === 'thing-a' && revision > 0 ? refused : undefined);
    await bench.request(RETRY);
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1]);
    expect(await parked()).toEqual(['thing-a@1', 'thing-a@2', 'thing-a@3']);
  });

  it('leaves parked what hangs again, and what comes after the request goes on', async () => {
    bench.sink.fault = ({ stream }) => (stream === 'thing-a' ? unreachable : undefined);
    await bench.request(RETRY, { document_key: 'thing-a' });
    await bench.record('thing-good', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-good')).toEqual([0, 1]);
    expect(await parked()).toContain('thing-a@0');
  });

  it('finds more streams and more letters than fit a page', async () => {
    for (let stream = 0; stream < 130; stream += 1) await bench.record(`thing-many-${stream}`, 1);
    await bench.record('thing-long', 250);
    await bench.caughtUp();
    repaired();
    await bench.request(RETRY);
    await bench.caughtUp();
    expect(await bench.store.countDeadLetters()).toBe(0);
    expect(bench.sink.revisionsOf('thing-long')).toEqual(Array.from({ length: 250 }, (_, index) => index));
    expect(new Set(bench.sink.delivered.map(({ stream }) => stream)).size).toBe(134);
  });

  it('keeps an event whose stream no longer has it, and says so', async () => {
    repaired();
    await bench.events.deleteStream('thing-b');
    await bench.request(RETRY, { document_key: 'thing-b' });
    await bench.record('thing-b', 1);
    await bench.caughtUp();
    expect(await parked()).toEqual(expect.arrayContaining(['thing-b@0', 'thing-b@1', 'thing-b@2']));
    const held = await bench.store.get(
      { name: 'publisher', version: 1, indexes: [], listed: false },
      'thing-b',
    );
    expect(held?.document?.cause).toBe('Revision 0 is no longer in thing-b.');
  });

  it('is done again after a crash, and ends as it would have', async () => {
    repaired();
    let crashes = 0;
    bench.store.onCommit = async (proceed, changes) => {
      if ((changes.settled?.length ?? 0) === 0 && changes.writes.length === 0) return proceed(changes);
      crashes += 1;
      if (crashes > 3) return proceed(changes);
      // Half of it was written.
      await proceed({ ...changes, settled: changes.settled?.slice(0, 1) ?? [], checkpoints: [] });
      throw new StoreError('unavailable', 'broken in the middle');
    };
    await bench.request(RETRY);
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(await parked()).toEqual([]);
    const first = [...new Set(bench.sink.revisionsOf('thing-a'))];
    expect(first).toEqual([0, 1, 2, 3]);
    await bench.record('thing-b', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-b').at(-1)).toBe(2);
  });

  it('that ended otherwise before a crash counts as it ends the second time', async () => {
    bench.sink.fault = ({ stream, revision }) => (stream === 'thing-a' && revision > 0 ? refused : undefined);
    let crashes = 0;
    bench.store.onCommit = async (proceed, changes) => {
      if (changes.writes.length === 0 || crashes > 0) return proceed(changes);
      crashes += 1;
      await proceed({ ...changes, checkpoints: [] });
      repaired();
      throw new StoreError('unavailable', 'broken in the middle');
    };
    await bench.request(RETRY, { document_key: 'thing-a' });
    await bench.caughtUp();
    expect(crashes).toBe(1);
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a').at(-1)).toBe(3);
    expect(await parked()).toEqual(['thing-b@0', 'thing-b@1']);
  });

  it('waits for what came before it', async () => {
    let answer = () => {};
    bench.sink.fault = () =>
      new Promise((resolve) => {
        answer = () => resolve(refused);
      });
    await bench.record('thing-slow', 1);
    await eventually('a try', () => bench.sink.inFlight === 1);
    await bench.request(RETRY, { document_key: 'thing-slow' });
    // Long enough for the request to be met.
    await sleep(20);
    repaired();
    answer();
    await bench.caughtUp();
    expect(running.count('parked')).toBe(3);
    expect(bench.sink.revisionsOf('thing-slow')).toEqual([0]);
    expect(await parked()).toHaveLength(5);
  });
});

describe('a request to give up', () => {
  it('all letters of a stream lets it go on without them', async () => {
    await bench.request(DISCARD, { document_key: 'thing-a' });
    repaired();
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([3]);
    expect(await parked()).toEqual(['thing-b@0', 'thing-b@1']);
  });

  it('the one that holds a stream delivers those that only waited for it', async () => {
    repaired();
    await bench.request(DISCARD, { document_key: 'thing-a', position: position('thing-a@0') });
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([1, 2, 3]);
    expect(await parked()).toEqual(['thing-b@0', 'thing-b@1']);
  });

  it('one that waits leaves the others as they are', async () => {
    repaired();
    await bench.request(DISCARD, { document_key: 'thing-a', position: position('thing-a@1') });
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([]);
    await bench.request(RETRY);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 2]);
  });

  it('everything leaves nothing', async () => {
    await bench.request(DISCARD);
    await bench.caughtUp();
    expect(await parked()).toEqual([]);
    repaired();
    await bench.record('thing-b', 1);
    await bench.caughtUp();
    expect(bench.sink.delivered.map(({ revision }) => revision)).toEqual([0, 2]);
  });
});

describe('a request', () => {
  it('for another consumer, or for a stream that is not held back, changes nothing', async () => {
    repaired();
    const data = { consumer: 'somebody_else' };
    const metadata = newEvent().metadata;
    await mustAppend(
      bench.events,
      OPERATOR_REQUESTS_STREAM,
      [newEvent({ type: RETRY, data, metadata })],
      'any',
    );
    for (const type of [RETRY, DISCARD] as const) {
      await bench.request(type, { document_key: 'thing-good' });
      await bench.request(type, { document_key: 'thing-good', position: '1' });
    }
    await bench.caughtUp();
    expect(await parked()).toHaveLength(5);
    expect(bench.sink.delivered).toHaveLength(1);
  });

  it.each([
    ['an unknown type', { type: 'SomethingElseV1', data: { consumer: 'publisher' } }],
    ['no consumer', { type: RETRY, data: {} }],
    ['a position without a document', { type: RETRY, data: { consumer: 'publisher', position: '1' } }],
    [
      'a position that is none',
      { type: RETRY, data: { consumer: 'publisher', document_key: 'a', position: 'x' } },
    ],
  ])('with %s is reported and passed over', async (_what, event) => {
    repaired();
    await mustAppend(bench.events, OPERATOR_REQUESTS_STREAM, [newEvent(event)], 'any');
    await bench.caughtUp();
    expect(running.count('unknown_request')).toBe(1);
    expect(await parked()).toHaveLength(5);
  });
});

function byPosition(left: string, right: string): number {
  const of = (one: string) => Number(positions.get(one) ?? Number.POSITIVE_INFINITY);
  return of(left) - of(right);
}
