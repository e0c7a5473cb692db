/** Driving the reversal of a transfer: every end, every step at which a driver may be gone, and several at a time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import { reversedAmount } from '../../src/domain/transfer-reversal.ts';
import { SOMEONE, TransferBench } from '../support/transfer-bench.ts';

let bench: TransferBench;
let original: string;

/** 30.00 of 100.00 were transferred. */
beforeEach(async () => {
  bench = new TransferBench();
  await bench.open('100.00');
  original = await bench.request('30.00');
  await bench.driver().resume(original, SOMEONE);
});
afterEach(() => bench.store.close());

const statuses = async (id: string) => (await bench.transfer(id)).steps.map(({ status }) => status);
const reversals = async () => (await bench.transfer(original)).reversals?.map((one) => one.transfer_id);

/** How a reversal of 20.00 ends, by what happens to the accounts after the money was taken back. */
const WAYS = {
  completed: {
    meanwhile: async () => {},
    statuses: ['REQUESTED', 'DEBITED', 'CREDITED', 'COMPLETED'],
    balances: { from: 9_000n, to: 1_000n, suspense: 0n },
    reversed: true,
    moments: ['debit_settled', 'debit_recorded', 'credit_settled', 'credit_recorded', 'original_recorded'],
  },
  refunded: {
    meanwhile: async () => {
      await bench.withdraw(bench.from, '70.00');
      await bench.close(bench.from);
    },
    statuses: ['REQUESTED', 'DEBITED', 'CREDIT_REFUSED', 'REFUNDED'],
    balances: { from: 0n, to: 3_000n, suspense: 0n },
    reversed: false,
    moments: ['credit_settled', 'credit_recorded', 'refund_settled', 'refund_recorded'],
  },
  suspended: {
    meanwhile: async () => {
      await bench.withdraw(bench.from, '70.00');
      await bench.close(bench.from);
      await bench.withdraw(bench.to, '10.00');
      await bench.close(bench.to);
    },
    statuses: ['REQUESTED', 'DEBITED', 'CREDIT_REFUSED', 'REFUND_REFUSED', 'IN_SUSPENSE'],
    balances: { from: 0n, to: 0n, suspense: 2_000n },
    reversed: false,
    moments: ['refund_settled', 'refund_recorded', 'suspense_settled', 'suspense_recorded'],
  },
} as const satisfies Record<
  string,
  {
    meanwhile: () => Promise<void>;
    statuses: string[];
    balances: object;
    reversed: boolean;
    moments: TransferMoment[];
  }
>;
type Way = keyof typeof WAYS;
const ALL_WAYS = Object.keys(WAYS) as Way[];

function driver(way: Way, stopAt?: TransferMoment) {
  return bench.driver(async (moment) => {
    if (moment === 'debit_settled') await WAYS[way].meanwhile();
    if (moment === stopAt) throw new Error(`stopped at ${moment}`);
  });
}

async function expectEnded(way: Way, id: string): Promise<void> {
  expect(await statuses(id)).toEqual(WAYS[way].statuses);
  expect(await bench.balances()).toEqual(WAYS[way].balances);
  expect(await reversals()).toEqual(WAYS[way].reversed ? [id] : undefined);
}

describe('a reversal', () => {
  it.each(ALL_WAYS)('ends %s, with its money in one place', async (way) => {
    const id = await bench.requestReversal(original, '20.00');
    await driver(way).resume(id, SOMEONE);
    await expectEnded(way, id);
  });

  it('undoes both sides, each by a posting that names the one it undoes', async () => {
    const id = await bench.requestReversal(original, '20.00');
    await bench.driver().resume(id, SOMEONE);
    const [debit, credit] = (await bench.legs(original)).map(
      ({ data }) => (data as { transaction_id: string }).transaction_id,
    );
    const both = { type: 'REVERSAL', amount: '20.00', transfer_id: id, from_account_id: bench.to };
    const [got, gave] = (await bench.legs(id)).map(({ data }) => data);
    expect(gave).toMatchObject({ ...both, direction: 'DEBIT', reverses_transaction_id: credit });
    expect(got).toMatchObject({ ...both, direction: 'CREDIT', reverses_transaction_id: debit });
  });

  it('is rejected when the money is gone meanwhile, and may be asked for again', async () => {
    const id = await bench.requestReversal(original, '20.00');
    await bench.withdraw(bench.to, '25.00');
    await bench.driver().resume(id, SOMEONE);
    expect(await statuses(id)).toEqual(['REQUESTED', 'REJECTED']);
    expect((await bench.transfer(id)).steps.at(-1)?.code).toBe('insufficient_funds');
    await bench.deposit(bench.to, '25.00');
    const again = await bench.requestReversal(original, '30.00');
    await bench.driver().resume(again, SOMEONE);
    expect(await bench.balances()).toEqual({ from: 10_000n, to: 0n, suspense: 0n });
    expect(await reversals()).toEqual([again]);
  });

  it('that was refunded leaves all of the transfer to reverse', async () => {
    const id = await bench.requestReversal(original, '20.00');
    await driver('refunded').resume(id, SOMEONE);
    const again = await bench.requestReversal(original, '30.00');
    await bench.driver().resume(again, SOMEONE);
    // The account that it goes to is closed: it was debited once more, and refunded once more.
    expect(await statuses(again)).toEqual(WAYS.refunded.statuses);
  });
});

describe('a driver that is gone', () => {
  const everyMoment = ALL_WAYS.flatMap((way) => WAYS[way].moments.map((moment) => ({ way, moment })));

  it.each(everyMoment)(
    'at $moment of one that is $way leaves what another finishes',
    async ({ way, moment }) => {
      const id = await bench.requestReversal(original, '20.00');
      await expect(driver(way, moment).resume(id, SOMEONE)).rejects.toThrow(moment);
      await bench.driver().resume(id, SOMEONE);
      await expectEnded(way, id);
      await bench.driver().resume(id, SOMEONE);
      await expectEnded(way, id);
    },
  );
});

describe('several reversals at a time', () => {
  async function race(amounts: readonly string[]) {
    const ids = await Promise.all(amounts.map((amount) => bench.requestReversal(original, amount)));
    await bench.deposit(bench.to, '500.00');
    await Promise.all(ids.map((id) => bench.driver().resume(id, SOMEONE)));
    const ends = await Promise.all(ids.map((id) => bench.transfer(id)));
    return ends.filter(({ status }) => status === 'COMPLETED');
  }

  it('of all of it: one wins', async () => {
    const won = await race(['30.00', '30.00', '30.00']);
    expect(won).toHaveLength(1);
    expect(await bench.balances()).toEqual({ from: 10_000n, to: 50_000n, suspense: 0n });
  });

  it('of parts of it never exceed it together, and the original lists those that went through', async () => {
    const won = await race(['20.00', '9.00', '8.00', '7.00', '0.01']);
    const sum = won.reduce((total, { amount }) => total + BigInt(amount.replace('.', '')), 0n);
    expect(sum).toBeGreaterThan(0n);
    expect(sum).toBeLessThanOrEqual(3_000n);
    expect((await bench.balances()).from).toBe(7_000n + sum);
    expect(reversedAmount(await bench.transfer(original))).toBe(sum);
  });

  it('drivers of one do nothing twice', async () => {
    const id = await bench.requestReversal(original, '20.00');
    await Promise.all([0, 1, 2].map(() => bench.driver().resume(id, SOMEONE)));
    await expectEnded('completed', id);
  });
});
