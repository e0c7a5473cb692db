/** What can happen to a bank account: its stream, the events in it, and how their first versions are read. */
import { type DecimalString, parseNonNegativeAmount, toDecimal } from '../money.ts';

export const BANK_ACCOUNT_STREAM_PREFIX = 'bank-account-';

/** The stream of one account: `bank-account-` and the id without hyphens. */
export function bankAccountStream(accountId: string): string {
  return BANK_ACCOUNT_STREAM_PREFIX + accountId.replaceAll('-', '');
}

/** SUSPENDED is frozen in one direction or both. */
export const ACCOUNT_STATUSES = ['ACTIVE', 'SUSPENDED', 'CLOSED'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export const ACCOUNT_TYPES = ['CHECKING', 'SAVINGS'] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

export const TRANSACTION_TYPES = [
  'DEPOSIT',
  'WITHDRAWAL',
  'TRANSFER',
  'INTEREST',
  'HOLD',
  'REVERSAL',
  'FEE',
] as const;
export type TransactionType = (typeof TRANSACTION_TYPES)[number];

/** CREDIT puts money into the account, DEBIT takes it out. */
export type Direction = 'CREDIT' | 'DEBIT';

/** The first version: it knew neither currency nor account type, and wrote the limit as a string or a number. */
export interface BankAccountCreatedV1 {
  readonly type: 'BankAccountCreatedDomainEventV1';
  readonly data: { readonly owner_id: string; readonly overdraft_limit: string | number };
}

export interface BankAccountCreated {
  readonly type: 'BankAccountCreatedDomainEventV2';
  readonly data: {
    readonly owner_id: string;
    readonly overdraft_limit: DecimalString;
    readonly account_type: AccountType;
    readonly currency: string;
  };
}

export interface TransactionRecorded {
  readonly type: 'BankAccountTransactionRecordedDomainEventV1';
  readonly data: {
    readonly transaction_id: string;
    readonly type: TransactionType;
    readonly amount: DecimalString;
    readonly currency: string;
    readonly direction: Direction;
    readonly from_account_id?: string;
    readonly to_account_id?: string;
    /** The transfer that this posting is a leg of, or refunds. */
    readonly transfer_id?: string;
    /** The month for which the bank posted interest or its fee: `YYYY-MM`. */
    readonly period?: string;
    /** The posting that this one undoes, or a part of it. */
    readonly reverses_transaction_id?: string;
    /** The posting of which so much can be reversed again: its reversal was refunded by this one. */
    readonly restores_transaction_id?: string;
    /** The hold that was captured by this posting. */
    readonly hold_id?: string;
    readonly description: string;
    /** The client's own name for the posting. */
    readonly external_reference?: string;
    /** The client's own fields. */
    readonly metadata?: Readonly<Record<string, string>>;
    /** The balance after this posting, so that a statement reads from the stream alone. `evolve` never trusts it. */
    readonly balance: DecimalString;
  };
}

export interface OverdraftLimitChanged {
  readonly type: 'BankAccountOverdraftLimitChangedDomainEventV1';
  readonly data: { readonly old_limit: DecimalString; readonly new_limit: DecimalString };
}

export interface BankAccountClosed {
  readonly type: 'BankAccountClosedDomainEventV1';
  readonly data: { readonly reason: string; readonly final_balance: DecimalString };
}

/** Money is set aside: it is still in the balance, but no longer available. */
export interface HoldPlaced {
  readonly type: 'BankAccountHoldPlacedDomainEventV1';
  readonly data: {
    readonly hold_id: string;
    readonly amount: DecimalString;
    readonly currency: string;
    readonly description: string;
    /** RFC 3339 UTC; from then on it counts no more. Without it the hold stays until somebody ends it. */
    readonly expires_at?: string;
  };
}

/** A hold has become a posting, which follows it in the same append; what was not captured is available again. */
export interface HoldCaptured {
  readonly type: 'BankAccountHoldCapturedDomainEventV1';
  readonly data: {
    readonly hold_id: string;
    readonly transaction_id: string;
    readonly captured_amount: DecimalString;
    readonly released_amount: DecimalString;
    readonly currency: string;
  };
}

export const HOLD_RELEASE_REASONS = ['RELEASED', 'EXPIRED'] as const;

/** What a hold can be; the last three are for ever. */
export const HOLD_STATUSES = ['OPEN', 'CAPTURED', ...HOLD_RELEASE_REASONS] as const;
export type HoldStatus = (typeof HOLD_STATUSES)[number];

/** All that was held is available again. */
export interface HoldReleased {
  readonly type: 'BankAccountHoldReleasedDomainEventV1';
  readonly data: {
    readonly hold_id: string;
    readonly amount: DecimalString;
    readonly currency: string;
    readonly reason: (typeof HOLD_RELEASE_REASONS)[number];
  };
}

export type HoldEvent = HoldPlaced | HoldCaptured | HoldReleased;

export const HOLD_EVENT_TYPES = [
  'BankAccountHoldPlacedDomainEventV1',
  'BankAccountHoldCapturedDomainEventV1',
  'BankAccountHoldReleasedDomainEventV1',
] as const satisfies HoldEvent['type'][];

/** What a freeze stops: money going out, coming in, or both. */
export const FREEZE_SCOPES = ['DEBITS', 'CREDITS', 'ALL'] as const;
export type FreezeScope = (typeof FREEZE_SCOPES)[number];

/** It may come again with another scope, which replaces the one before. */
export interface BankAccountFrozen {
  readonly type: 'BankAccountFrozenDomainEventV1';
  readonly data: { readonly scope: FreezeScope; readonly reason: string };
}

export interface BankAccountUnfrozen {
  readonly type: 'BankAccountUnfrozenDomainEventV1';
  readonly data: { readonly reason: string };
}

/** What customers may take out: with one transaction, and in one UTC day. Null is no limit. */
export interface DebitLimitsChanged {
  readonly type: 'BankAccountLimitsChangedDomainEventV1';
  readonly data: {
    readonly transaction_limit: DecimalString | null;
    readonly daily_limit: DecimalString | null;
  };
}

/** The legs of a transfer that an account may refuse. */
export const REFUSABLE_LEGS = ['DEBIT', 'CREDIT', 'REFUND'] as const;
export type RefusableLeg = (typeof REFUSABLE_LEGS)[number];

/** A leg of a transfer that was not posted, and never will be. */
export interface TransferRefused {
  readonly type: 'BankAccountTransferRefusedDomainEventV1';
  readonly data: {
    readonly transfer_id: string;
    readonly leg: RefusableLeg;
    readonly code: string;
    readonly detail: string;
  };
}

/** Yearly interest rates in percent with four decimals, and a fee for each month. */
export interface TermsChanged {
  readonly type: 'BankAccountTermsChangedDomainEventV1';
  readonly data: {
    readonly credit_rate: DecimalString;
    readonly overdraft_rate: DecimalString;
    readonly monthly_fee: DecimalString;
  };
}

/** An operation that the account has done, and where in its stream the events of it stand. */
export interface BooksOperation {
  readonly id: string;
  readonly content_hash: string;
  readonly first_revision: number;
  readonly last_revision: number;
}

/** What the account remembers of its operations; `recent` is in the order of the stream. */
export interface BooksOperations {
  readonly creation: BooksOperation | null;
  readonly recent: readonly BooksOperation[];
  /** Whether there were older ones. */
  readonly has_forgotten: boolean;
}

/** Postings since the account was opened, all periods together. */
export interface BooksTotals {
  readonly transactions: number;
  readonly credits: DecimalString;
  readonly debits: DecimalString;
}

/**
 * The books of a period were closed: all that an account is by now, so that its stream can be folded from here on and
 * what came before may lie elsewhere. It changes nothing. A field that the account's state gains must stand here, too:
 * in a new version of the event.
 */
export interface BooksClosed {
  readonly type: 'BankAccountBooksClosedDomainEventV1';
  readonly data: {
    /** RFC 3339 UTC. The period ended here; events between it and this one are summed up as well. */
    readonly period_end: string;
    /** The greatest business time of all events before this one, RFC 3339 UTC. */
    readonly latest_event_at: string;
    readonly totals: BooksTotals;
    readonly owner_id: string;
    readonly account_type: AccountType;
    readonly currency: string;
    readonly status: AccountStatus;
    readonly frozen: FreezeScope | null;
    readonly balance: DecimalString;
    readonly overdraft_limit: DecimalString;
    readonly held: DecimalString;
    /** Open ones, in the order in which they were placed. */
    readonly holds: readonly {
      readonly hold_id: string;
      readonly amount: DecimalString;
      readonly description: string;
      readonly expires_at?: string;
      readonly placed_on: string;
    }[];
    readonly transaction_limit: DecimalString | null;
    readonly daily_limit: DecimalString | null;
    /** What counts for the daily limit; the day is empty while nothing has. */
    readonly debited: { readonly day: string; readonly amount: DecimalString };
    readonly reversed: readonly {
      readonly transaction_id: string;
      readonly amount: DecimalString;
      readonly at: string;
    }[];
    readonly terms: TermsChanged['data'] | null;
    /** What was not posted yet. Interest is in accrual units, whole numbers as text. */
    readonly accrual: {
      readonly from: string;
      readonly periods: readonly {
        readonly period: string;
        readonly credit: string;
        readonly overdraft: string;
        readonly fee: DecimalString;
      }[];
      readonly carry: { readonly credit: string; readonly overdraft: string };
    } | null;
    readonly operations: BooksOperations;
  };
}

export type BankAccountEvent =
  | BankAccountCreated
  | TransactionRecorded
  | OverdraftLimitChanged
  | BankAccountClosed
  | HoldEvent
  | BankAccountFrozen
  | BankAccountUnfrozen
  | DebitLimitsChanged
  | TransferRefused
  | TermsChanged
  | BooksClosed;

export const BANK_ACCOUNT_EVENT_TYPES = [
  'BankAccountCreatedDomainEventV2',
  'BankAccountTransactionRecordedDomainEventV1',
  'BankAccountOverdraftLimitChangedDomainEventV1',
  'BankAccountClosedDomainEventV1',
  ...HOLD_EVENT_TYPES,
  'BankAccountFrozenDomainEventV1',
  'BankAccountUnfrozenDomainEventV1',
  'BankAccountLimitsChangedDomainEventV1',
  'BankAccountTransferRefusedDomainEventV1',
  'BankAccountTermsChangedDomainEventV1',
  'BankAccountBooksClosedDomainEventV1',
] as const satisfies BankAccountEvent['type'][];

/**
 * Reads a V1 creation as V2: a checking account in the bank's default currency. A limit with more zeros than that
 * currency has decimals (`"500.00"` in JPY) is the same amount.
 * @throws RangeError when the limit is no amount of that currency, which means corrupt data or a wrong default.
 */
export function upcastBankAccountCreatedV1(
  data: BankAccountCreatedV1['data'],
  defaultCurrency: string,
): BankAccountCreated {
  const limit = parseNonNegativeAmount(String(data.overdraft_limit), defaultCurrency, 'overdraft_limit');
  if (!limit.ok) throw new RangeError(limit.rejection.detail);
  return {
    type: 'BankAccountCreatedDomainEventV2',
    data: {
      owner_id: data.owner_id,
      overdraft_limit: toDecimal(limit.value, defaultCurrency),
      account_type: 'CHECKING',
      currency: defaultCurrency,
    },
  };
}
