/** The interest job over HTTP: page by page, once for each account and month, whoever runs it how often at a time. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { ALICE } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const ACCOUNTS = Array.from({ length: 5 }, () => randomUUID());
const PLAIN = randomUUID();
let bank: RunningBank;

const terms: BankAccountEvent = {
  type: 'BankAccountTermsChangedDomainEventV1',
  data: { credit_rate: '2.5000', overdraft_rate: '0.0000', monthly_fee: '1.00' },
};
const salary = () => posted(randomUUID(), { ...usd('CREDIT', '1000.00', '1000.00'), type: 'DEPOSIT' });

/** Accounts as they were opened on the first of January 2025. */
async function seed(): Promise<void> {
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
  const timestamp = '2025-01-01T12:00:00.000Z';
  const owner = randomUUID();
  for (const id of [...ACCOUNTS, PLAIN]) {
    const history = [created(owner), ...(id === PLAIN ? [] : [terms]), salary()];
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id, timestamp });
    const events = history.map((event) => newEvent({ ...event, metadata }));
    await mustAppend(store, `bank-account-${id.replaceAll('-', '')}`, events, 'no_stream');
  }
  await store.close();
}

beforeAll(async () => {
  await seed();
  bank = await startBank({ dataDir: directory.file('bank') });
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  await bank.client.call('listAccounts', { token });
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

/** Runs the job to its end, and counts what it posted. */
async function run(period: string, limit: number): Promise<{ examined: number; postings: number }> {
  let cursor: string | undefined;
  const total = { examined: 0, postings: 0 };
  do {
    const { body } = await bank.client.call('postMonth', { body: { period }, query: { limit, cursor } });
    expect(body).toMatchObject({ period, failures: [] });
    expect(body.examined).toBeLessThanOrEqual(limit);
    total.examined += body.examined;
    total.postings += body.postings;
    cursor = body.next_cursor;
  } while (cursor !== undefined);
  return total;
}

it('posts interest and fee once, although several run at the same time and again', async () => {
  const runs = await Promise.all([run('2025-01', 2), run('2025-01', 3), run('2025-01', 200)]);
  expect(runs.map(({ examined }) => examined)).toEqual([6, 6, 6]);
  expect(runs.reduce((total, { postings }) => total + postings, 0)).toBe(10);
  expect(await run('2025-01', 4)).toEqual({ examined: 6, postings: 0 });
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  for (const id of ACCOUNTS) {
    const { items } = (await bank.client.call('listAccountTransactions', { params: { id }, token })).body;
    expect(items.map(({ type, direction, amount, period }) => [type, direction, amount, period])).toEqual([
      ['FEE', 'DEBIT', '1.00', '2025-01'],
      ['INTEREST', 'CREDIT', '2.12', '2025-01'],
      ['DEPOSIT', 'CREDIT', '1000.00', undefined],
    ]);
    const { body } = await bank.client.call('getAccount', { params: { id }, token });
    expect(body).toMatchObject({ balance: '1001.12', credit_rate: '2.5000', monthly_fee: '1.00' });
  }
  const plain = await bank.client.call('getAccount', { params: { id: PLAIN }, token });
  expect(plain.body).toMatchObject({ transaction_count: 1, credit_rate: null });
});
