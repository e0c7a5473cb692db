/** Freezing, limits, terms, reversals and the interest run from the command line, against a bank that runs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openAccount, posting } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { cliOn } from './in-process.ts';
import { recordingServer } from './recording-server.ts';
import type { Outcome } from './run-cli.ts';

let bank: RunningBank;
let run: (...args: string[]) => Promise<Outcome>;
beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => {
  run = cliOn(bank.url);
});
afterAll(() => bank.close());

async function ok(...args: string[]): Promise<Record<string, string>> {
  const outcome = await run(...args);
  expect(outcome, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
  const lines = outcome.stdout.trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/ {2,}/, 2) as [string, string]));
}

describe('account', () => {
  it('is frozen, for all unless told otherwise, and free again', async () => {
    const id = await openAccount(bank.client);
    expect(await ok('account', 'freeze', id, '--reason', 'Court order')).toMatchObject({
      Status: 'SUSPENDED',
      'Frozen for': 'ALL',
    });
    expect(await ok('account', 'freeze', id, '--scope', 'debits', '--reason', 'x')).toMatchObject({
      'Frozen for': 'DEBITS',
    });
    expect(await ok('account', 'unfreeze', id, '--reason', 'Lifted')).toMatchObject({ Status: 'ACTIVE' });
  });

  it('gets limits and terms; what is left out is none', async () => {
    const id = await openAccount(bank.client);
    expect(await ok('account', 'limits', id, '--transaction', '50', '--daily', '80')).toMatchObject({
      'Transaction limit': '50.00 USD',
      'Daily limit': '80.00 USD',
    });
    const daily = await ok('account', 'limits', id, '--daily', '70');
    expect(daily['Daily limit']).toBe('70.00 USD');
    expect(daily).not.toHaveProperty('Transaction limit');
    const rates = ['--credit-rate', '2.50', '--overdraft-rate', '12.125'];
    expect(await ok('account', 'terms', id, ...rates, '--monthly-fee', '3')).toMatchObject({
      'Credit rate': '2.5 %',
      'Overdraft rate': '12.125 %',
      'Monthly fee': '3.00 USD',
    });
    expect(await ok('account', 'terms', id, '--credit-rate', '10')).toMatchObject({
      'Credit rate': '10 %',
      'Overdraft rate': '0 %',
    });
  });
});

describe('reverse', () => {
  it('undoes a deposit in part, once for each key', async () => {
    const id = await openAccount(bank.client);
    const { body, token } = await bank.client.call('deposit', { body: posting(id, '40.00') });
    await bank.client.call('getTransaction', { params: { id: body.transaction_id }, token });
    const args = ['reverse', body.transaction_id, '--amount', '15', '--reason', 'Typo'];
    const first = await ok(...args, '--idempotency-key', 'typo');
    expect(first).toMatchObject({
      Type: 'REVERSAL',
      Amount: '15.00 USD',
      Balance: '25.00 USD',
      Reverses: body.transaction_id,
    });
    expect(await ok(...args, '--idempotency-key', 'typo')).toEqual(first);
  });

  it('takes a transfer back, and says why not', async () => {
    const from = await openAccount(bank.client, { initial_balance: '100.00' });
    const to = await openAccount(bank.client);
    const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Shoes' };
    const made = await bank.client.call('transfer', { body });
    const transaction = made.body.steps.find(({ status }) => status === 'DEBITED')?.transaction_id ?? '';
    await bank.client.call('getTransaction', { params: { id: transaction }, token: made.token });
    expect(await ok('reverse', transaction, '--reason', 'Goods returned')).toMatchObject({
      Account: from,
      Balance: '100.00 USD',
      Reverses: transaction,
    });
    const again = await run('reverse', transaction, '--reason', 'Goods returned');
    expect(again).toMatchObject({ code: 5, stdout: '' });
    expect(again.stderr).toMatch(/^openbank: Already reversed: .*\n$/);
  });

  it('that goes on in the background is no failure, and says so', async () => {
    const transfer = { id: 't1', status: 'DEBITED', amount: '1.00', currency: 'USD', steps: [] };
    const { url, requests } = await recordingServer(({ line }) => ({
      status: line.startsWith('POST') ? 202 : 200,
      body: JSON.stringify(transfer),
      headers: { 'x-consistency-token': 'token:9' },
    }));
    const { code, stdout, stderr } = await cliOn(url)('reverse', 'p1', '--reason', 'x', '-q');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 't1\n' });
    expect(stderr).toBe('The transfer is on record and goes on in the background.\n');
    expect(requests.map(({ line }) => line)).toEqual([
      'POST /api/v1/transactions/p1/reversal',
      'GET /api/v1/transfers/t1',
    ]);
  });
});

describe('interest run', () => {
  it('goes through all accounts, step by step, and adds up', async () => {
    const steps = [
      { period: '2025-01', examined: 200, postings: 3, failures: [], next_cursor: 'c 1' },
      { period: '2025-01', examined: 5, postings: 2, failures: [] },
    ];
    const { url, requests } = await recordingServer(({ line }) => ({
      body: JSON.stringify(steps[line.includes('cursor=') ? 1 : 0]),
    }));
    const { code, stdout } = await cliOn(url)('interest', 'run', '2025-01', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      period: '2025-01',
      examined: 205,
      postings: 5,
      refused: 0,
      failures: [],
    });
    expect(requests.map(({ line, body }) => [line, body])).toEqual([
      ['POST /admin/interest-runs?limit=200', '{"period":"2025-01"}'],
      ['POST /admin/interest-runs?limit=200&cursor=c%201', '{"period":"2025-01"}'],
    ]);
  });

  it('names the accounts that refused, with 5', async () => {
    const failures = [{ account_id: 'a1', code: 'balance_limit_exceeded' }];
    const step = { period: '2025-01', examined: 2, postings: 1, failures };
    const { url } = await recordingServer(() => ({ body: JSON.stringify(step) }));
    const { code, stdout, stderr } = await cliOn(url)('interest', 'run', '2025-01');
    expect(code).toBe(5);
    expect(stdout).toMatch(/^Refused +1$/m);
    expect(stderr).toBe('openbank: 1 accounts took no posting: a1 (balance_limit_exceeded).\n');
  });

  it('is refused for a month that is not over', async () => {
    const outcome = await run('interest', 'run', '2999-01');
    expect(outcome).toMatchObject({ code: 5, stdout: '' });
    expect(outcome.stderr).toMatch(/^openbank: Period not over: /);
  });
});
