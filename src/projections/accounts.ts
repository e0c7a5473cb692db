/** Read model `bank_accounts`: each account with its owner's name, its balance and figures about its transactions. */
import {
  type AccountHolder,
  type AccountStatus,
  type AccountType,
  availableBalance,
  BANK_ACCOUNT_EVENT_TYPES,
  type BankAccountCreated,
  type BankAccountEvent,
  bankAccountStream,
  type FreezeScope,
  type HoldPlaced,
  holderOf,
  type TransactionRecorded,
} from '../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';
import type { Recorded } from '../event-sourcing/codec.ts';
import { defineProjection, type Lookup } from '../event-sourcing/projection.ts';
import { persons } from './persons.ts';

export type AccountDocument = {
  readonly id: string;
  readonly owner_id: string;
  /** Of a person, first and last name. */
  readonly owner: string;
  readonly account_type: AccountType;
  readonly status: AccountStatus;
  readonly frozen: FreezeScope | null;
  readonly currency: string;
  readonly balance: DecimalString;
  readonly available_balance: DecimalString;
  readonly held: DecimalString;
  readonly overdraft_limit: DecimalString;
  readonly transaction_limit: DecimalString | null;
  readonly daily_limit: DecimalString | null;
  /** Percent a year; null, as the other and the fee, until the account gets terms for the first time. */
  readonly credit_rate: DecimalString | null;
  readonly overdraft_rate: DecimalString | null;
  readonly monthly_fee: DecimalString | null;
  readonly transaction_count: number;
  readonly total_credits: DecimalString;
  readonly total_debits: DecimalString;
  readonly largest_transaction: DecimalString;
  readonly last_transaction_at: string | null;
  readonly created_at: string;
  readonly last_modified: string;
  readonly revision: number;
  readonly holder: AccountHolder;
  /** Open holds that may run out by themselves, in the order in which they were placed; missing when there is none. */
  readonly expiring_holds?: readonly ExpiringHold[];
};

type ExpiringHold = Pick<HoldPlaced['data'], 'hold_id' | 'amount'> & { readonly expires_at: string };

/** What the API shows of an account. */
export type ShownAccount = Omit<AccountDocument, 'holder' | 'expiring_holds'>;

/** The owner's name on accounts of the bank itself. */
const BANK_NAME = 'The bank (suspense)';

const AMOUNT_FIELDS = [
  'balance',
  'available_balance',
  'held',
  'overdraft_limit',
  'total_credits',
  'total_debits',
  'largest_transaction',
] as const;

export const accounts = defineProjection<BankAccountEvent, AccountDocument>({
  name: 'bank_accounts',
  version: 4,
  indexes: ['owner_id', 'holder'],
  listed: true,
  eventTypes: BANK_ACCOUNT_EVENT_TYPES,
  minorUnits: (document) =>
    Object.fromEntries(AMOUNT_FIELDS.map((field) => [field, toMinor(document[field], document.currency)])),
  stream: bankAccountStream,
  lookups: (event) =>
    event.type === 'BankAccountCreatedDomainEventV2' ? [{ from: persons, key: event.data.owner_id }] : [],
  keys: (event) => [event.metadata.aggregate_id],
  fold(document, event, lookup, id) {
    if (event.type === 'BankAccountCreatedDomainEventV2') return opened(id, event, lookup);
    if (!document) throw new Error(`account ${id} has no creation event`);
    const touched = { ...document, last_modified: event.metadata.timestamp, revision: event.revision };
    switch (event.type) {
      case 'BankAccountTransactionRecordedDomainEventV1':
        return posted(touched, event);
      case 'BankAccountOverdraftLimitChangedDomainEventV1':
        return withAmounts(touched, { overdraft_limit: event.data.new_limit });
      case 'BankAccountHoldPlacedDomainEventV1':
        return heldMore(withExpiry(touched, event.data), toMinor(event.data.amount, touched.currency));
      case 'BankAccountHoldCapturedDomainEventV1': {
        const { hold_id, captured_amount, released_amount, currency } = event.data;
        const minor = toMinor(captured_amount, currency) + toMinor(released_amount, currency);
        return heldMore(withoutExpiry(touched, hold_id), -minor);
      }
      case 'BankAccountHoldReleasedDomainEventV1':
        return heldMore(
          withoutExpiry(touched, event.data.hold_id),
          -toMinor(event.data.amount, touched.currency),
        );
      case 'BankAccountLimitsChangedDomainEventV1':
      case 'BankAccountTermsChangedDomainEventV1':
        return { ...touched, ...event.data };
      case 'BankAccountFrozenDomainEventV1':
        return { ...touched, status: 'SUSPENDED', frozen: event.data.scope };
      case 'BankAccountUnfrozenDomainEventV1':
        return { ...touched, status: 'ACTIVE', frozen: null };
      case 'BankAccountTransferRefusedDomainEventV1':
        return touched;
      case 'BankAccountClosedDomainEventV1':
        return { ...touched, status: 'CLOSED' };
      case 'BankAccountBooksClosedDomainEventV1':
        // The bank has tidied up; nothing about the account was modified.
        return { ...document, revision: event.revision };
    }
  },
});

function opened(id: string, event: Recorded<BankAccountCreated>, lookup: Lookup): AccountDocument {
  const { owner_id, account_type, currency, overdraft_limit } = event.data;
  const owner = lookup.get(persons, owner_id);
  const holder = holderOf(event.data);
  const zero = toDecimal(0n, currency);
  const { timestamp } = event.metadata;
  return {
    id,
    owner_id,
    owner: holder === 'BANK' ? BANK_NAME : owner ? `${owner.first_name} ${owner.last_name}` : '',
    account_type,
    status: 'ACTIVE',
    frozen: null,
    currency,
    balance: zero,
    available_balance: overdraft_limit,
    held: zero,
    overdraft_limit,
    transaction_limit: null,
    daily_limit: null,
    credit_rate: null,
    overdraft_rate: null,
    monthly_fee: null,
    transaction_count: 0,
    total_credits: zero,
    total_debits: zero,
    largest_transaction: zero,
    last_transaction_at: null,
    created_at: timestamp,
    last_modified: timestamp,
    revision: event.revision,
    holder,
  };
}

function posted(document: AccountDocument, event: Recorded<TransactionRecorded>): AccountDocument {
  const { currency, balance, available_balance, total_credits, total_debits, largest_transaction } = document;
  const { amount, direction } = event.data;
  const minor = toMinor(amount, currency);
  const credited = direction === 'CREDIT';
  const plus = (before: DecimalString, change: bigint) =>
    toDecimal(toMinor(before, currency) + change, currency);
  // What is held and the overdraft stay, so what is available changes as the balance does.
  const change = credited ? minor : -minor;
  return {
    ...document,
    balance: plus(balance, change),
    available_balance: plus(available_balance, change),
    transaction_count: document.transaction_count + 1,
    total_credits: credited ? plus(total_credits, minor) : total_credits,
    total_debits: credited ? total_debits : plus(total_debits, minor),
    largest_transaction: minor > toMinor(largest_transaction, currency) ? amount : largest_transaction,
    last_transaction_at: event.metadata.timestamp,
  };
}

function heldMore(document: AccountDocument, minor: bigint): AccountDocument {
  const { held, currency } = document;
  return withAmounts(document, { held: toDecimal(toMinor(held, currency) + minor, currency) });
}

/** With new amounts, and what is available then. */
function withAmounts(
  document: AccountDocument,
  amounts: Partial<Pick<AccountDocument, 'balance' | 'held' | 'overdraft_limit'>>,
): AccountDocument {
  const changed = { ...document, ...amounts };
  const { currency } = changed;
  const available = availableBalance({
    balance: toMinor(changed.balance, currency),
    held: toMinor(changed.held, currency),
    overdraft_limit: toMinor(changed.overdraft_limit, currency),
  });
  return { ...changed, available_balance: toDecimal(available, currency) };
}

function withExpiry(document: AccountDocument, { hold_id, amount, expires_at }: HoldPlaced['data']) {
  if (expires_at === undefined) return document;
  const { expiring_holds = [] } = document;
  return { ...document, expiring_holds: [...expiring_holds, { hold_id, amount, expires_at }] };
}

function withoutExpiry(document: AccountDocument, holdId: string): AccountDocument {
  const { expiring_holds, ...others } = document;
  const left = expiring_holds?.filter(({ hold_id }) => hold_id !== holdId) ?? [];
  return left.length > 0 ? { ...others, expiring_holds: left } : others;
}

/**
 * The account at an instant: a hold whose time is over counts no more, although that may not be recorded yet.
 * @param now RFC 3339 UTC
 * @returns with `settled`: whether the document alone says the same, so that its revision stands for what is shown
 */
export function accountAt(
  document: AccountDocument,
  now: string,
): { account: ShownAccount; settled: boolean } {
  const expired = (document.expiring_holds ?? []).filter(({ expires_at }) => expires_at <= now);
  const free = expired.reduce((sum, { amount }) => sum + toMinor(amount, document.currency), 0n);
  const { holder: _ofBank, expiring_holds: _all, ...account } = heldMore(document, -free);
  return { account, settled: expired.length === 0 };
}
