/** Consistency tokens: what they say, whose they are, and how long a reader waits for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoint, Collection, ReadModelReader } from '../../src/event-sourcing/read-model-store.ts';
import { ReadYourWrites } from '../../src/event-sourcing/read-your-writes.ts';
import { Signal } from '../../src/event-sourcing/signal.ts';
import { checkpoint } from '../support/read-model-builders.ts';

const THINGS: Collection = { name: 'things', version: 2, indexes: [], listed: true };
const OTHERS: Collection = { name: 'others', version: 1, indexes: [], listed: true };
const STORE = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01';

let checkpoints: Checkpoint[];
let looks: number;
let wakes: number;
let projected: Signal;
let onWake: () => void;
let tokens: ReadYourWrites;

beforeEach(() => {
  checkpoints = [checkpoint(THINGS, 5n), checkpoint(OTHERS, 5n)];
  looks = 0;
  wakes = 0;
  onWake = () => {};
  projected = new Signal();
  const readModels: Pick<ReadModelReader, 'checkpoints'> = {
    checkpoints: async () => {
      looks += 1;
      return checkpoints;
    },
  };
  tokens = new ReadYourWrites({
    storeId: STORE,
    readModels: readModels as ReadModelReader,
    projections: [THINGS, OTHERS],
    headPosition: async () => 5n,
    projected,
    wakeProjector() {
      wakes += 1;
      onWake();
    },
  });
});

function advanceTo(...positions: readonly [things: bigint, others: bigint]): void {
  checkpoints = [checkpoint(THINGS, positions[0]), checkpoint(OTHERS, positions[1])];
}

describe('a token', () => {
  it.each([0n, 1n, 4_294_967_297n, 999_999_999_999_999_999n])('for position %s is read back', (position) => {
    expect(tokens.parse(tokens.token(position))).toBe(position);
  });

  it('of another store is told apart', () => {
    expect(tokens.parse('01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02:5')).toBe('of_another_store');
    expect(tokens.parse('x:5')).toBe('of_another_store');
  });

  it.each([
    '',
    ':',
    ':5',
    STORE,
    `${STORE}:`,
    `${STORE}:-1`,
    `${STORE}:+1`,
    `${STORE}:1.5`,
    `${STORE}:0x1`,
    `${STORE}:1e3`,
    `${STORE}:5 `,
    ` ${STORE}:5`,
    `${STORE}:5\n`,
    `${STORE}:5:6`,
    `${STORE}:5, ${STORE}:6`,
    `${STORE}:٥`,
    `${STORE}:${'9'.repeat(19)}`,
    `${'x'.repeat(65)}:5`,
    'a store:5',
  ])('is malformed when it is "%s"', (token) => {
    expect(tokens.parse(token)).toBe('malformed');
  });
});

describe('waiting for a position', () => {
  it('is over at once when every projection has seen it, without waking anybody', async () => {
    expect(await tokens.waitFor(5n, 1_000)).toBe(true);
    expect(await tokens.waitFor(1n, 0)).toBe(true);
    expect([looks, wakes]).toEqual([2, 0]);
  });

  it('ends with false after the time, when the projections stay behind', async () => {
    const startedAt = Date.now();
    expect(await tokens.waitFor(6n, 80)).toBe(false);
    const took = Date.now() - startedAt;
    expect(took).toBeGreaterThanOrEqual(79);
    expect(took).toBeLessThan(1_000);
    expect(wakes).toBeGreaterThan(1);
  });

  it('without any time looks once', async () => {
    expect(await tokens.waitFor(6n, 0)).toBe(false);
    expect(looks).toBe(1);
  });

  it('wakes the projector, and is over as soon as it has committed', async () => {
    onWake = () => {
      onWake = () => {};
      setTimeout(() => {
        advanceTo(6n, 6n);
        projected.notify();
      }, 5);
    };
    expect(await tokens.waitFor(6n, 10_000)).toBe(true);
    expect([looks, wakes]).toEqual([2, 1]);
  });

  it('goes on when the projector has committed, but not far enough yet', async () => {
    const positions = [6n, 7n, 8n];
    onWake = () => {
      const next = positions.shift();
      if (next === undefined) return;
      setTimeout(() => {
        advanceTo(next, next);
        projected.notify();
      }, 2);
    };
    expect(await tokens.waitFor(8n, 10_000)).toBe(true);
    expect(wakes).toBe(3);
  });

  it('looks by itself when the notice got lost', async () => {
    const waiting = tokens.waitFor(6n, 10_000);
    await sleep(5);
    advanceTo(6n, 6n);
    const startedAt = Date.now();
    expect(await waiting).toBe(true);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });

  it('waits for the slowest projection', async () => {
    advanceTo(6n, 5n);
    expect(await tokens.waitFor(6n, 30)).toBe(false);
    advanceTo(6n, 6n);
    expect(await tokens.waitFor(6n, 0)).toBe(true);
  });

  it('waits for a projection that has no checkpoint yet', async () => {
    checkpoints = [checkpoint(THINGS, 9n)];
    expect(await tokens.waitFor(1n, 30)).toBe(false);
  });

  it('is not deceived by checkpoints of old versions and of projections that are gone', async () => {
    checkpoints = [
      { projection: 'things', version: 1, position: 99n },
      { projection: 'gone', version: 1, position: 1n },
      checkpoint(OTHERS, 9n),
    ];
    expect(await tokens.waitFor(6n, 30)).toBe(false);
    checkpoints = [...checkpoints, checkpoint(THINGS, 6n)];
    expect(await tokens.waitFor(6n, 30)).toBe(true);
  });

  it('many readers may do at once', async () => {
    const waiting = Array.from({ length: 50 }, (_, index) =>
      tokens.waitFor(BigInt(1 + (index % 10)), 10_000),
    );
    await sleep(5);
    advanceTo(10n, 10n);
    projected.notify();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([true]));
  });
});
