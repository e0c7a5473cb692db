/** Read model `bank_accounts`: each account with its owner's name, its balance and figures about its transactions. */
import {
  type AccountStatus,
  type AccountType,
  availableBalance,
  BANK_ACCOUNT_EVENT_TYPES,
  type BankAccountCreated,
  type BankAccountEvent,
  bankAccountStream,
  type FreezeScope,
  type TransactionRecorded,
} from '../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';
import type { Recorded } from '../event-sourcing/codec.ts';
import { defineProjection, type Lookup } from '../event-sourcing/projection.ts';
import { persons } from './persons.ts';

export type AccountDocument = {
  readonly id: string;
  readonly owner_id: string;
  /** First and last name. */
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
};

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
  version: 3,
  indexes: ['owner_id'],
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
        return heldMore(touched, toMinor(event.data.amount, touched.currency));
      case 'BankAccountHoldCapturedDomainEventV1': {
        const { captured_amount, released_amount, currency } = event.data;
        return heldMore(touched, -(toMinor(captured_amount, currency) + toMinor(released_amount, currency)));
      }
      case 'BankAccountHoldReleasedDomainEventV1':
        return heldMore(touched, -toMinor(event.data.amount, touched.currency));
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
    }
  },
});

function opened(id: string, event: Recorded<BankAccountCreated>, lookup: Lookup): AccountDocument {
  const { owner_id, account_type, currency, overdraft_limit } = event.data;
  const owner = lookup.get(persons, owner_id);
  const zero = toDecimal(0n, currency);
  const { timestamp } = event.metadata;
  return {
    id,
    owner_id,
    owner: owner ? `${owner.first_name} ${owner.last_name}` : '',
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
  };
}

function posted(document: AccountDocument, event: Recorded<TransactionRecorded>): AccountDocument {
  const { currency } = document;
  const { amount, direction } = event.data;
  const minor = toMinor(amount, currency);
  const credited = direction === 'CREDIT';
  const balance = toMinor(document.balance, currency) + (credited ? minor : -minor);
  const total = credited ? 'total_credits' : 'total_debits';
  const largest =
    minor > toMinor(document.largest_transaction, currency) ? amount : document.largest_transaction;
  return {
    ...withAmounts(document, { balance: toDecimal(balance, currency) }),
    transaction_count: document.transaction_count + 1,
    [total]: toDecimal(toMinor(document[total], currency) + minor, currency),
    largest_transaction: largest,
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
