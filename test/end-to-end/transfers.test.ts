/** Transfers over HTTP: what both accounts show, what is refused, and one whose store fails in between. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { transferSchema } from '../../src/http/schemas/transfers.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let client: RunningBank['client'];
let failing = false;
beforeAll(async () => {
  bank = await startBank({
    hooks: {
      transferFailpoint(moment) {
        if (failing && moment === 'debit_settled') throw new StoreError('unavailable', 'A test said so.');
      },
    },
  });
  client = bank.client;
});
afterAll(() => bank.close());

const body = (from_account_id: string, to_account_id: string, amount = '30.00') => {
  return { from_account_id, to_account_id, amount, description: 'Rent' };
};
const balance = async (id: string, token: string) =>
  (await client.call('getAccount', { params: { id }, token })).body.balance;

it('a transfer ends with the request, and both accounts show it as one', async () => {
  const from = await openAccount(client, { initial_balance: '100.00' });
  const to = await openAccount(client);
  const { body: transfer, token, headers } = await client.call('transfer', { body: body(from, to) });
  expect(transfer).toMatchObject({ ...body(from, to), status: 'COMPLETED', currency: 'USD', revision: 3 });
  expect(transfer.steps.map(({ status }) => status)).toEqual([
    'REQUESTED',
    'DEBITED',
    'CREDITED',
    'COMPLETED',
  ]);
  expect(headers.get('location')).toBe(`/api/v1/transfers/${transfer.id}`);
  expect(await balance(from, token)).toBe('70.00');
  expect(await balance(to, token)).toBe('30.00');

  const read = await client.call('getTransfer', { params: { id: transfer.id }, token });
  expect(read.body).toEqual(transfer);
  for (const [account, direction] of [
    [from, 'DEBIT'],
    [to, 'CREDIT'],
  ] as const) {
    const page = await client.call('listAccountTransactions', { params: { id: account }, token });
    expect(page.body.items[0]).toMatchObject({
      type: 'TRANSFER',
      direction,
      transfer_id: transfer.id,
      from_account_id: from,
      to_account_id: to,
      amount: '30.00',
    });
  }
  const listed = await client.call('listTransfers', { query: { status: 'COMPLETED' } });
  expect(listed.body.items[0]).toEqual(transfer);
});

it('a transfer whose store fails in between is on record, and is finished without the client', async () => {
  const from = await openAccount(client, { initial_balance: '100.00' });
  const to = await openAccount(client);
  failing = true;
  const response = await client.fetch('POST', '/api/v1/transactions/transfer', { body: body(from, to) });
  failing = false;
  expect(response.status).toBe(202);
  const transfer = transferSchema.parse(await response.json());
  expect(transfer.status).toBe('REQUESTED');
  expect(response.headers.get('location')).toBe(`/api/v1/transfers/${transfer.id}`);
  await eventually('the end of the transfer', async () => {
    const read = await client.call('getTransfer', { params: { id: transfer.id } });
    return read.body.status === 'COMPLETED';
  });
  // A write of now is behind the transfer, and so its token shows all of it.
  const { token } = await client.call('deposit', { body: posting(to, '1.00') });
  expect(await balance(from, token)).toBe('70.00');
  expect(await balance(to, token)).toBe('31.00');
});

it('many transfers among few accounts leave the sum as it was', async () => {
  const accounts = await Promise.all(
    Array.from({ length: 4 }, () => openAccount(client, { initial_balance: '20.00' })),
  );
  const pick = (index: number) => accounts[index % 4] as string;
  const outcomes = await Promise.all(
    Array.from({ length: 80 }, (_, index) =>
      client.try('transfer', { body: body(pick(index), pick(index + 1 + (index % 3)), '7.00') }),
    ),
  );
  const last = await client.call('transfer', { body: body(pick(0), pick(1), '0.01') });
  const cents = await Promise.all(
    accounts.map(async (id) => BigInt((await balance(id, last.token)).replace('.', ''))),
  );
  expect(cents.reduce((sum, one) => sum + one, 0n)).toBe(8_000n);
  expect(cents.every((one) => one >= 0n)).toBe(true);
  expect(outcomes.some((outcome) => outcome.ok)).toBe(true);
});

it('a transfer that is sent again under its key is the first one, with its answer', async () => {
  const from = await openAccount(client, { initial_balance: '100.00' });
  const to = await openAccount(client);
  const request = { body: body(from, to), headers: { 'idempotency-key': 'rent of may' } };
  const first = await client.call('transfer', request);
  await client.call('deposit', { body: posting(from, '1.00') });
  const again = await client.call('transfer', request);
  expect(again.body).toEqual(first.body);
  expect([again.status, again.etag, again.token]).toEqual([first.status, first.etag, first.token]);
  expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);

  for (const changed of [
    body(from, to, '30.01'),
    body(to, from),
    { ...body(from, to), description: 'Gift' },
  ]) {
    const { status, problem } = await client.refused('transfer', { ...request, body: changed });
    expect([status, problem.code]).toEqual([422, 'idempotency_conflict']);
  }
  const { token } = await client.call('deposit', { body: posting(to, '1.00') });
  expect([await balance(from, token), await balance(to, token)]).toEqual(['71.00', '31.00']);
});

it('a transfer that races itself under one key is made once', async () => {
  const from = await openAccount(client, { initial_balance: '100.00' });
  const to = await openAccount(client);
  const request = { body: body(from, to), headers: { 'idempotency-key': 'a race' } };
  const answers = await Promise.all([client.call('transfer', request), client.call('transfer', request)]);
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  expect(answers.map(({ headers }) => headers.get('idempotent-replayed')).toSorted()).toEqual([null, 'true']);
  const { token } = await client.call('deposit', { body: posting(to, '1.00') });
  expect([await balance(from, token), await balance(to, token)]).toEqual(['70.00', '31.00']);
});
