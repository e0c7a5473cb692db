/** What a request for a hold that is not open is told, while the read models are behind or know better. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  openSqliteReadModelStore,
  type SqliteReadModelStore,
} from '../../src/adapters/sqlite/read-model-store.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { holdRefusal } from '../../src/application/commands/hold.ts';
import { placeHold, releaseHold } from '../../src/domain/bank-account.ts';
import { reject } from '../../src/domain/decision.ts';
import { holds } from '../../src/projections/holds.ts';
import { TransferBench } from '../support/transfer-bench.ts';

const hold_id = randomUUID();
let bench: TransferBench;
let readModels: SqliteReadModelStore;

/** A hold that was placed and released, of which the read models have not heard. */
beforeEach(async () => {
  readModels = openSqliteReadModelStore({ kind: 'memory' });
  await readModels.prepare([holds], 'a-store');
  bench = new TransferBench();
  await bench.open('100.00');
  const hold = { hold_id, amount: '20.00', description: 'Hotel deposit' };
  await bench.change(bench.from, (account) => placeHold(account, hold, new Date().toISOString()));
  await bench.change(bench.from, (account) => releaseHold(account, hold_id));
});
afterEach(async () => {
  await readModels.close();
  await bench.store.close();
});

async function told(account_id: string, id = hold_id, code = 'hold_not_open') {
  const bank = { readModels, events: bench.store, codec: createBankCodec('USD') };
  const refusal = await holdRefusal(bank, { account_id, hold_id: id }, reject(code, 'It is not.'));
  return refusal.ok ? 'accepted' : refusal.rejection.code;
}

it('a hold that ended a moment ago is not open, though the read models have never heard of it', async () => {
  expect(await told(bench.from)).toBe('hold_not_open');
});

it('a hold of another account, or of nobody, is not found', async () => {
  expect(await told(bench.to)).toBe('hold_not_found');
  expect(await told(bench.from, randomUUID())).toBe('hold_not_found');
});

it('any other refusal stays what it is', async () => {
  expect(await told(bench.from, hold_id, 'account_frozen')).toBe('account_frozen');
});
