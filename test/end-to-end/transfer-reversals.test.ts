/** Taking transfers back over HTTP: whichever side is named, in parts, at once, twice, and with a store that fails. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** A transfer of 30.00 out of 100.00, with the postings on both sides. */
async function transferred() {
  const from = await openAccount(client, { initial_balance: '100.00' });
  const to = await openAccount(client);
  const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Shoes' };
  const { body: transfer, token } = await client.call('transfer', { body });
  const of = (status: string) =>
    transfer.steps.find((step) => step.status === status)?.transaction_id as string;
  return { from, to, id: transfer.id, token, debit: of('DEBITED'), credit: of('CREDITED') };
}

const reason = 'Goods returned';
const undo = (id: string, token: string, amount?: string) => ({
  params: { id },
  token,
  body: { reason, amount },
});
const balance = async (id: string, token: string) =>
  (await client.call('getAccount', { params: { id }, token })).body.balance;

describe('a transfer', () => {
  it('is answered as it was answered first, when it is asked for again after it was taken back', async () => {
    const from = await openAccount(client, { initial_balance: '100.00' });
    const body = {
      from_account_id: from,
      to_account_id: await openAccount(client),
      amount: '30.00',
      description: 'Shoes',
    };
    const request = { body, headers: { 'idempotency-key': crypto.randomUUID() } };
    const first = await client.call('transfer', request);
    const debit = first.body.steps.find(({ status }) => status === 'DEBITED')?.transaction_id as string;
    await client.call('reverseTransaction', undo(debit, first.token, '10.00'));
    await client.call('reverseTransaction', undo(debit, first.token));
    const again = await client.call('transfer', request);
    expect([again.body, again.etag]).toEqual([first.body, first.etag]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it.each(['debit', 'credit'] as const)('is taken back whole when its %s is reversed', async (side) => {
    const made = await transferred();
    const { from, to, token, debit, credit } = made;
    const reversal = await client.call('reverseTransaction', undo(made[side], token));
    expect(reversal.body).toMatchObject({
      type: 'REVERSAL',
      account_id: side === 'debit' ? from : to,
      direction: side === 'debit' ? 'CREDIT' : 'DEBIT',
      reverses_transaction_id: made[side],
      amount: '30.00',
      description: reason,
      from_account_id: to,
      to_account_id: from,
    });
    expect(await balance(from, reversal.token)).toBe('100.00');
    expect(await balance(to, reversal.token)).toBe('0.00');

    const id = reversal.body.transfer_id as string;
    const shown = { token: reversal.token };
    const back = await client.call('getTransfer', { params: { id }, ...shown });
    expect(back.body).toMatchObject({
      from_account_id: to,
      to_account_id: from,
      status: 'COMPLETED',
      description: reason,
      reverses: {
        transfer_id: made.id,
        amount: '30.00',
        debit_transaction_id: debit,
        credit_transaction_id: credit,
      },
    });
    const original = await client.call('getTransfer', { params: { id: made.id }, ...shown });
    expect(original.body).toMatchObject({ status: 'COMPLETED', reversed_amount: '30.00' });
    expect(original.body.reversals).toEqual([{ transfer_id: id, amount: '30.00', at: expect.any(String) }]);
    for (const [account, undone] of [
      [from, debit],
      [to, credit],
    ] as const) {
      const page = await client.call('listAccountTransactions', { params: { id: account }, ...shown });
      expect(page.body.items[0]).toMatchObject({ reverses_transaction_id: undone, transfer_id: id });
    }

    const again = await client.refused('reverseTransaction', undo(debit, token));
    expect(again.problem).toMatchObject({ code: 'already_reversed', account_id: to });
    const both = await client.refused(
      'reverseTransaction',
      undo(reversal.body.transaction_id, reversal.token),
    );
    expect(both.problem.code).toBe('not_reversible');
  });

  it('is taken back in parts, and never more than it was', async () => {
    const { from, to, id, token, debit, credit } = await transferred();
    await client.call('reverseTransaction', undo(credit, token, '10'));
    const tooMuch = await client.refused('reverseTransaction', undo(debit, token, '20.01'));
    expect(tooMuch.problem).toMatchObject({ code: 'reversal_exceeds_original', left: '20.00' });
    const rest = await client.call('reverseTransaction', undo(debit, token));
    expect(rest.body.amount).toBe('20.00');
    expect(await balance(from, rest.token)).toBe('100.00');
    expect(await balance(to, rest.token)).toBe('0.00');
    const original = await client.call('getTransfer', { params: { id }, token: rest.token });
    expect(original.body.reversals?.map(({ amount }) => amount)).toEqual(['10.00', '20.00']);
    expect(original.body.reversed_amount).toBe('30.00');
  });

  it('is taken back once by many that ask at the same time', async () => {
    const { from, token, debit, credit } = await transferred();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        client.try('reverseTransaction', undo(index % 2 ? debit : credit, token)),
      ),
    );
    const won = outcomes.filter((outcome) => outcome.ok);
    expect(won).toHaveLength(1);
    for (const lost of outcomes) {
      if (!lost.ok) expect(['already_reversed', 'insufficient_funds']).toContain(lost.problem.code);
    }
    expect(await balance(from, won[0]?.token ?? '')).toBe('100.00');
  });

  it('is taken back once by a request that is sent twice', async () => {
    const { from, token, debit } = await transferred();
    const request = { ...undo(debit, token, '10.00'), headers: { 'idempotency-key': `undo-${debit}` } };
    const first = await client.call('reverseTransaction', request);
    const second = await client.call('reverseTransaction', request);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await balance(from, first.token)).toBe('80.00');
    const other = { ...request, ...undo(debit, token, '5.00') };
    expect((await client.refused('reverseTransaction', other)).problem.code).toBe('idempotency_conflict');
  });
});

describe('a reversal of a transfer is refused, and changes nothing,', () => {
  it('when the money is gone; when it is back, so is the way', async () => {
    const { from, to, id, token, debit } = await transferred();
    await client.call('withdrawal', { body: posting(to, '0.01') });
    const key = { headers: { 'idempotency-key': `poor-${debit}` } };
    const refused = await client.refused('reverseTransaction', { ...undo(debit, token), ...key });
    expect(refused.problem).toMatchObject({ code: 'insufficient_funds', account_id: to });
    const events = await client.call('listAccountEvents', { params: { id: to } });
    expect(events.body.items).toHaveLength(3);
    await client.call('deposit', { body: posting(to, '0.01') });
    const done = await client.call('reverseTransaction', { ...undo(debit, token), ...key });
    expect(await balance(from, done.token)).toBe('100.00');
    const original = await client.call('getTransfer', { params: { id }, token: done.token });
    expect(original.body.reversals).toHaveLength(1);
  });

  it('when the receiver is frozen for debits; a sender that is frozen gets the money', async () => {
    const { from, to, token, credit } = await transferred();
    const frozen = { body: { scope: 'ALL', reason: 'Court order' } };
    await client.call('freezeAccount', { params: { id: to }, ...frozen });
    const refused = await client.refused('reverseTransaction', undo(credit, token));
    expect(refused.problem).toMatchObject({ code: 'account_frozen', account_id: to });
    await client.call('unfreezeAccount', { params: { id: to }, body: { reason: 'Lifted' } });
    await client.call('freezeAccount', { params: { id: from }, ...frozen });
    const done = await client.call('reverseTransaction', undo(credit, token));
    expect(await balance(from, done.token)).toBe('100.00');
  });

  it.each(['from', 'to'] as const)('when the account on the side "%s" is closed', async (side) => {
    const made = await transferred();
    const account = made[side];
    const left = side === 'from' ? '70.00' : '30.00';
    await client.call('withdrawal', { body: posting(account, left) });
    await client.call('closeAccount', { params: { id: account }, body: { reason: 'Moved' } });
    const refused = await client.refused('reverseTransaction', undo(made.credit, made.token));
    expect(refused.problem).toMatchObject({ code: 'account_closed', account_id: account });
  });
});

it('a reversal whose store fails in between is on record, and is finished without the client', async () => {
  const { from, id: original, token, debit } = await transferred();
  failing = true;
  const response = await client.fetch('POST', `/api/v1/transactions/${debit}/reversal`, {
    body: { reason },
    token,
  });
  failing = false;
  expect(response.status).toBe(202);
  const reversal = transferSchema.parse(await response.json());
  expect(response.headers.get('location')).toBe(`/api/v1/transfers/${reversal.id}`);
  await eventually('the end of the reversal', async () => {
    const read = await client.call('getTransfer', { params: { id: reversal.id } });
    return read.body.status === 'COMPLETED';
  });
  const { token: after } = await client.call('deposit', { body: posting(from, '1.00') });
  expect(await balance(from, after)).toBe('101.00');
  const read = await client.call('getTransfer', { params: { id: original }, token: after });
  expect(read.body.reversals?.map((one) => one.transfer_id)).toEqual([reversal.id]);
});
