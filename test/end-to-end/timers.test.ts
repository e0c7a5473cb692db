/** Holds and months that a running bank takes care of by itself, unless it is told not to. */
import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { openAccount } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const OFTEN = { OPENBANK_HOLD_EXPIRY_SECONDS: '0.05', OPENBANK_INTEREST_SECONDS: '0.05' };

/** An account with terms, as it was opened in January 2025. */
async function seed(): Promise<string> {
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
  const id = randomUUID();
  const terms: BankAccountEvent = {
    type: 'BankAccountTermsChangedDomainEventV1',
    data: { credit_rate: '0.0000', overdraft_rate: '0.0000', monthly_fee: '1.00' },
  };
  const history = [created(randomUUID()), terms, posted(randomUUID(), usd('CREDIT', '1000.00', '1000.00'))];
  const metadata = newMetadata({
    aggregate_type: 'BankAccount',
    aggregate_id: id,
    timestamp: '2025-01-01T12:00:00.000Z',
  });
  const events = history.map((event) => newEvent({ ...event, metadata }));
  await mustAppend(store, `bank-account-${id.replaceAll('-', '')}`, events, 'no_stream');
  await store.close();
  return id;
}

it('expired holds and past months are recorded without a hand', async () => {
  const seeded = await seed();
  const bank = await startBank({ dataDir: directory.file('bank'), settings: OFTEN });
  try {
    const { client } = bank;
    const id = await openAccount(client, { initial_balance: '100.00' });
    const expires_at = new Date(Date.now() + 200).toISOString();
    await client.call('placeHold', {
      params: { id },
      body: { amount: '60.00', description: 'Hotel', expires_at },
    });
    await eventually('the end of the hold', async () => {
      const { items } = (await client.call('listAccountEvents', { params: { id } })).body;
      return items.some(({ type, data }) => type.includes('HoldReleased') && data.reason === 'EXPIRED');
    });
    await eventually('the fees of the first year', async () => {
      const { body } = await client.call('listAccountTransactions', { params: { id: seeded } });
      return body.items.some(({ type, period }) => type === 'FEE' && period === '2025-12');
    });
    const { timers } = (await client.call('status')).body;
    expect(timers.map(({ name, last_error }) => [name, last_error])).toEqual([
      ['hold_expiry', null],
      ['interest', null],
    ]);
  } finally {
    await bank.close();
  }
});

it('timers can be switched off', async () => {
  const off = { OPENBANK_HOLD_EXPIRY_SECONDS: '0', OPENBANK_INTEREST_SECONDS: '0' };
  const bank = await startBank({ settings: off });
  try {
    expect((await bank.client.call('status')).body.timers).toEqual([]);
  } finally {
    await bank.close();
  }
});
