/** A rebuild rests while the bank is at work, and goes at full speed while it is not. */
import { expect, it } from 'vitest';
import { RebuildPace } from '../../src/event-sourcing/rebuild-pace.ts';

/** Pieces of work of 20 ms each, while so many events a second come; answers the share of the time that was work. */
async function shareOfWork(eventsPerSecond: number, places = 1, pieces = 500): Promise<number> {
  let now = 0;
  const pace = new RebuildPace({
    places,
    eventsServed: () => Math.floor((now * eventsPerSecond) / 1_000),
    clock: () => now,
    rest: async (ms) => {
      now += ms;
    },
  });
  for (let piece = 0; piece < pieces; piece += 1) {
    now += 20;
    await pace.next();
  }
  return (pieces * 20) / now;
}

it('leaves most of the time to a bank at work', async () => {
  expect(await shareOfWork(5_000)).toBeLessThan(0.2);
});

it('leaves as much to it when the rebuild works in two places at once', async () => {
  expect(2 * (await shareOfWork(5_000, 2))).toBeLessThan(0.2);
});

it('takes all of it where nothing happens, or hardly anything', async () => {
  expect(await shareOfWork(0)).toBe(1);
  expect(await shareOfWork(10)).toBe(1);
});

it('hurries again when the work is over', async () => {
  let now = 0;
  let served = 0;
  const rests: number[] = [];
  const pace = new RebuildPace({
    eventsServed: () => served,
    clock: () => now,
    rest: async (ms) => {
      rests.push(ms);
      now += ms;
    },
  });
  for (let piece = 0; piece < 40; piece += 1) {
    if (piece < 20) served += 1_000;
    now += 100;
    await pace.next();
  }
  expect(Math.max(...rests)).toBe(500);
  expect(rests.at(-1)).toBe(0);
  expect(pace.busy).toBe(false);
});
