/** The BankAccount aggregate: a balance that only its own events can change. Stream name → events → state and evolve → decisions. */
import { accept, type Decision, reject } from './decision.ts';
import {
  BALANCE_MAX_MINOR,
  type DecimalString,
  parseNonNegativeAmount,
  parsePositiveAmount,
  toDecimal,
  toMinor,
} from './money.ts';

// --- Stream ---------------------------------------------------------------------------------------------------

export const BANK_ACCOUNT_STREAM_PREFIX = 'bank-account-';

/** The stream of one account: `bank-account-` and the id without hyphens. */
export function bankAccountStream(accountId: string): string {
  return BANK_ACCOUNT_STREAM_PREFIX + accountId.replaceAll('-', '');
}

// --- Events ---------------------------------------------------------------------------------------------------

export const ACCOUNT_TYPES = ['CHECKING', 'SAVINGS'] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

export const TRANSACTION_TYPES = ['DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'INTEREST'] as const;
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
    readonly description: string;
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

export type BankAccountEvent =
  | BankAccountCreated
  | TransactionRecorded
  | OverdraftLimitChanged
  | BankAccountClosed;

export const BANK_ACCOUNT_EVENT_TYPES = [
  'BankAccountCreatedDomainEventV2',
  'BankAccountTransactionRecordedDomainEventV1',
  'BankAccountOverdraftLimitChangedDomainEventV1',
  'BankAccountClosedDomainEventV1',
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

// --- State ----------------------------------------------------------------------------------------------------

/** What a decision needs to know of an account. Amounts are minor units of `currency`. */
export interface BankAccount {
  readonly owner_id: string;
  readonly account_type: AccountType;
  readonly currency: string;
  readonly status: 'ACTIVE' | 'CLOSED';
  readonly balance: bigint;
  readonly overdraft_limit: bigint;
}

/**
 * Folds one event into the state; `undefined` is an account that does not exist yet.
 * @throws Error when a stream does not start with its one creation or mixes currencies, which means corrupt data.
 */
export function evolveBankAccount(state: BankAccount | undefined, event: BankAccountEvent): BankAccount {
  if (event.type === 'BankAccountCreatedDomainEventV2') {
    if (state) throw new Error('the account was created twice');
    return created(event.data);
  }
  if (!state) throw new Error(`${event.type} came before the account was created`);
  switch (event.type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      if (event.data.currency !== state.currency)
        throw new Error(`${event.data.currency} in a ${state.currency} account`);
      return { ...state, balance: state.balance + signedAmount(event.data) };
    case 'BankAccountOverdraftLimitChangedDomainEventV1':
      return { ...state, overdraft_limit: toMinor(event.data.new_limit, state.currency) };
    case 'BankAccountClosedDomainEventV1':
      return { ...state, status: 'CLOSED' };
  }
}

function created(data: BankAccountCreated['data']): BankAccount {
  return {
    owner_id: data.owner_id,
    account_type: data.account_type,
    currency: data.currency,
    status: 'ACTIVE',
    balance: 0n,
    overdraft_limit: toMinor(data.overdraft_limit, data.currency),
  };
}

/** What a posting adds to the balance, in minor units: negative for a debit. */
export function signedAmount(data: TransactionRecorded['data']): bigint {
  const amount = toMinor(data.amount, data.currency);
  return data.direction === 'CREDIT' ? amount : -amount;
}

/** What may still be taken out, in minor units: balance and overdraft together. */
export function availableBalance(state: Pick<BankAccount, 'balance' | 'overdraft_limit'>): bigint {
  return state.balance + state.overdraft_limit;
}

// --- Decisions ------------------------------------------------------------------------------------------------

export interface OpenAccount {
  readonly account_id: string;
  readonly owner_id: string;
  readonly account_type: AccountType;
  readonly currency: string;
  readonly overdraft_limit: string;
  readonly initial_balance: string;
  /** The id of the opening deposit; used only when `initial_balance` is above zero. */
  readonly transaction_id: string;
}

/**
 * Opens an account; an initial balance above zero becomes a deposit in the same append.
 * Rejects with `account_already_exists` or an amount's code (`amount_too_precise`, …).
 */
export function openAccount(
  state: BankAccount | undefined,
  command: OpenAccount,
): Decision<BankAccountEvent[]> {
  if (state) return reject('account_already_exists', 'This account exists already.');
  const { currency } = command;
  const limit = parseNonNegativeAmount(command.overdraft_limit, currency, 'overdraft_limit');
  if (!limit.ok) return limit;
  const opening = parseNonNegativeAmount(command.initial_balance, currency, 'initial_balance');
  if (!opening.ok) return opening;
  const creation: BankAccountCreated = {
    type: 'BankAccountCreatedDomainEventV2',
    data: {
      owner_id: command.owner_id,
      overdraft_limit: toDecimal(limit.value, currency),
      account_type: command.account_type,
      currency,
    },
  };
  if (opening.value === 0n) return accept([creation]);
  const account = evolveBankAccount(undefined, creation);
  const posting: Posting = {
    account_id: command.account_id,
    transaction_id: command.transaction_id,
    amount: command.initial_balance,
    description: 'Initial balance',
  };
  return accept([creation, transaction(account, posting, 'DEPOSIT', 'CREDIT', opening.value)]);
}

/** One movement of money on one account. `amount` is the client's decimal text. */
export interface Posting {
  readonly account_id: string;
  readonly transaction_id: string;
  readonly amount: string;
  readonly description: string;
}

/** Puts money in. Rejects with `account_closed`, `balance_limit_exceeded` or an amount's code. */
export function deposit(state: BankAccount, posting: Posting): Decision<BankAccountEvent[]> {
  return credit(state, posting, 'DEPOSIT');
}

/** Posts interest that the bank pays. Rejects as a deposit does. */
export function postInterest(state: BankAccount, posting: Posting): Decision<BankAccountEvent[]> {
  return credit(state, posting, 'INTEREST');
}

/** Takes money out. Rejects with `account_closed`, `insufficient_funds` or an amount's code. */
export function withdraw(state: BankAccount, posting: Posting): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const amount = parsePositiveAmount(posting.amount, state.currency, 'amount');
  if (!amount.ok) return amount;
  if (amount.value > availableBalance(state)) return insufficientFunds(state, amount.value);
  return accept([transaction(state, posting, 'WITHDRAWAL', 'DEBIT', amount.value)]);
}

/**
 * Sets how far the balance may go below zero. The limit that is in force already changes nothing.
 * Rejects with `account_closed`, `overdraft_in_use` or an amount's code.
 */
export function changeOverdraftLimit(state: BankAccount, limit: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const parsed = parseNonNegativeAmount(limit, state.currency, 'overdraft_limit');
  if (!parsed.ok) return parsed;
  if (parsed.value === state.overdraft_limit) return accept([]);
  if (state.balance < -parsed.value) {
    const used = toDecimal(-state.balance, state.currency);
    return reject('overdraft_in_use', `The account is overdrawn by ${used} ${state.currency}.`, {
      field: 'overdraft_limit',
      facts: { overdrawn: used, currency: state.currency },
    });
  }
  const data = {
    old_limit: toDecimal(state.overdraft_limit, state.currency),
    new_limit: toDecimal(parsed.value, state.currency),
  };
  return accept([{ type: 'BankAccountOverdraftLimitChangedDomainEventV1', data }]);
}

/** Closes an account for good. Rejects with `account_closed` or `balance_not_zero`. */
export function closeAccount(state: BankAccount, reason: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const balance = toDecimal(state.balance, state.currency);
  if (state.balance !== 0n) {
    return reject(
      'balance_not_zero',
      `The balance is ${balance} ${state.currency}; it must be zero to close.`,
      {
        facts: { balance, currency: state.currency },
      },
    );
  }
  return accept([{ type: 'BankAccountClosedDomainEventV1', data: { reason, final_balance: balance } }]);
}

function credit(
  state: BankAccount,
  posting: Posting,
  type: 'DEPOSIT' | 'INTEREST',
): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const amount = parsePositiveAmount(posting.amount, state.currency, 'amount');
  if (!amount.ok) return amount;
  if (state.balance + amount.value > BALANCE_MAX_MINOR) {
    const maximum = toDecimal(BALANCE_MAX_MINOR, state.currency);
    return reject('balance_limit_exceeded', `A balance can be at most ${maximum} ${state.currency}.`, {
      field: 'amount',
      facts: { maximum, currency: state.currency },
    });
  }
  return accept([transaction(state, posting, type, 'CREDIT', amount.value)]);
}

function transaction(
  state: BankAccount,
  posting: Posting,
  type: TransactionType,
  direction: Direction,
  amount: bigint,
): TransactionRecorded {
  const { currency } = state;
  const balance = direction === 'CREDIT' ? state.balance + amount : state.balance - amount;
  return {
    type: 'BankAccountTransactionRecordedDomainEventV1',
    data: {
      transaction_id: posting.transaction_id,
      type,
      amount: toDecimal(amount, currency),
      currency,
      direction,
      ...(direction === 'CREDIT'
        ? { to_account_id: posting.account_id }
        : { from_account_id: posting.account_id }),
      description: posting.description,
      balance: toDecimal(balance, currency),
    },
  };
}

function closedAlready() {
  return reject('account_closed', 'The account is closed.');
}

function insufficientFunds(state: BankAccount, amount: bigint) {
  const { currency } = state;
  const available = toDecimal(availableBalance(state), currency);
  const asked = toDecimal(amount, currency);
  return reject('insufficient_funds', `${asked} ${currency} was asked for, ${available} is available.`, {
    field: 'amount',
    facts: {
      amount: asked,
      balance: toDecimal(state.balance, currency),
      overdraft_limit: toDecimal(state.overdraft_limit, currency),
      available_balance: available,
      currency,
    },
  });
}
