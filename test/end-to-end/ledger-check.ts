/** Checks a bank against its own raw events, folded here once more with nothing of the program's code. */
import { expect } from 'vitest';
import type { BankClient } from '../support/bank-client.ts';
import { ALICE } from '../support/customers.ts';
import type { Acknowledged } from './deposit-load.ts';

interface RawEvent {
  readonly type: string;
  readonly revision: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An account in cents, as its raw events make it. */
interface Folded {
  balance: bigint;
  limit: bigint;
  credits: bigint;
  debits: bigint;
  largest: bigint;
  closed: boolean;
  readonly transactions: Map<string, bigint>;
}

/**
 * Everything that was acknowledged is there exactly once, the read models say what the events say, and no account
 * has an event that nobody sent.
 * @returns how many deposits are in the log, acknowledged or not
 */
export async function expectLedger(
  client: BankClient,
  accounts: readonly string[],
  acknowledged: readonly Acknowledged[],
): Promise<number> {
  const { token } = await client.call('registerPerson', { body: ALICE });
  let found = 0;
  for (const id of accounts) {
    const events = await allEvents(client, id);
    expect(events.map((event) => event.revision)).toEqual(events.map((_, index) => index));
    const folded = fold(events);
    found += folded.transactions.size;
    const mine = acknowledged.filter((one) => one.account_id === id);
    const lost = mine.filter((one) => folded.transactions.get(one.transaction_id) !== one.cents);
    expect(lost, `deposits that were acknowledged, but are not in the log of ${id}`).toEqual([]);
    const { body } = await client.call('getAccount', { params: { id }, token });
    expect(body).toMatchObject({
      balance: decimal(folded.balance),
      available_balance: decimal(folded.balance + folded.limit),
      overdraft_limit: decimal(folded.limit),
      status: folded.closed ? 'CLOSED' : 'ACTIVE',
      transaction_count: folded.transactions.size,
      total_credits: decimal(folded.credits),
      total_debits: decimal(folded.debits),
      largest_transaction: decimal(folded.largest),
      last_modified: events.at(-1)?.metadata.timestamp,
      revision: events.length - 1,
    });
  }
  return found;
}

/** What an owner's summary must say of accounts in one currency. */
export async function expectSummary(client: BankClient, owner: string, accounts: readonly string[]) {
  const { token } = await client.call('registerPerson', { body: ALICE });
  let total = 0n;
  for (const id of accounts) total += fold(await allEvents(client, id)).balance;
  const { body } = await client.call('getOwnerSummary', { params: { id: owner }, token });
  expect(body).toMatchObject({ total_accounts: accounts.length, total_balance: { USD: decimal(total) } });
}

async function allEvents(client: BankClient, id: string): Promise<RawEvent[]> {
  const events: RawEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.call('listAccountEvents', { params: { id }, query: { limit: 200, cursor } });
    events.push(...page.body.items);
    cursor = page.body.next_cursor;
  } while (cursor !== undefined);
  return events;
}

function fold(events: readonly RawEvent[]): Folded {
  const account: Folded = {
    balance: 0n,
    limit: 0n,
    credits: 0n,
    debits: 0n,
    largest: 0n,
    closed: false,
    transactions: new Map(),
  };
  for (const { type, data } of events) {
    if (type === 'BankAccountCreatedDomainEventV2') account.limit = cents(data.overdraft_limit);
    else if (type === 'BankAccountOverdraftLimitChangedDomainEventV1') account.limit = cents(data.new_limit);
    else if (type === 'BankAccountClosedDomainEventV1') account.closed = true;
    else post(account, data);
  }
  return account;
}

function post(account: Folded, data: RawEvent['data']): void {
  const id = String(data.transaction_id);
  if (account.transactions.has(id)) throw new Error(`transaction ${id} is in the log twice`);
  const amount = cents(data.amount);
  account.transactions.set(id, amount);
  if (amount > account.largest) account.largest = amount;
  if (data.direction === 'CREDIT') {
    account.credits += amount;
    account.balance += amount;
  } else {
    account.debits += amount;
    account.balance -= amount;
  }
}

function cents(text: unknown): bigint {
  return BigInt(String(text).replace('.', ''));
}

function decimal(amount: bigint): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(3, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
