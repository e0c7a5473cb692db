/** The reactor: order, parking, outages, restarts, leadership and bounds, with a sink that fails on demand. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { eventually } from '../support/eventually.ts';
import { busy, refused, unreachable } from '../support/fake-sink.ts';
import { ReactorBench } from '../support/reactor-bench.ts';

let bench: ReactorBench;
beforeEach(() => {
  bench = new ReactorBench();
});
afterEach(() => bench.dispose());

const isOf = (stream: string, revision?: number) => (event: RecordedEvent) =>
  event.stream === stream && (revision === undefined || event.revision === revision);

/** Fails what a test names, for ever. */
const failing =
  (which: (event: RecordedEvent) => boolean, failure = refused) =>
  (event: RecordedEvent) =>
    which(event) ? failure : undefined;

describe('a reactor', () => {
  it('delivers every event of its streams once, in order, and nothing else', async () => {
    await bench.record('thing-a', 3);
    await bench.record('other-x', 2);
    await bench.start();
    await bench.record('thing-b', 2);
    await bench.record('thing-a', 1);
    await bench.record('other-x', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2, 3]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1]);
    expect(bench.sink.delivered).toHaveLength(6);
  });

  it('goes on after its checkpoint when it is started again', async () => {
    await bench.record('thing-a', 2);
    const first = await bench.start();
    await bench.caughtUp();
    await first.stop();
    await bench.record('thing-a', 1);
    await bench.start();
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2]);
  });

  it('remembers what it delivered before it was stopped, also without a commit between', async () => {
    await bench.record('thing-a', 5);
    const first = await bench.start({ commitIntervalMs: 60_000, commitEvents: 1_000 });
    await eventually('the deliveries', () => bench.sink.delivered.length === 5);
    await first.stop();
    await bench.start();
    await bench.record('thing-a', 1);
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('that is stopped waits for the answer of a try in the air, and begins no other', async () => {
    let answer = () => {};
    bench.sink.fault = () =>
      new Promise((resolve) => {
        answer = () => resolve(undefined);
      });
    await bench.record('thing-a', 2);
    const first = await bench.start();
    await eventually('a try', () => bench.sink.inFlight === 1);
    const stopped = first.stop();
    answer();
    await stopped;
    bench.sink.fault = () => undefined;
    await bench.start();
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1]);
  });

  it('never has two events of one stream in the air, and no more tries than it may', async () => {
    const inTheAir = new Set<string>();
    bench.sink.fault = async ({ stream }) => {
      expect(inTheAir.has(stream)).toBe(false);
      inTheAir.add(stream);
      await sleep(1);
      inTheAir.delete(stream);
      return undefined;
    };
    for (let stream = 0; stream < 12; stream += 1) await bench.record(`thing-${stream}`, 4);
    const running = await bench.start({ concurrency: 3 });
    await bench.caughtUp();
    expect(bench.sink.inFlightMax).toBe(3);
    expect(running.problems).toEqual([]);
  });

  it('reads no further ahead than it may keep in memory', async () => {
    await bench.record('thing-a', 40);
    bench.sink.fault = () => unreachable;
    const streams = new Set<string>();
    bench.events.onSubscribe = async function* (batches) {
      for await (const batch of batches) {
        for (const event of batch.events) {
          streams.add(event.id);
          yield { events: [event], position: event.position, caughtUp: false };
        }
      }
    };
    await bench.start({ eventsMax: 10 });
    await eventually('a full window', () => streams.size >= 10);
    await sleep(30);
    // Ten under way, and the one that waits for room.
    expect(streams.size).toBe(11);
    bench.sink.fault = () => undefined;
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toHaveLength(40);
  });
});

describe('an event that the sink refuses', () => {
  it('is tried five times, then parked, and holds back its own stream only', async () => {
    bench.sink.fault = failing(isOf('thing-a', 1));
    const [, poison] = await bench.record('thing-a', 4);
    await bench.record('thing-b', 3);
    const running = await bench.start();
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1, 2]);
    expect(bench.sink.triesOf(poison?.id ?? '')).toBe(5);
    expect(await bench.letters()).toEqual([
      ['thing-a', 1, 'the sink answered 422', 5],
      ['thing-a', 2, 'waits_for_earlier', 0],
      ['thing-a', 3, 'waits_for_earlier', 0],
    ]);
    expect(running.count('parked')).toBe(1);
  });

  it('does not hold up the others while it is tried', async () => {
    bench.sink.fault = failing(isOf('thing-a'));
    await bench.record('thing-a');
    await bench.start({ retryDelayMs: 60_000 });
    await bench.record('thing-b', 2);
    await eventually('the other stream', () => bench.sink.revisionsOf('thing-b').length === 2);
    expect(await bench.letters()).toEqual([]);
  });

  it('is delivered when a later try gets through', async () => {
    bench.sink.fault = (_event, tries) => (tries < 5 ? refused : undefined);
    await bench.record('thing-a', 2);
    await bench.start();
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1]);
    expect(await bench.letters()).toEqual([]);
  });

  it('still holds back its stream after a restart', async () => {
    bench.sink.fault = failing(isOf('thing-a', 0));
    await bench.record('thing-a');
    await (await bench.start({ triesMax: 1 })).stop();
    const first = await bench.start({ triesMax: 1 });
    await bench.caughtUp();
    await first.stop();
    bench.sink.fault = () => undefined;
    await bench.start();
    await bench.record('thing-a');
    await bench.caughtUp();
    expect(bench.sink.delivered).toEqual([]);
    expect((await bench.letters()).map(([, revision]) => revision)).toEqual([0, 1]);
  });

  it('is parked at once when it cannot be sent at all', async () => {
    const failure = { kind: 'unpublishable', reason: 'unknown type' } as const;
    bench.sink.fault = failing(isOf('thing-a'), failure as never);
    const [event] = await bench.record('thing-a');
    await bench.start();
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([['thing-a', 0, 'unknown type', 1]]);
    expect(bench.sink.triesOf(event?.id ?? '')).toBe(1);
  });

  it('is parked too when its delivery throws', async () => {
    bench.sink.fault = () => {
      throw new Error('a bug');
    };
    await bench.record('thing-a');
    await bench.start();
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([['thing-a', 0, 'Error: a bug', 5]]);
  });

  it('is parked under the same cause when a crash loses the letter but not the document', async () => {
    bench.sink.fault = failing(isOf('thing-a', 1));
    await bench.record('thing-a', 3);
    let crashes = 0;
    // What a store without transactions leaves behind when it breaks in the middle.
    bench.store.onCommit = async (proceed, changes) => {
      if (changes.writes.length === 0 || crashes > 0) return proceed(changes);
      crashes += 1;
      await proceed({ ...changes, deadLetters: [], checkpoints: [] });
      throw new StoreError('unavailable', 'broken in the middle');
    };
    await bench.start({ commitEvents: 3, commitIntervalMs: 60_000 });
    await eventually('the crash', () => crashes === 1);
    await bench.record('thing-b', 3);
    // Not the end of the log: how the events after the crash fall into commits of three is a matter of time.
    await eventually('both letters', async () => (await bench.letters()).length === 2);
    // What was delivered before it is not taken for waiting.
    expect(await bench.letters()).toEqual([
      ['thing-a', 1, 'the sink answered 422', 5],
      ['thing-a', 2, 'waits_for_earlier', 0],
    ]);
  });
});

describe('a sink that is gone', () => {
  it.each([unreachable, busy])('parks nothing, however long it lasts ($kind)', async (failure) => {
    let gone = true;
    bench.sink.fault = () => (gone ? failure : undefined);
    await bench.record('thing-a', 3);
    await bench.record('thing-b', 3);
    const running = await bench.start();
    await eventually('many failures', () => running.count('sink_unreachable') >= 8);
    expect(running.reactor.state).toBe('waiting');
    expect(await bench.checkpoint()).toBe(0n);
    gone = false;
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1, 2]);
    expect(await bench.letters()).toEqual([]);
    expect(running.reactor.state).toBe('running');
  });

  it('is asked by one try at a time', async () => {
    bench.sink.fault = () => unreachable;
    for (let stream = 0; stream < 8; stream += 1) await bench.record(`thing-${stream}`);
    const running = await bench.start();
    await eventually('an outage', () => running.count('sink_unreachable') >= 2);
    bench.sink.inFlightMax = 0;
    bench.sink.fault = async () => {
      await sleep(2);
      return unreachable;
    };
    await eventually('more failures', () => running.count('sink_unreachable') >= 6);
    expect(bench.sink.inFlightMax).toBe(1);
  });

  it('that others get through to is there: the event itself is at fault, and parked', async () => {
    bench.sink.fault = failing(isOf('thing-a'), unreachable);
    await bench.record('thing-a');
    await bench.start();
    let streams = 0;
    await eventually('the parked event', async () => {
      await bench.record(`thing-of-others-${streams}`);
      streams += 1;
      return (await bench.letters()).length > 0;
    });
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([['thing-a', 0, 'connection refused', 5]]);
    expect(bench.sink.delivered).toHaveLength(streams);
  });

  it('does not hide behind a full window: the event at fault is parked, and all go on', async () => {
    bench.sink.fault = async (event) => {
      if (!isOf('thing-a')(event)) return undefined;
      // Long enough for all that fits the window.
      await sleep(5);
      return unreachable;
    };
    await bench.record('thing-a');
    await bench.record('thing-b', 20);
    await bench.start({ eventsMax: 10 });
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([['thing-a', 0, 'connection refused', 5]]);
    expect(bench.sink.revisionsOf('thing-b')).toHaveLength(20);
  });

  it('does not hide behind a request that waits for it', async () => {
    let asked = () => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    bench.sink.fault = async (event, tries) => {
      if (!isOf('thing-a')(event)) return undefined;
      if (tries === 1) await asking;
      return unreachable;
    };
    await bench.start();
    await bench.record('thing-a');
    await bench.record('thing-b');
    await eventually('an event that gets through', () => bench.sink.delivered.length > 0);
    await bench.request('DeadLettersRetryRequestedV1', { document_key: 'thing-c' });
    await bench.record('thing-b');
    asked();
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([['thing-a', 0, 'connection refused', 5]]);
    expect(bench.sink.revisionsOf('thing-b')).toEqual([0, 1]);
  });

  it('parks nothing when it goes away while a window is full', async () => {
    let gone = false;
    bench.sink.fault = async (event) => {
      if (!gone && isOf('thing-b', 3)(event)) gone = true;
      return gone || isOf('thing-a')(event) ? unreachable : undefined;
    };
    await bench.record('thing-a');
    await bench.record('thing-b', 20);
    const running = await bench.start({ eventsMax: 10 });
    await eventually('many failures', () => running.count('sink_unreachable') >= 8);
    bench.sink.fault = () => undefined;
    await bench.caughtUp();
    expect(await bench.letters()).toEqual([]);
    expect(bench.sink.revisionsOf('thing-b')).toHaveLength(20);
  });

  it('that asks for time gets it, from all streams', async () => {
    const started = performance.now();
    const times: number[] = [];
    bench.sink.fault = (event, tries) => {
      if (isOf('thing-a')(event) && tries === 1) return { ...busy, retryAfterMs: 60 };
      times.push(performance.now() - started);
      return undefined;
    };
    await bench.record('thing-a');
    const running = await bench.start({ concurrency: 1 });
    await eventually('the answer', () => running.count('sink_unreachable') === 1);
    await bench.record('thing-b');
    await bench.caughtUp();
    expect(times).toHaveLength(2);
    for (const time of times) expect(time).toBeGreaterThanOrEqual(60);
  });
});

describe('a store that fails', () => {
  it('is tried again, and what was not committed is delivered again, in order', async () => {
    let failures = 0;
    bench.store.onCommit = async (proceed, changes) => {
      failures += 1;
      if (failures <= 2) throw new StoreError('unavailable', 'no answer');
      return proceed(changes);
    };
    await bench.record('thing-a', 2);
    const running = await bench.start();
    await bench.caughtUp();
    expect(running.count('retrying')).toBe(2);
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('begins no second try of an event whose first is still in the air', async () => {
    let [inTheAir, most] = [0, 0];
    bench.sink.fault = async (event) => {
      if (!isOf('thing-slow')(event)) return undefined;
      inTheAir += 1;
      most = Math.max(most, inTheAir);
      await sleep(15);
      inTheAir -= 1;
      return undefined;
    };
    let failures = 0;
    bench.store.onCommit = async (proceed, changes) => {
      failures += 1;
      if (failures <= 3) throw new StoreError('unavailable', 'no answer');
      return proceed(changes);
    };
    await bench.record('thing-a');
    await bench.record('thing-slow');
    await bench.start();
    await bench.caughtUp();
    expect(failures).toBeGreaterThan(3);
    expect(most).toBe(1);
  });

  it('cannot be read: nothing is delivered past it', async () => {
    let failures = 3;
    bench.store.onGet = async () => {
      failures -= 1;
      if (failures >= 0) throw new StoreError('unavailable', 'no answer');
    };
    await bench.record('thing-a', 3);
    await bench.start();
    await bench.caughtUp();
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 1, 2]);
  });

  it('that keeps ending its subscriptions is reported', async () => {
    bench.events.onSubscribe = async function* () {};
    const running = await bench.start();
    await eventually('a report', () => running.count('retrying') > 0);
  });

  it('lost the newest events: the reactor starts over, and says so', async () => {
    await bench.record('thing-a');
    const first = await bench.start();
    await bench.caughtUp();
    await first.stop();
    const { name, version } = { name: 'publisher', version: 1 };
    await bench.store.commit({
      writes: [],
      deadLetters: [],
      checkpoints: [{ projection: name, version, position: 1_000n }],
    });
    const second = await bench.start();
    await bench.caughtUp();
    expect(second.count('starting_over')).toBe(1);
    expect(bench.sink.revisionsOf('thing-a')).toEqual([0, 0]);
  });
});

describe('leadership', () => {
  it('goes into every commit, and its loss ends the reactor', async () => {
    const fence = (token: number) => ({ fence: { lease: 'publisher', token } });
    const old = await bench.start(fence(1));
    await bench.record('thing-a');
    await bench.caughtUp();
    const next = await bench.start(fence(2));
    await eventually('the new leader', () => bench.store.commits.some(({ fence }) => fence?.token === 2));
    await bench.record('thing-a');
    expect(await old.ended()).toMatchObject({ code: 'fenced' });
    expect(old.reactor.state).toBe('stopped');
    await bench.record('thing-a');
    await bench.caughtUp();
    expect(next.reactor.state).toBe('running');
    expect(new Set(bench.sink.revisionsOf('thing-a'))).toEqual(new Set([0, 1, 2]));
  });
});
