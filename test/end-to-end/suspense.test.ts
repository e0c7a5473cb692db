/** Money that nobody could take: where operators find it, how they pay it out, and that customers' routes leave it alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BANK_OWNER_ID } from '../../src/domain/bank-account.ts';
import { openAccount, posting } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let client: RunningBank['client'];
let meanwhile: (() => Promise<void>) | undefined;
let suspense: string;
let token: string;

beforeAll(async () => {
  bank = await startBank({
    hooks: {
      async transferFailpoint(moment) {
        if (moment !== 'debit_settled') return;
        const next = meanwhile;
        meanwhile = undefined;
        await next?.();
      },
    },
  });
  client = bank.client;
  // Both accounts are closed while 30.00 are between them.
  const from = await openAccount(client, { initial_balance: '30.00' });
  const to = await openAccount(client);
  meanwhile = async () => {
    for (const id of [from, to])
      await client.call('closeAccount', { params: { id }, body: { reason: 'Moved' } });
  };
  const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Rent' };
  const stuck = await client.call('transfer', { body });
  expect(stuck.body.status).toBe('IN_SUSPENSE');
  token = stuck.token;
  const { items } = (await client.call('listSuspenseAccounts', { token })).body;
  expect(items).toHaveLength(1);
  suspense = items[0]?.id ?? '';
});
afterAll(() => bank.close());

it('operators find it on an account that is the bank’s, with its posting', async () => {
  const { body } = await client.call('getAccount', { params: { id: suspense }, token });
  expect(body).toMatchObject({
    owner_id: BANK_OWNER_ID,
    owner: 'The bank (suspense)',
    currency: 'USD',
    balance: '30.00',
  });
  const page = await client.call('listAccountTransactions', { params: { id: suspense }, token });
  expect(page.body.items).toMatchObject([{ type: 'TRANSFER', direction: 'CREDIT', amount: '30.00' }]);
});

it('the transfer that brought it there cannot be taken back', async () => {
  const page = await client.call('listAccountTransactions', { params: { id: suspense }, token });
  const id = page.body.items[0]?.transaction_id ?? '';
  const { status, problem } = await client.refused('reverseTransaction', {
    params: { id },
    body: { reason: 'The wrong way' },
    token,
  });
  expect(status).toBe(409);
  expect(problem).toMatchObject({ status: 409, code: 'not_reversible', transfer_status: 'IN_SUSPENSE' });
});

it('customers’ lists do not show it', async () => {
  const { items } = (await client.call('listAccounts', { token })).body;
  expect(items).toHaveLength(2);
  expect(items.map(({ id }) => id)).not.toContain(suspense);
  const ofBank = await client.refused('getAccountsByOwner', { params: { owner_id: BANK_OWNER_ID } });
  expect(ofBank.problem.code).toBe('person_not_found');
});

it('a reversal that was refused when it was on record has used up its key, but not the amount', async () => {
  const from = await openAccount(client, { initial_balance: '30.00' });
  const to = await openAccount(client);
  const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Rent' };
  const made = await client.call('transfer', { body });
  const id = made.body.steps.find(({ status }) => status === 'CREDITED')?.transaction_id ?? '';
  const reverse = async (key: string, amount: string) => {
    const headers = { 'idempotency-key': key };
    const request = { params: { id }, body: { reason: 'Error', amount }, headers, token: made.token };
    return (await client.refused('reverseTransaction', request)).problem.code;
  };
  meanwhile = async () => {
    await client.call('closeAccount', { params: { id: from }, body: { reason: 'Moved' } });
  };
  expect(await reverse('first', '30.00')).toBe('account_closed');
  expect(await reverse('first', '30.00')).toBe('account_closed');
  expect(await reverse('first', '10.00')).toBe('idempotency_conflict');
  expect(await reverse('second', '30.00')).toBe('account_closed');
  const { reversals } = (await client.call('getTransfer', { params: { id: made.body.id } })).body;
  expect(reversals ?? []).toEqual([]);
});

describe('customers’ routes leave it alone', () => {
  const params = () => ({ id: suspense });
  const requests = {
    deposit: () => ({ body: posting(suspense, '1.00') }),
    withdrawal: () => ({ body: posting(suspense, '1.00') }),
    interest: () => ({ body: posting(suspense, '1.00') }),
    withdrawOnAccount: () => ({ params: params(), body: { amount: '1.00', description: 'x' } }),
    closeAccount: () => ({ params: params(), body: { reason: 'x' } }),
    freezeAccount: () => ({ params: params(), body: { scope: 'ALL', reason: 'x' } }),
    changeOverdraftLimit: () => ({ params: params(), body: { overdraft_limit: '5' } }),
    placeHold: () => ({ params: params(), body: { amount: '1.00', description: 'x' } }),
  } as const;

  it.each(Object.keys(requests) as (keyof typeof requests)[])('%s', async (operation) => {
    const { problem } = await client.refused(operation, requests[operation]());
    expect(problem.code).toBe('account_of_bank');
  });

  it('transfer, in either direction', async () => {
    const other = await openAccount(client, { initial_balance: '10.00' });
    for (const [from_account_id, to_account_id] of [
      [suspense, other],
      [other, suspense],
    ]) {
      const body = { from_account_id, to_account_id, amount: '1.00', description: 'x' };
      expect((await client.refused('transfer', { body })).problem.code).toBe('account_of_bank');
    }
  });
});

describe('operators', () => {
  const payout = (to_account_id: string, amount = '20.00', currency = 'USD') => ({
    params: { currency },
    body: { to_account_id, amount, description: 'Rent that could not be refunded' },
  });

  it('pay it out by a transfer, once for each key, as long as there is any', async () => {
    const to = await openAccount(client);
    const request = { ...payout(to), headers: { 'idempotency-key': 'pay-alice' } };
    const paid = await client.call('payOutSuspense', request);
    expect(paid.body).toMatchObject({ from_account_id: suspense, to_account_id: to, status: 'COMPLETED' });
    expect((await client.call('payOutSuspense', request)).body).toEqual(paid.body);
    const { body } = await client.call('getAccount', { params: { id: to }, token: paid.token });
    expect(body.balance).toBe('20.00');
    const left = await client.refused('payOutSuspense', payout(to));
    expect(left.problem).toMatchObject({ code: 'insufficient_funds', available_balance: '10.00' });

    const id = paid.body.steps.find(({ status }) => status === 'CREDITED')?.transaction_id ?? '';
    const wrong = { params: { id }, body: { reason: 'The wrong person' }, token: paid.token };
    const back = await client.call('reverseTransaction', wrong);
    const again = await client.call('getAccount', { params: { id: suspense }, token: back.token });
    expect(again.body.balance).toBe('30.00');
  });

  it('are told when there is no such account, on either side', async () => {
    const to = await openAccount(client, { currency: 'EUR' });
    expect((await client.refused('payOutSuspense', payout(to, '1.00', 'EUR'))).problem.code).toBe(
      'account_not_found',
    );
    expect((await client.refused('payOutSuspense', payout(to, '1.00'))).problem.code).toBe(
      'currency_mismatch',
    );
    expect((await client.refused('payOutSuspense', payout(suspense, '1.00'))).problem.code).toBe(
      'same_account',
    );
  });
});
