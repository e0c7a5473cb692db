/** Fills an event store with accounts and deposits: real decisions of the domain, written in large shared commits. */

import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { createBankCodec } from '../src/application/bank-codec.ts';
import { operationOfKey } from '../src/application/operation.ts';
import {
  type BankAccount,
  type BankAccountEvent,
  bankAccountStream,
  deposit,
  evolveBankAccount,
  openAccount,
} from '../src/domain/bank-account.ts';
import type { BankEvent } from '../src/domain/bank-event.ts';
import type { Decision } from '../src/domain/decision.ts';
import { personStream, registerPerson } from '../src/domain/person.ts';
import type { EventStore, ExpectedRevision, NewEvent } from '../src/event-sourcing/event-store.ts';
import { operationMetadata } from '../src/event-sourcing/operation-log.ts';
import { newId } from '../src/new-id.ts';

/** Appends that are under way at once; the store gives up to so many one commit. */
const APPENDS_AT_ONCE = 2_000;
const ACCOUNTS_PER_OWNER = 2;
const AMOUNT = '12.50';
const CURRENCY = 'USD';

const codec = createBankCodec(CURRENCY);

/** How deposits are written. */
export interface Shape {
  /** With one deposit an append the log is as mixed as that of a busy bank; with more it fills faster. Default 1. */
  readonly depositsPerAppend?: number;
  /** Whether each is an operation of its own, as if it had come with an `Idempotency-Key`. */
  readonly keyed?: boolean;
}

interface SeededAccount {
  readonly id: string;
  state: BankAccount;
}

/**
 * Writes persons, their accounts and `deposits` deposits into accounts chosen at random.
 * @returns the accounts' ids
 */
export async function seed(
  path: string,
  accounts: number,
  deposits: number,
  shape: Shape = {},
): Promise<string[]> {
  const store = openSqliteEventStore({ kind: 'file', path });
  try {
    return await seedInto(store, accounts, deposits, shape);
  } finally {
    await store.close();
  }
}

/** The same into a store that is open already. */
export async function seedInto(
  store: EventStore,
  accounts: number,
  deposits: number,
  { depositsPerAppend = 1, keyed = false }: Shape = {},
): Promise<string[]> {
  const opened = await openAccounts(store, accounts);
  await inGroups(Math.ceil(deposits / depositsPerAppend), (index) => {
    const account = opened[Math.floor(Math.random() * opened.length)] as SeededAccount;
    const times = Math.min(depositsPerAppend, deposits - index * depositsPerAppend);
    return depositInto(store, account, times, keyed);
  });
  return opened.map((account) => account.id);
}

async function openAccounts(store: EventStore, count: number): Promise<SeededAccount[]> {
  const owners: string[] = [];
  await inGroups(Math.ceil(count / ACCOUNTS_PER_OWNER), () => {
    const id = newId();
    owners.push(id);
    return append(store, personStream(id), 'Person', id, accepted(registration()), 'no_stream');
  });
  const opened: SeededAccount[] = [];
  await inGroups(count, (index) => {
    const id = newId();
    const owner = owners[Math.floor(index / ACCOUNTS_PER_OWNER)] as string;
    const events = accepted(opening(id, owner));
    opened.push({ id, state: stateAfter(undefined, events) });
    return append(store, bankAccountStream(id), 'BankAccount', id, events, 'no_stream');
  });
  return opened;
}

function depositInto(
  store: EventStore,
  account: SeededAccount,
  times: number,
  keyed: boolean,
): Promise<void> {
  const events = Array.from({ length: times }, () => nextDeposit(account)).flat();
  return append(store, bankAccountStream(account.id), 'BankAccount', account.id, events, 'any', keyed);
}

function nextDeposit(account: SeededAccount) {
  const posting = { account_id: account.id, transaction_id: newId(), amount: AMOUNT, description: 'Salary' };
  const events = accepted(deposit(account.state, posting));
  account.state = stateAfter(account.state, events);
  return events;
}

function stateAfter(before: BankAccount | undefined, events: readonly BankAccountEvent[]): BankAccount {
  const now = new Date().toISOString();
  return events.reduce((state, event) => evolveBankAccount(state, event, now), before) as BankAccount;
}

function registration() {
  const person = {
    first_name: 'Alice',
    last_name: 'Smith',
    date_of_birth: '1990-05-15',
    nationality: 'US',
    gender: 'FEMALE',
  } as const;
  return registerPerson(undefined, person, '2026-01-15');
}

function opening(account_id: string, owner_id: string) {
  return openAccount(undefined, {
    account_id,
    owner_id,
    account_type: 'CHECKING',
    currency: CURRENCY,
    overdraft_limit: '500.00',
    initial_balance: '0',
    transaction_id: newId(),
  });
}

function accepted<E>(decision: Decision<E[]>): E[] {
  if (!decision.ok) throw new Error(`the seed was refused: ${decision.rejection.detail}`);
  return decision.value;
}

async function append(
  store: EventStore,
  stream: string,
  type: string,
  id: string,
  events: readonly BankEvent[],
  expected: ExpectedRevision,
  keyed = false,
): Promise<void> {
  const cause = newId();
  const timestamp = new Date().toISOString();
  const metadata = {
    aggregate_type: type,
    aggregate_id: id,
    timestamp,
    correlation_id: cause,
    causation_id: cause,
  };
  const encoded: NewEvent[] = events.map((event) => ({
    id: newId(),
    ...codec.encode(event),
    metadata: keyed ? { ...metadata, ...operationMetadata(operationOfKey(newId(), 'seed', '')) } : metadata,
  }));
  const result = await store.append(stream, encoded, expected);
  if (!result.ok) throw new Error(`the seed of ${stream} met a conflict`);
}

async function inGroups(count: number, write: (index: number) => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += APPENDS_AT_ONCE) {
    const size = Math.min(APPENDS_AT_ONCE, count - done);
    await Promise.all(Array.from({ length: size }, (_, index) => write(done + index)));
  }
}
