/** Two drivers that know nothing of each other, in any order, while the accounts change under them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import { nextStep } from '../../src/domain/transfer.ts';
import { settings } from '../domain/property-settings.ts';
import { SOMEONE, TransferBench } from '../support/transfer-bench.ts';

/** Which leg an event is the outcome of: a second one of the same leg would have the same name. */
function nameOf({ data }: BankAccountEvent): string {
  return 'transaction_id' in data ? data.transaction_id : JSON.stringify(data);
}

const CHANGES = ['nothing', 'freeze', 'unfreeze', 'close', 'spend', 'earn', 'stop'] as const;

it('each leg happens once at most, every transfer ends, and no money is made or lost', async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.constantFrom(...CHANGES), { minLength: 1, maxLength: 12 }),
    fc.array(fc.constantFrom('30.00', '80.00'), { minLength: 1, maxLength: 2 }),
    async (scheduler, changes, amounts) => {
      const bench = new TransferBench();
      try {
        await bench.open('100.00');
        let outside = 10_000n;
        const story = [...changes];
        const change = async () => {
          const next = story.shift();
          if (next === 'freeze') await bench.freeze(bench.to).catch(() => {});
          if (next === 'unfreeze') await bench.unfreeze(bench.to).catch(() => {});
          if (next === 'close') await bench.close(bench.to).catch(() => {});
          if (next === 'stop') throw new Error('stopped');
          const paid = (sign: bigint) => () => {
            outside += sign * 2_500n;
          };
          if (next === 'spend') await bench.withdraw(bench.from, '25.00').then(paid(-1n), () => {});
          if (next === 'earn') await bench.deposit(bench.from, '25.00').then(paid(1n), () => {});
        };
        const ids: string[] = [];
        for (const amount of amounts) ids.push(await bench.request(amount));
        bench.store.onAppend = (proceed) => scheduler.schedule(Promise.resolve(), 'append').then(proceed);
        const driving = [0, 1].map(async () => {
          const driver = bench.driver(change);
          for (const id of ids) await driver.resume(id, SOMEONE).catch(() => {});
        });
        await scheduler.waitFor(Promise.all(driving));
        bench.store.onAppend = undefined;
        for (const id of ids) await bench.driver().resume(id, SOMEONE);

        const { from, to, suspense } = await bench.balances();
        expect(from + to + suspense).toBe(outside);
        for (const id of ids) {
          expect(nextStep(await bench.transfer(id))).toBeUndefined();
          const legs = (await bench.legs(id)).map(nameOf);
          expect(new Set(legs).size).toBe(legs.length);
        }
      } finally {
        await bench.store.close();
      }
    },
  );
  await fc.assert(property, settings(6, 150));
}, 120_000);
