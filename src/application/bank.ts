/** What command and query handlers work with, and the few steps that several of them share. */
import {
  type AccountHolder,
  availableBalance,
  type BankAccount,
  type BankAccountEvent,
  type BooksClosed,
  type BooksOperation,
  bankAccountStream,
  decideWithoutExpired,
  evolveBankAccount,
  holderOf,
  limitText,
} from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { type Decision, type Rejection, reject } from '../domain/decision.ts';
import { toDecimal } from '../domain/money.ts';
import { evolvePerson, type Person, type PersonEvent, personStream } from '../domain/person.ts';
import type { EventCodec } from '../event-sourcing/codec.ts';
import type { EventReader, Position, StreamDirectory } from '../event-sourcing/event-store.ts';
import type { RememberedOperation } from '../event-sourcing/operation-log.ts';
import type { OperatorRequests } from '../event-sourcing/operator-requests.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import type {
  Aggregate,
  AggregateType,
  Committed,
  Outcome,
  Refusal,
  Repository,
  SnapshotType,
  StreamSumming,
} from '../event-sourcing/repository.ts';
import type { SnapshotKeeper } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import type { TemporalReplay } from '../event-sourcing/temporal-replay.ts';
import type { AccountArchiving } from './archive-runs.ts';
import type { RequestContext } from './mediator.ts';
import type { TransferProcess, TransferRepository } from './transfer-process.ts';

export const personType: AggregateType<Person, PersonEvent> = {
  name: 'Person',
  stream: personStream,
  evolve: evolvePerson,
};

/** Persons and transfers have a handful of events each, which are read as fast as a snapshot would be. */
export const bankAccountType: SnapshotType<BankAccount, BankAccountEvent> = {
  name: 'BankAccount',
  stream: bankAccountStream,
  evolve: evolveBankAccount,
  // Raise it whenever a field of BankAccount, or what evolveBankAccount makes of an event, changes.
  stateVersion: 1,
  summaryIn: (event) =>
    event.type === 'BankAccountBooksClosedDomainEventV1' ? summedUp(event.data) : undefined,
};

function summedUp({ latest_event_at: latest, operations }: BooksClosed['data']): StreamSumming {
  const { creation, recent, has_forgotten: hasForgotten } = operations;
  return {
    latest,
    operations: {
      ...(creation ? { creation: remembered(creation) } : {}),
      recent: recent.map(remembered),
      hasForgotten,
    },
  };
}

function remembered(operation: BooksOperation): RememberedOperation {
  const { id, content_hash: contentHash, first_revision, last_revision } = operation;
  return { id, contentHash, firstRevision: first_revision, lastRevision: last_revision };
}

export interface Bank {
  readonly persons: Repository<Person, PersonEvent, Rejection>;
  readonly accounts: Repository<BankAccount, BankAccountEvent, Rejection>;
  /** Of accounts; `history` is for looks into the past. */
  readonly snapshots: SnapshotKeeper<BankAccount>;
  /** Accounts as they were. */
  readonly pastAccounts: TemporalReplay<BankAccount, BankAccountEvent>;
  readonly transfers: TransferRepository;
  readonly transferProcess: TransferProcess;
  readonly events: EventReader;
  readonly codec: EventCodec<BankEvent>;
  readonly readModels: ReadModelReader;
  /** Where operators' requests to background consumers are put on record. */
  readonly operatorRequests: OperatorRequests;
  /** What the publisher of CloudEvents remembers; missing when nothing is published. */
  readonly publisherState?: ReadModelReader | undefined;
  /** Missing in processes that archive nothing. */
  readonly archive?: AccountArchiving | undefined;
  /** Present where the store has no browser of its own. */
  readonly streams?: StreamDirectory;
  readonly newId: () => string;
  readonly now: () => Date;
  readonly defaultCurrency: string;
}

/** What it takes to read documents. */
export type ReadingBank = Pick<Bank, 'readModels' | 'events' | 'codec'>;

/** What it takes to find accounts and change them. */
export type ChangingBank = ReadingBank & Pick<Bank, 'accounts' | 'newId' | 'now'>;

/** What every command answers beside its own fields: where its events stand. */
export interface Written {
  readonly stream: string;
  readonly revision: number;
  /** Missing when nothing had to change. */
  readonly position?: Position;
  /** This is the first answer again: the operation was done before. */
  readonly replayed?: true;
}

/** An account as its own stream shows it; figures over many events are the read model's affair. */
export interface AccountState {
  readonly id: string;
  readonly owner_id: string;
  readonly account_type: BankAccount['account_type'];
  readonly status: BankAccount['status'];
  readonly frozen: BankAccount['frozen'];
  readonly currency: string;
  readonly balance: string;
  readonly available_balance: string;
  readonly held: string;
  readonly overdraft_limit: string;
  /** Of customers' debits; null is none. */
  readonly transaction_limit: string | null;
  readonly daily_limit: string | null;
  readonly revision: number;
}

export type AcceptedOnAccount = Committed<BankAccount, BankAccountEvent>;

/**
 * Decides on a customer's account that must exist, and honours If-Match. Holds whose time is over count no more; that they have
 * expired comes before the events of the decision.
 */
export async function changeAccount(
  bank: Pick<Bank, 'accounts'>,
  accountId: string,
  context: RequestContext,
  decide: (account: BankAccount, now: string) => Decision<BankAccountEvent[]>,
  refuseConflict: (operationId: string) => Decision<never> = idempotencyConflict,
): Promise<Decision<AcceptedOnAccount>> {
  const { expectedRevision, ...metadata } = context;
  const outcome = await bank.accounts.execute(
    accountId,
    (account, now) => {
      if (!account) return accountNotFound(accountId);
      const refused = refuseHolder(account, 'CUSTOMER');
      if (refused) return refused;
      return decideWithoutExpired(account, now, (current) => decide(current, now));
    },
    metadata,
    expectedRevision,
  );
  return asDecision(outcome, refuseConflict);
}

/** @param refuseConflict what to say when the id of an operation was used for something else */
export function asDecision<T>(
  outcome: Outcome<T, Refusal<Rejection>>,
  refuseConflict: (operationId: string) => Decision<never> = idempotencyConflict,
): Decision<T> {
  if (outcome.ok || 'detail' in outcome.rejection) return outcome as Decision<T>;
  if (outcome.rejection.code === 'idempotency_conflict') {
    return refuseConflict(outcome.rejection.operationId);
  }
  const { actual } = outcome.rejection;
  return reject('revision_mismatch', `The account is at revision ${actual} by now.`, {
    facts: { actual_revision: actual },
  });
}

export function idempotencyConflict(_operationId?: string): Decision<never> {
  return reject('idempotency_conflict', 'The same id was used before, for something else.');
}

export function accountNotFound(accountId: string) {
  return reject('account_not_found', `There is no account ${accountId}.`, { field: 'account_id' });
}

/** Refuses an account that is not for the asker: customers' commands are not for the bank's own, nor the other way round. */
export function refuseHolder(account: BankAccount, wanted: AccountHolder) {
  if (holderOf(account) === wanted) return undefined;
  return wanted === 'CUSTOMER'
    ? reject('account_of_bank', "The account is the bank's own; operators pay out of it.")
    : reject('account_not_found', 'The account is not one of the bank.');
}

export function personNotFound(personId: string, field: string) {
  return reject('person_not_found', `There is no person ${personId}.`, { field });
}

export function written(committed: Committed<unknown, unknown>): Written {
  const { stream, revision, position, replayed } = committed;
  return {
    stream,
    revision,
    ...(position === undefined ? {} : { position }),
    ...(replayed ? { replayed } : {}),
  };
}

export function accountState(id: string, { state, revision }: Aggregate<BankAccount>): AccountState {
  const { owner_id, account_type, status, frozen, currency } = state;
  return {
    id,
    owner_id,
    account_type,
    status,
    frozen,
    currency,
    balance: toDecimal(state.balance, currency),
    available_balance: toDecimal(availableBalance(state), currency),
    held: toDecimal(state.held, currency),
    overdraft_limit: toDecimal(state.overdraft_limit, currency),
    transaction_limit: limitText(state.limits.transaction, currency),
    daily_limit: limitText(state.limits.daily, currency),
    revision,
  };
}
