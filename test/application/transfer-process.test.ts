/** Driving transfers: every way they may end, and every step at which a driver or its store may be gone. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import { REMEMBERED_OPERATIONS_MAX } from '../../src/event-sourcing/operation-log.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { SOMEONE, TransferBench } from '../support/transfer-bench.ts';

let bench: TransferBench;

beforeEach(async () => {
  bench = new TransferBench();
  await bench.open('100.00');
});
afterEach(() => bench.store.close());

const statuses = async (id: string) => (await bench.transfer(id)).steps.map(({ status }) => status);

/** How a transfer of 30.00 ends, by what happens to the accounts after the money was taken. */
const WAYS = {
  completed: {
    meanwhile: async () => {},
    statuses: ['REQUESTED', 'DEBITED', 'CREDITED', 'COMPLETED'],
    balances: { from: 7_000n, to: 3_000n, suspense: 0n },
    moments: ['debit_settled', 'debit_recorded', 'credit_settled', 'credit_recorded'],
  },
  refunded: {
    meanwhile: () => bench.close(bench.to),
    statuses: ['REQUESTED', 'DEBITED', 'CREDIT_REFUSED', 'REFUNDED'],
    balances: { from: 10_000n, to: 0n, suspense: 0n },
    moments: ['credit_settled', 'credit_recorded', 'refund_settled', 'refund_recorded'],
  },
  suspended: {
    meanwhile: async () => {
      await bench.close(bench.to);
      await bench.withdraw(bench.from, '70.00');
      await bench.close(bench.from);
    },
    statuses: ['REQUESTED', 'DEBITED', 'CREDIT_REFUSED', 'REFUND_REFUSED', 'IN_SUSPENSE'],
    balances: { from: 0n, to: 0n, suspense: 3_000n },
    moments: ['refund_settled', 'refund_recorded', 'suspense_settled', 'suspense_recorded'],
  },
} as const satisfies Record<
  string,
  {
    meanwhile: () => Promise<void>;
    statuses: string[];
    balances: object;
    moments: TransferMoment[];
  }
>;

type Way = keyof typeof WAYS;
const EVERY_MOMENT = (Object.keys(WAYS) as Way[]).flatMap((way) =>
  WAYS[way].moments.map((moment) => ({ way, moment })),
);

/** A driver that does what the way needs after the debit, and stops at a moment, if one is named. */
function driver(way: Way, stopAt?: TransferMoment) {
  return bench.driver(async (moment) => {
    if (moment === 'debit_settled') await WAYS[way].meanwhile();
    if (moment === stopAt) throw new Error(`stopped at ${moment}`);
  });
}

async function expectEnded(way: Way, id: string): Promise<void> {
  expect(await statuses(id)).toEqual(WAYS[way].statuses);
  expect(await bench.balances()).toEqual(WAYS[way].balances);
}

describe('a transfer', () => {
  it.each(Object.keys(WAYS) as Way[])('ends %s, with its money in one place', async (way) => {
    const id = await bench.request('30.00');
    await driver(way).resume(id, SOMEONE);
    await expectEnded(way, id);
  });

  it('is rejected before anything is moved when the money is gone meanwhile', async () => {
    const id = await bench.request('30.00');
    await bench.withdraw(bench.from, '90.00');
    await bench.driver().resume(id, SOMEONE);
    const { steps } = await bench.transfer(id);
    expect(steps.map(({ status, code }) => [status, code])).toEqual([
      ['REQUESTED', undefined],
      ['REJECTED', 'insufficient_funds'],
    ]);
    expect(await bench.balances()).toEqual({ from: 1_000n, to: 0n, suspense: 0n });
  });

  it('is refunded to an account that is frozen', async () => {
    const id = await bench.request('30.00');
    const frozen = bench.driver(async (moment) => {
      if (moment !== 'debit_settled') return;
      await bench.freeze(bench.from, 'ALL');
      await bench.freeze(bench.to, 'ALL');
    });
    await frozen.resume(id, SOMEONE);
    expect(await statuses(id)).toEqual(WAYS.refunded.statuses);
    expect(await bench.balances()).toEqual({ from: 10_000n, to: 0n, suspense: 0n });
  });

  it('is the same one on both accounts, each with the other as its counterpart', async () => {
    const id = await bench.request('30.00');
    await bench.driver().resume(id, SOMEONE);
    const both = { transfer_id: id, from_account_id: bench.from, to_account_id: bench.to, type: 'TRANSFER' };
    const [debit, credit] = (await bench.legs(id)).map(({ data }) => data);
    expect(debit).toMatchObject({ ...both, direction: 'DEBIT', amount: '30.00' });
    expect(credit).toMatchObject({ ...both, direction: 'CREDIT', amount: '30.00' });
    const steps = (await bench.transfer(id)).steps.map(({ transaction_id }) => transaction_id);
    expect(steps).toContain((debit as { transaction_id: string }).transaction_id);
    expect(steps).toContain((credit as { transaction_id: string }).transaction_id);
  });

  it('into suspense goes to one account, however many there are', async () => {
    const first = await bench.request('30.00');
    const second = await bench.request('20.00');
    for (const id of [first, second]) {
      await bench
        .driver((moment) => stopAt(moment, 'debit_settled'))
        .resume(id, SOMEONE)
        .catch(() => {});
    }
    await bench.close(bench.to);
    await bench.withdraw(bench.from, '50.00');
    await bench.close(bench.from);
    for (const id of [first, second]) await bench.driver().resume(id, SOMEONE);
    expect(await bench.balances()).toEqual({ from: 0n, to: 0n, suspense: 5_000n });
  });

  it('that nobody knows cannot be driven', async () => {
    await expect(bench.driver().resume('nobody', SOMEONE)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

function stopAt(moment: TransferMoment, wanted: TransferMoment): void {
  if (moment === wanted) throw new Error(`stopped at ${moment}`);
}

describe('a driver that is gone', () => {
  it.each(EVERY_MOMENT)(
    'at $moment of one that is $way leaves what another finishes',
    async ({ way, moment }) => {
      const id = await bench.request('30.00');
      await expect(driver(way, moment).resume(id, SOMEONE)).rejects.toThrow(moment);
      await bench.driver().resume(id, SOMEONE);
      await expectEnded(way, id);
      await bench.driver().resume(id, SOMEONE);
      await expectEnded(way, id);
    },
  );

  it('and forgotten by an account of many operations does nothing twice', async () => {
    const id = await bench.request('30.00');
    await driver('completed', 'debit_settled')
      .resume(id, SOMEONE)
      .catch(() => {});
    await bench.depositByOperations(bench.from, '0.01', REMEMBERED_OPERATIONS_MAX + 1);
    await bench.driver().resume(id, SOMEONE);
    expect(await statuses(id)).toEqual(WAYS.completed.statuses);
    expect(await bench.balances()).toEqual({
      from: 7_000n + BigInt(REMEMBERED_OPERATIONS_MAX + 1),
      to: 3_000n,
      suspense: 0n,
    });
  });
});

describe('a store', () => {
  const LOST = { crash: 'before it wrote', 'lost answer': 'after it wrote' } as const;
  const faults = (Object.keys(LOST) as (keyof typeof LOST)[]).flatMap((fault) =>
    (Object.keys(WAYS) as Way[]).flatMap((way) =>
      // Both accounts and the transfer itself are written once a step.
      Array.from({ length: 2 * (WAYS[way].statuses.length - 1) }, (_, index) => ({
        fault,
        way,
        append: index + 1,
      })),
    ),
  );

  it.each(faults)(
    'with a $fault at append $append of one that is $way loses and doubles nothing',
    async ({ fault, way, append }) => {
      const id = await bench.request('30.00');
      let appends = 0;
      bench.store.onAppend = async (proceed, { events }) => {
        const ofTransfer = events.some(
          ({ type, data }) => type.startsWith('Transfer') || 'transfer_id' in data,
        );
        if (ofTransfer) appends += 1;
        if (!ofTransfer || appends !== append) return proceed();
        if (fault === 'lost answer') await proceed();
        throw new StoreError('unavailable', `failed ${LOST[fault]}`);
      };
      let story = false;
      const process = bench.driver(async (moment) => {
        if (moment !== 'debit_settled' || story) return;
        story = true;
        await WAYS[way].meanwhile();
      });
      let failures = 0;
      for (let tries = 0; tries < 3; tries += 1) {
        await process.resume(id, SOMEONE).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'unavailable' });
          failures += 1;
        });
      }
      expect(failures).toBeLessThanOrEqual(1);
      await expectEnded(way, id);
    },
  );
});

describe('an answer that an account has given', () => {
  it('stands: a refused credit is not posted after all when the account is free again', async () => {
    const id = await bench.request('30.00');
    await bench.freeze(bench.to);
    const gone = bench.driver((moment) => stopAt(moment, 'credit_settled'));
    await gone.resume(id, SOMEONE).catch(() => {});
    await bench.unfreeze(bench.to);
    await bench.driver().resume(id, SOMEONE);
    expect(await statuses(id)).toEqual(WAYS.refunded.statuses);
    expect(await bench.balances()).toEqual({ from: 10_000n, to: 0n, suspense: 0n });
  });

  it('stands: a refused debit is not posted after all when money has come in', async () => {
    const id = await bench.request('130.00');
    const gone = bench.driver((moment) => stopAt(moment, 'debit_settled'));
    await gone.resume(id, SOMEONE).catch(() => {});
    await bench.deposit(bench.from, '100.00');
    await bench.driver().resume(id, SOMEONE);
    expect(await statuses(id)).toEqual(['REQUESTED', 'REJECTED']);
    expect(await bench.balances()).toEqual({ from: 20_000n, to: 0n, suspense: 0n });
  });
});
