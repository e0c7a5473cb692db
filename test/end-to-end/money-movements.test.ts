/** Two accounts between which money moves in every way: what is on the books of the embedded bank afterwards. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { moveMoney } from './money-movements.ts';

let bank: RunningBank;
beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());

it('transfers, holds and reversals end in balances and statements that add up', async () => {
  const notes = await moveMoney(bank.client);
  expect(notes).toContainEqual([
    'account',
    expect.objectContaining({ id: 'first account', balance: '30.00', held: '0.00', transaction_count: 5 }),
  ]);
  expect(notes).toContainEqual([
    'statement',
    expect.objectContaining({
      opening_balance: '0.00',
      total_credits: '105.00',
      total_debits: '75.00',
      closing_balance: '30.00',
    }),
  ]);
  expect(notes).toContainEqual([
    'statement',
    expect.objectContaining({ total_credits: '30.00', total_debits: '0.00', closing_balance: '30.00' }),
  ]);
  expect(notes).toContainEqual([
    'reversal of too much',
    expect.objectContaining({ status: 422, code: 'reversal_exceeds_original' }),
  ]);
});
