/** Many postings and transfers in one request: each answers for itself, in order, and is done once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REMEMBERED_OPERATIONS_MAX } from '../../src/event-sourcing/operation-log.ts';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Item = Readonly<Record<string, unknown>>;
type Answered = Awaited<ReturnType<typeof post>>['body']['items'][number];

const directory = temporaryDirectory();
let bank: RunningBank;
let owner_id: string;
beforeAll(async () => {
  bank = await startBank({ dataDir: directory.file('bank') });
  owner_id = await registerAlice(bank.client);
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

const open = (fields: Item = {}) => openAccount(bank.client, { owner_id, ...fields });
const deposit = (account: string, amount: string, more: Item = {}): Item => ({
  type: 'DEPOSIT',
  ...posting(account, amount),
  ...more,
});
const withdrawal = (account: string, amount: string, more: Item = {}): Item => ({
  ...deposit(account, amount, more),
  type: 'WITHDRAWAL',
});
const transfer = (from_account_id: string, to_account_id: string, amount: string, more: Item = {}): Item => ({
  type: 'TRANSFER',
  from_account_id,
  to_account_id,
  amount,
  description: 'Rent',
  ...more,
});

function post(items: readonly unknown[], key?: string) {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return bank.client.call('postBatch', { body: items, headers });
}

/** In a word: how it went, and the balance or the transfer's status or the problem's code. */
function told(item: Answered): string {
  if ('posting' in item) return `${item.outcome} ${item.posting.balance}`;
  if ('transfer' in item) return `${item.outcome} ${item.transfer.status}`;
  return `${item.outcome} ${item.problem.code}`;
}

async function balances(...accounts: string[]): Promise<string[]> {
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  const read = async (id: string) => (await bank.client.call('getAccount', { params: { id }, token })).body;
  return (await Promise.all(accounts.map(read))).map(({ balance }) => balance);
}

async function countEvents(id: string): Promise<number> {
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  return (await bank.client.call('getAccount', { params: { id }, token })).body.revision + 1;
}

describe('a batch', () => {
  it('does its items in the order in which they touch an account, and tells of each in their order', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    const { body, status, etag, token } = await post([
      deposit(a, '100.00'),
      withdrawal(a, '30.00'),
      transfer(a, b, '50.00'),
      transfer(b, c, '50.00'),
      withdrawal(c, '45.00'),
      deposit(a, '1.00'),
    ]);
    expect(body.items.map(told)).toEqual([
      'posted 100.00',
      'posted 70.00',
      'posted COMPLETED',
      'posted COMPLETED',
      'posted 5.00',
      'posted 21.00',
    ]);
    expect(body).toMatchObject({ posted: 6, replayed: 0, refused: 0, failed: 0 });
    expect([status, etag]).toEqual([200, null]);
    const read = await bank.client.call('getAccount', { params: { id: a }, token });
    expect(read.body.balance).toBe('21.00');
    expect(await balances(a, b, c)).toEqual(['21.00', '0.00', '5.00']);
  });

  it('posts what is right of it, and says of the rest what the single route would', async () => {
    const [a, b, closed] = [await open(), await open({ currency: 'EUR' }), await open()];
    await bank.client.call('closeAccount', { params: { id: closed }, body: { reason: 'Test' } });
    const nobody = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1aff';
    const items = [
      withdrawal(a, '1.00'),
      deposit(a, '10.00'),
      deposit(a, '0.001'),
      deposit(nobody, '1.00'),
      deposit(closed, '1.00'),
      transfer(a, b, '1.00'),
      transfer(a, a, '1.00'),
      transfer(a, nobody, '1.00'),
      transfer(a, closed, '1.00'),
      withdrawal(a, '10.01'),
      { type: 'LOAN', account_id: a },
      { ...deposit(a, '1.00'), colour: 'red' },
      { type: 'DEPOSIT' },
      deposit(a, '1.00', { idempotency_key: 'ä' }),
      null,
      [],
      withdrawal(a, '4.00'),
    ];
    const { body } = await post(items);
    expect(body.items.map(told)).toEqual([
      'refused insufficient_funds',
      'posted 10.00',
      'refused amount_too_precise',
      'refused account_not_found',
      'refused account_closed',
      'refused currency_mismatch',
      'refused same_account',
      'refused account_not_found',
      'refused account_closed',
      'refused insufficient_funds',
      'refused invalid_value',
      'refused unknown_field',
      'refused missing_field',
      'refused invalid_idempotency_key',
      'refused invalid_type',
      'refused invalid_type',
      'posted 6.00',
    ]);
    expect(body).toMatchObject({ posted: 2, refused: 15 });
    const single = await bank.client.refused('withdrawal', { body: posting(a, '10.00') });
    const [first] = (await post([withdrawal(a, '10.00')])).body.items;
    expect(first).toEqual({ outcome: 'refused', status: 422, problem: single.problem });
    expect(await balances(a)).toEqual(['6.00']);
  });

  it('answers without a token when it wrote nothing', async () => {
    const { token, body } = await post([5]);
    expect([token, body.refused]).toEqual(['', 1]);
  });

  it('refuses transfers that the ones before them have left nothing for, and puts none of them on record', async () => {
    const payer = await open({ initial_balance: '100.00' });
    const payees = await Promise.all(Array.from({ length: 5 }, () => open()));
    const { body } = await post(payees.map((payee) => transfer(payer, payee, '30.00')));
    expect(body.items.map(told)).toEqual([
      'posted COMPLETED',
      'posted COMPLETED',
      'posted COMPLETED',
      'refused insufficient_funds',
      'refused insufficient_funds',
    ]);
    expect(await balances(payer, ...payees)).toEqual(['10.00', '30.00', '30.00', '30.00', '0.00', '0.00']);
    // Its creation with the first deposit, and the three debits.
    expect(await countEvents(payer)).toBe(5);
  });

  it('sends money round in a circle', async () => {
    const circle = [await open({ initial_balance: '1.00' }), await open(), await open()];
    const steps = Array.from({ length: 12 }, (_, step) =>
      transfer(String(circle[step % 3]), String(circle[(step + 1) % 3]), '1.00'),
    );
    const { body } = await post(steps);
    expect(body.posted).toBe(12);
    expect(await balances(...circle)).toEqual(['1.00', '0.00', '0.00']);
  });

  it('takes as many items as it may have, into one account', async () => {
    const account = await open();
    const { body } = await post(Array.from({ length: 10_000 }, () => deposit(account, '0.01')));
    expect(body.posted).toBe(10_000);
    expect(body.items.map(told)[9_999]).toBe('posted 100.00');
    expect(await countEvents(account)).toBe(10_001);
  });
});

describe('a batch that is sent again', () => {
  it('under its key does nothing twice, and answers as the first time', async () => {
    const [a, b] = [await open(), await open()];
    const items = [deposit(a, '10.00'), deposit(a, '10.00'), transfer(a, b, '5.00'), withdrawal(b, '9.00')];
    const first = await post(items, 'payroll');
    expect(first.body).toMatchObject({ posted: 3, refused: 1 });
    const again = await post(items, 'payroll');
    expect(again.body).toMatchObject({ posted: 0, replayed: 3, refused: 1 });
    const answers = (body: typeof first.body) =>
      body.items.map((item) =>
        'posting' in item ? item.posting : 'transfer' in item ? item.transfer : item,
      );
    expect(answers(again.body)).toEqual(answers(first.body));
    expect(again.token).toMatch(/^[0-9a-f]{16}:\d+$/);
    expect(await balances(a, b)).toEqual(['15.00', '5.00']);
  });

  it('may have what was refused corrected, at its place, but nothing that was posted changed', async () => {
    const [a, b] = [await open(), await open()];
    await post([deposit(a, '10.00'), withdrawal(a, '11.00'), transfer(a, b, '3.00')], 'corrected');
    const { body } = await post(
      [deposit(a, '10.01'), withdrawal(a, '7.00'), transfer(a, b, '3.01')],
      'corrected',
    );
    expect(body.items.map(told)).toEqual([
      'refused idempotency_conflict',
      'posted 0.00',
      'refused idempotency_conflict',
    ]);
    expect(await balances(a, b)).toEqual(['0.00', '3.00']);
  });

  it('without any key is done again', async () => {
    const account = await open();
    await post([deposit(account, '1.00')]);
    await post([deposit(account, '1.00')]);
    expect(await balances(account)).toEqual(['2.00']);
  });

  it('has one answer and one effect when it races itself', async () => {
    const [a, b] = [await open(), await open()];
    const items = [
      ...Array.from({ length: 40 }, () => deposit(a, '1.00')),
      ...Array.from({ length: 10 }, () => transfer(a, b, '2.00')),
    ];
    const raced = await Promise.all([post(items, 'race'), post(items, 'race'), post(items, 'race')]);
    expect(raced.map(({ body }) => body.posted + body.replayed)).toEqual([50, 50, 50]);
    expect(raced.reduce((sum, { body }) => sum + body.posted, 0)).toBe(50);
    const idsOf = (items: readonly Answered[]) =>
      items.map((item) =>
        'posting' in item ? item.posting.transaction_id : 'transfer' in item ? item.transfer.id : '',
      );
    expect(new Set(raced.map(({ body }) => idsOf(body.items).join())).size).toBe(1);
    expect(await balances(a, b)).toEqual(['20.00', '20.00']);
  });

  it('is known after more of its items than an account remembers', async () => {
    const account = await open();
    const length = REMEMBERED_OPERATIONS_MAX + 100;
    const items = Array.from({ length }, () => deposit(account, '1.00'));
    expect((await post(items, 'long')).body).toMatchObject({ posted: length });
    expect((await post(items, 'long')).body).toMatchObject({ replayed: length, posted: 0 });
    expect(await balances(account)).toEqual([`${length}.00`]);
  });

  it('metadata in another order are the same request', async () => {
    const account = await open();
    await post([deposit(account, '1.00', { metadata: { order: '1', line: '2' } })], 'labels');
    const { body } = await post(
      [deposit(account, '1.00', { metadata: { line: '2', order: '1' } })],
      'labels',
    );
    expect(body.replayed).toBe(1);
  });
});

describe("an item's own key", () => {
  it('is the same as the header of a single request, both ways', async () => {
    const [a, b] = [await open(), await open({ initial_balance: '5.00' })];
    const header = (key: string) => ({ 'idempotency-key': key });
    const single = await bank.client.call('deposit', { body: posting(a, '2.00'), headers: header('own') });
    const { body } = await post([
      deposit(a, '2.00', { idempotency_key: 'own' }),
      transfer(b, a, '1.00', { idempotency_key: 'own' }),
    ]);
    expect(body.items.map(told)).toEqual(['replayed 2.00', 'posted COMPLETED']);
    expect(body.items[0]).toMatchObject({ posting: single.body });
    const { type: _ofItem, ...asked } = transfer(b, a, '1.00');
    const again = await bank.client.call('transfer', { body: asked, headers: header('own') });
    expect(body.items[1]).toMatchObject({ transfer: again.body });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('counts once within one batch too, and only for one content', async () => {
    const [a, b] = [await open({ initial_balance: '10.00' }), await open()];
    const own = { idempotency_key: 'twice' };
    const { body } = await post([
      deposit(a, '1.00', own),
      deposit(a, '1.00', own),
      deposit(a, '2.00', own),
      deposit(b, '1.00', own),
      transfer(a, b, '4.00', own),
      transfer(a, b, '4.00', own),
      transfer(a, b, '5.00', own),
    ]);
    expect(body.items.map(told)).toEqual([
      'posted 11.00',
      'replayed 11.00',
      'refused idempotency_conflict',
      'posted 1.00',
      'posted COMPLETED',
      'replayed COMPLETED',
      'refused idempotency_conflict',
    ]);
    expect(await balances(a, b)).toEqual(['7.00', '5.00']);
  });

  it('comes before that of the batch, so the item may stand elsewhere next time', async () => {
    const account = await open();
    const own = deposit(account, '1.00', { idempotency_key: 'mine' });
    await post([own, deposit(account, '2.00')], 'both');
    const { body } = await post([deposit(account, '2.00'), deposit(account, '2.00'), own], 'both');
    expect(body.items.map(told)).toEqual(['posted 5.00', 'replayed 3.00', 'replayed 1.00']);
  });

  it('may be an external reference, as on the single route', async () => {
    const account = await open();
    const invoice = (amount: string) => deposit(account, amount, { external_reference: 'invoice-1' });
    const { body } = await post([invoice('1.00'), invoice('1.00'), invoice('2.00')]);
    expect(body.items.map(told)).toEqual([
      'posted 1.00',
      'replayed 1.00',
      'refused external_reference_conflict',
    ]);
  });
});

describe('beside batches', () => {
  it('other requests are answered, and no more batches than are worked on at a time are taken', async () => {
    const accounts = await Promise.all(Array.from({ length: 20 }, () => open()));
    const items = Array.from({ length: 2_000 }, (_, index) => deposit(String(accounts[index % 20]), '0.01'));
    let done = 0;
    const batches = Array.from({ length: 6 }, async () => {
      const outcome = await bank.client.try('postBatch', { body: items });
      done += 1;
      return outcome;
    });
    const { body } = await bank.client.call('deposit', { body: posting(String(accounts[0]), '1.00') });
    expect(done).toBeLessThan(6);
    expect(body.amount).toBe('1.00');
    const outcomes = await Promise.all(batches);
    for (const outcome of outcomes) {
      if (outcome.ok) expect(outcome.body.posted).toBe(2_000);
      else expect([outcome.status, outcome.problem.code]).toEqual([503, 'store_busy']);
    }
    expect(outcomes.some(({ ok }) => ok)).toBe(true);
  });
});
