/** Holds over HTTP: what they do to an account's figures, their end in every way, and requests that race for one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let client: RunningBank['client'];
beforeAll(async () => {
  bank = await startBank();
  client = bank.client;
});
afterAll(() => bank.close());

const place = async (id: string, amount: string, more: object = {}) => {
  const body = { amount, description: 'Hotel deposit', ...more };
  return client.call('placeHold', { params: { id }, body });
};
const figures = async (id: string, token: string) => {
  const { body } = await client.call('getAccount', { params: { id }, token });
  return [body.balance, body.held, body.available_balance, body.transaction_count];
};

it('a hold lowers what is available, a part of it is captured, and the rest is available again', async () => {
  const id = await openAccount(client, { initial_balance: '100.00', overdraft_limit: '10.00' });
  const placed = await place(id, '60.00');
  const hold_id = placed.body.id;
  expect(placed.headers.get('location')).toBe(`/api/v1/accounts/${id}/holds/${hold_id}`);
  expect(await figures(id, placed.token)).toEqual(['100.00', '60.00', '50.00', 1]);
  const params = { id, hold_id };
  const read = await client.call('getHold', { params, token: placed.token });
  expect(read.body).toEqual(placed.body);

  const body = { amount: '45.50', description: 'Hotel bill' };
  const { body: bill, token } = await client.call('captureHold', { params, body });
  expect(bill).toMatchObject({
    type: 'HOLD',
    hold_id,
    amount: '45.50',
    balance: '54.50',
    from_account_id: id,
  });
  expect(await figures(id, token)).toEqual(['54.50', '0.00', '64.50', 2]);
  expect((await client.call('getHold', { params, token })).body).toMatchObject({
    status: 'CAPTURED',
    captured_amount: '45.50',
    released_amount: '14.50',
    transaction_id: bill.transaction_id,
    closed_at: bill.recorded_at,
  });
  const transaction = { params: { id: bill.transaction_id }, token };
  expect((await client.call('getTransaction', transaction)).body).toEqual(bill);
});

it('a release answers the account as it is then, and the list tells open holds from ended ones', async () => {
  const id = await openAccount(client, { initial_balance: '100.00' });
  const first = await place(id, '60.00');
  const second = await place(id, '40.00');
  const params = { id, hold_id: first.body.id };
  const { body, token } = await client.call('releaseHold', { params });
  expect(body).toMatchObject({ balance: '100.00', held: '40.00', available_balance: '60.00' });
  const listed = async (query: object) =>
    (await client.call('listAccountHolds', { params: { id }, query: { ...query }, token })).body.items.map(
      (hold) => [hold.id, hold.status],
    );
  expect(await listed({})).toEqual([
    [second.body.id, 'OPEN'],
    [first.body.id, 'RELEASED'],
  ]);
  expect(await listed({ status: 'OPEN' })).toEqual([[second.body.id, 'OPEN']]);
});

it('captures and releases that race for one hold commit one of them', async () => {
  const id = await openAccount(client, { initial_balance: '100.00' });
  const { body: hold, token } = await place(id, '60.00');
  const params = { id, hold_id: hold.id };
  await client.call('getHold', { params, token });
  const outcomes = await Promise.all([
    ...Array.from({ length: 8 }, () => client.try('captureHold', { params, body: {} })),
    ...Array.from({ length: 8 }, () => client.try('releaseHold', { params })),
  ]);
  const refused = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.problem.code]));
  expect(refused).toEqual(Array.from({ length: 15 }, () => 'hold_not_open'));
  const events = await client.call('listAccountEvents', { params: { id } });
  const ends = events.body.items.filter(({ type }) => /Hold(Captured|Released)/.test(type));
  expect(ends).toHaveLength(1);
});

it('an expired hold stands in nobody’s way, and its end is recorded with what happens next', async () => {
  const id = await openAccount(client, { initial_balance: '100.00' });
  const expires_at = new Date(Date.now() + 200).toISOString();
  const { body: hold } = await place(id, '60.00', { expires_at });
  let token = '';
  await eventually('all of the money is available again', async () => {
    const outcome = await client.try('withdrawal', { body: posting(id, '100.00') });
    token = outcome.token;
    return outcome.ok;
  });
  expect(await figures(id, token)).toEqual(['0.00', '0.00', '0.00', 2]);
  const read = await client.call('getHold', { params: { id, hold_id: hold.id }, token });
  expect(read.body).toMatchObject({ status: 'EXPIRED', released_amount: '60.00', transaction_id: null });
});

it('an expired hold counts no more for who asks, although nothing has recorded it yet', async () => {
  const id = await openAccount(client, { initial_balance: '100.00' });
  const expires_at = new Date(Date.now() + 300).toISOString();
  const { body: hold, token } = await place(id, '60.00', { expires_at });
  const read = () => client.call('getAccount', { params: { id }, token });
  const { etag } = await read();
  await eventually('all of the money is available again', async () => {
    const { body } = await read();
    return body.held === '0.00' && body.available_balance === '100.00';
  });
  // The revision is still the same, but what it stands for is not.
  const known = { 'if-none-match': etag ?? '' };
  const response = await client.fetch('GET', `/api/v1/accounts/${id}`, { headers: known });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ held: '0.00', revision: 2 });
  const params = { id, hold_id: hold.id };
  const path = `/api/v1/accounts/${id}/holds/${hold.id}`;
  expect((await client.fetch('GET', path, { headers: { 'if-none-match': '"2"' } })).status).toBe(200);
  const expired = { status: 'EXPIRED', released_amount: '60.00', closed_at: null, revision: 2 };
  expect((await client.call('getHold', { params })).body).toMatchObject(expired);
  for (const [status, found] of [
    ['OPEN', []],
    ['EXPIRED', [expired]],
  ] as const) {
    const { items } = (await client.call('listAccountHolds', { params: { id }, query: { status } })).body;
    expect(items).toMatchObject(found);
  }
  const listed = (await client.call('listAccounts', { query: { limit: 200 } })).body.items;
  expect(listed.find((account) => account.id === id)).toMatchObject({ held: '0.00' });
});

it('a sweep records the end of expired holds on accounts where nothing else happens', async () => {
  const id = await openAccount(client, { initial_balance: '100.00' });
  const kept = await place(id, '1.00');
  const expires_at = new Date(Date.now() + 200).toISOString();
  for (const amount of ['2.00', '3.00', '4.00']) await place(id, amount, { expires_at });
  await eventually('the end of all but the one that lasts is recorded', async () => {
    let cursor: string | undefined;
    do {
      const { body } = await client.call('expireHolds', {
        query: { limit: 2, cursor },
      });
      expect(body.examined).toBeLessThanOrEqual(2);
      cursor = body.next_cursor;
    } while (cursor !== undefined);
    const { items } = (await client.call('listAccountHolds', { params: { id } })).body;
    const open = items.filter(({ closed_at }) => closed_at === null);
    return open.length === 1 && open[0]?.id === kept.body.id;
  });
  const events = (await client.call('listAccountEvents', { params: { id } })).body.items;
  const ends = events.filter(({ type }) => type.includes('HoldReleased'));
  expect(ends.map(({ data }) => data.amount)).toEqual(['2.00', '3.00', '4.00']);
});
