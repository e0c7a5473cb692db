/** A client's own names and fields on postings: kept, found again, and taken once per account. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccount, posting } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let client: RunningBank['client'];
beforeAll(async () => {
  bank = await startBank();
  client = bank.client;
});
afterAll(() => bank.close());

const named = (id: string, amount: string, external_reference: string) => ({
  body: { ...posting(id, amount), external_reference },
});

describe('an external reference', () => {
  it('comes back with its posting and its metadata, and finds it', async () => {
    const id = await openAccount(client);
    const metadata = { order: '4711', 'shop.id': 'ä/1' };
    const body = { ...posting(id, '5.00'), external_reference: 'invoice 4711/ü', metadata };
    const { body: first, token } = await client.call('deposit', { body });
    expect(first).toMatchObject({ external_reference: 'invoice 4711/ü', metadata });
    await client.call('deposit', { body: posting(id, '5.00') });
    const list = async (account: string, external_reference: string) =>
      (
        await client.call('listAccountTransactions', {
          params: { id: account },
          query: { external_reference },
          token,
        })
      ).body.items;
    expect(await list(id, 'invoice 4711/ü')).toEqual([first]);
    expect(await list(id, 'invoice')).toEqual([]);
    expect(await list(await openAccount(client), 'invoice 4711/ü')).toEqual([]);
    const nobody = { params: { id: first.transaction_id }, query: { external_reference: 'x' } };
    expect((await client.refused('listAccountTransactions', nobody)).status).toBe(404);
  });

  it('gets the first answer again, however often and fast it is sent', async () => {
    const id = await openAccount(client);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.call('deposit', named(id, '5.00', 'invoice-1'))),
    );
    expect(new Set(answers.map(({ body }) => body.transaction_id)).size).toBe(1);
    const replays = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replays).toHaveLength(19);
    expect(answers.at(-1)?.body.balance).toBe('5.00');
  });

  it('is refused for anything else on the same account, and free on another', async () => {
    const id = await openAccount(client);
    await client.call('deposit', named(id, '5.00', 'invoice-1'));
    for (const [operation, amount] of [
      ['deposit', '6.00'],
      ['withdrawal', '5.00'],
    ] as const) {
      const { problem, status } = await client.refused(operation, named(id, amount, 'invoice-1'));
      expect([status, problem.code, problem.errors?.[0]?.pointer]).toEqual([
        409,
        'external_reference_conflict',
        '/external_reference',
      ]);
    }
    await client.call('deposit', named(await openAccount(client), '6.00', 'invoice-1'));
  });

  it('and a key beside it both hold: the key has one effect, and the reference names one posting', async () => {
    const id = await openAccount(client);
    const send = (key: string | undefined, reference: string | undefined) => ({
      body: { ...posting(id, '5.00'), ...(reference ? { external_reference: reference } : {}) },
      ...(key ? { headers: { 'idempotency-key': key } } : {}),
    });
    const { body: first } = await client.call('deposit', send('k', 'r'));
    const again = await client.call('deposit', send('k', 'r'));
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([first, 'true']);
    for (const [key, reference, code] of [
      ['k', undefined, 'idempotency_conflict'],
      ['k', 'other', 'idempotency_conflict'],
      ['other', 'r', 'external_reference_conflict'],
      [undefined, 'r', 'external_reference_conflict'],
    ] as const) {
      expect((await client.refused('deposit', send(key, reference))).problem.code).toBe(code);
    }
    const { body: free } = await client.call('deposit', send('other', 'other'));
    expect(free.balance).toBe('10.00');
    const racing = Array.from({ length: 8 }, (_, n) =>
      client.try('deposit', send('raced', `raced-${n % 2}`)),
    );
    const outcomes = await Promise.all(racing);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(4);
    expect((await client.call('deposit', { body: posting(id, '5.00') })).body.balance).toBe('20.00');
  });

  it('is not used up by a refusal', async () => {
    const id = await openAccount(client);
    await client.refused('withdrawal', named(id, '5.00', 'rent'));
    await client.call('deposit', { body: posting(id, '5.00') });
    await client.call('withdrawal', named(id, '5.00', 'rent'));
  });
});

it.each([
  ['JPY', '1200', '200', '1000'],
  ['BHD', '1.250', '0.125', '1.125'],
])('holds, captures and reversals in %s have its decimals', async (currency, paid, held, left) => {
  const id = await openAccount(client, { currency, initial_balance: paid });
  const hold = { params: { id }, body: { amount: held, description: 'Car' } };
  const { body: placed } = await client.call('placeHold', hold);
  expect([placed.amount, placed.captured_amount]).toEqual([held, currency === 'JPY' ? '0' : '0.000']);
  const params = { id, hold_id: placed.id };
  const { body: capture, token } = await client.call('captureHold', { params, body: {} });
  expect([capture.amount, capture.balance]).toEqual([held, left]);
  const reversal = { params: { id: capture.transaction_id }, body: { reason: 'Mistake' }, token };
  const { body: reversed } = await client.call('reverseTransaction', reversal);
  expect([reversed.type, reversed.amount, reversed.balance]).toEqual(['REVERSAL', held, paid]);
});
