/** Whatever fails: every event is delivered at least once or parked, in order within its stream, and parks no other stream. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { settings } from '../domain/property-settings.ts';
import { refused, unreachable } from '../support/fake-sink.ts';
import { ReactorBench } from '../support/reactor-bench.ts';

const scenario = fc.record({
  /** The stream of each event, in the order of the log. */
  log: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }),
  /** Which tries fail, as they come, and how. */
  faults: fc.array(fc.constantFrom('none', 'refused', 'unreachable', 'slow'), { maxLength: 60 }),
  /** Places in the log whose event is refused for ever. */
  poison: fc.uniqueArray(fc.nat({ max: 39 }), { maxLength: 3 }),
  /** Which commits break, and whether half of them is written. */
  commits: fc.array(fc.constantFrom('good', 'good', 'lost', 'half'), { maxLength: 12 }),
  restarts: fc.integer({ min: 0, max: 2 }),
  concurrency: fc.integer({ min: 1, max: 5 }),
  eventsMax: fc.integer({ min: 1, max: 20 }),
});

it('every event is delivered at least once, or parked, in the order of its stream', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const bench = new ReactorBench();
      try {
        await play(bench, given);
      } finally {
        await bench.dispose();
      }
    }),
    settings(20),
  );
});

async function play(bench: ReactorBench, given: typeof scenario extends fc.Arbitrary<infer T> ? T : never) {
  const poison = new Set<string>();
  let broken = true;
  const faults = [...given.faults];
  bench.sink.fault = async (event) => {
    if (broken && poison.has(event.id)) return refused;
    const fault = faults.shift() ?? 'none';
    if (fault === 'slow') await new Promise((resolve) => setImmediate(resolve));
    if (fault === 'refused') return refused;
    return fault === 'unreachable' ? unreachable : undefined;
  };
  const commits = [...given.commits];
  bench.store.onCommit = async (proceed, changes) => {
    const fate = commits.shift() ?? 'good';
    if (fate === 'good') return proceed(changes);
    if (fate === 'half') await proceed({ ...changes, deadLetters: [], settled: [], checkpoints: [] });
    throw new StoreError('unavailable', 'no answer');
  };
  const { concurrency, eventsMax } = given;
  const options = { concurrency, eventsMax, commitEvents: 3 };
  for (const [place, stream] of given.log.entries()) {
    const [event] = await bench.record(`thing-${stream}`);
    if (given.poison.includes(place)) poison.add(event?.id ?? '');
  }
  for (let restart = 0; restart < given.restarts; restart += 1) await (await bench.start(options)).stop();
  await bench.start(options);
  await bench.caughtUp();
  await expectAllDealtWith(bench, given.log, poison);

  broken = false;
  faults.length = 0;
  await bench.request('DeadLettersRetryRequestedV1');
  await bench.caughtUp();
  expect(await bench.letters()).toEqual([]);
  for (const stream of new Set(given.log)) {
    const count = given.log.filter((one) => one === stream).length;
    expect(firstTimes(bench.sink.delivered, `thing-${stream}`)).toEqual(range(0, count));
  }
}

/** Each stream was delivered up to some event; that one and all behind it are parked. */
async function expectAllDealtWith(bench: ReactorBench, log: readonly number[], poison: ReadonlySet<string>) {
  const letters = await bench.letters();
  for (const stream of new Set(log)) {
    const name = `thing-${stream}`;
    const count = log.filter((one) => one === stream).length;
    const delivered = firstTimes(bench.sink.delivered, name);
    const parked = letters.filter(([of]) => of === name).map(([, revision]) => revision);
    // A crash may deliver what it had not noted; what is parked comes after everything that is not.
    expect(parked).toEqual(range(count - parked.length, count));
    expect(delivered.slice(0, count - parked.length)).toEqual(range(0, count - parked.length));
  }
  for (const event of bench.sink.delivered) expect(poison.has(event.id)).toBe(false);
}

/** Revisions in the order in which each came for the first time. */
function firstTimes(events: readonly RecordedEvent[], stream: string): number[] {
  return [...new Set(events.filter((event) => event.stream === stream).map(({ revision }) => revision))];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
