/** How the state of an account is folded from its events. */
import { toMinor } from '../money.ts';
import { stateOfBooks } from './books.ts';
import type {
  BankAccountCreated,
  BankAccountEvent,
  BooksClosed,
  DebitLimitsChanged,
  HoldPlaced,
  TermsChanged,
  TransactionRecorded,
} from './events.ts';
import { type Accrual, accrueUntil, rateOf, settleFee, settleInterest, startAccrual } from './interest.ts';
import type { BankAccount, Debited, DebitLimits } from './state-shape.ts';

export type { BankAccount, Debited, DebitLimits, OpenHold, Reversed } from './state-shape.ts';

/** A posting can be reversed for so many days; its reversals are remembered for a day longer, whatever clocks say. */
export const REVERSAL_DAYS_MAX = 400;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Folds one event into the state; `undefined` is an account that does not exist yet.
 * @param at business time of the event, RFC 3339 UTC
 * @throws Error when a stream does not start with its one creation or mixes currencies, which means corrupt data.
 */
export function evolveBankAccount(
  state: BankAccount | undefined,
  event: BankAccountEvent,
  at: string,
): BankAccount {
  if (event.type === 'BankAccountCreatedDomainEventV2') {
    if (state) throw new Error('the account was created twice');
    return created(event.data);
  }
  // Before the books were closed nothing need be known; who has folded it has all that they tell already.
  if (event.type === 'BankAccountBooksClosedDomainEventV1') {
    return state ? accruedUntil(state, at) : stateOfBooks(event.data);
  }
  if (!state) throw new Error(`${event.type} came before the account was created`);
  return changed(accruedUntil(state, at), event, at);
}

function changed(
  state: BankAccount,
  event: Exclude<BankAccountEvent, BankAccountCreated | BooksClosed>,
  at: string,
): BankAccount {
  if ('currency' in event.data && event.data.currency !== state.currency)
    throw new Error(`${event.data.currency} in a ${state.currency} account`);
  switch (event.type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      return moved(state, event.data, at);
    case 'BankAccountOverdraftLimitChangedDomainEventV1':
      return { ...state, overdraft_limit: toMinor(event.data.new_limit, state.currency) };
    case 'BankAccountHoldPlacedDomainEventV1':
      return withHold(state, event.data, at);
    case 'BankAccountHoldCapturedDomainEventV1':
      return withoutHold(state, event.data.hold_id, toMinor(event.data.released_amount, state.currency));
    case 'BankAccountHoldReleasedDomainEventV1':
      return withoutHold(state, event.data.hold_id, toMinor(event.data.amount, state.currency));
    case 'BankAccountLimitsChangedDomainEventV1':
      return { ...state, limits: limitsOf(event.data, state.currency) };
    case 'BankAccountTermsChangedDomainEventV1':
      return withTerms(state, event.data, at);
    case 'BankAccountFrozenDomainEventV1':
      return { ...state, status: 'SUSPENDED', frozen: event.data.scope };
    case 'BankAccountUnfrozenDomainEventV1':
      return { ...state, status: 'ACTIVE', frozen: null };
    case 'BankAccountClosedDomainEventV1':
      return { ...state, status: 'CLOSED' };
    case 'BankAccountTransferRefusedDomainEventV1':
      return state;
  }
}

function created(data: BankAccountCreated['data']): BankAccount {
  return {
    owner_id: data.owner_id,
    account_type: data.account_type,
    currency: data.currency,
    status: 'ACTIVE',
    frozen: null,
    balance: 0n,
    overdraft_limit: toMinor(data.overdraft_limit, data.currency),
    held: 0n,
    holds: {},
    limits: { transaction: null, daily: null },
    debited: { day: '', amount: 0n },
    reversed: {},
    terms: null,
    accrual: null,
  };
}

/** The account with all days before that of `at` accrued: its balance at their end is known by then. */
export function accruedUntil(state: BankAccount, at: string): BankAccount {
  const { accrual, terms, balance } = state;
  if (!accrual || !terms || utcDay(at) <= accrual.from) return state;
  return { ...state, accrual: accrueUntil(accrual, utcDay(at), balance, terms) };
}

function withTerms(state: BankAccount, data: TermsChanged['data'], at: string): BankAccount {
  const terms = {
    credit_rate: rateOf(data.credit_rate),
    overdraft_rate: rateOf(data.overdraft_rate),
    monthly_fee: toMinor(data.monthly_fee, state.currency),
  };
  return { ...state, terms, accrual: state.accrual ?? startAccrual(utcDay(at)) };
}

/** What the bank has posted for a month is not due any more. */
function settled(accrual: Accrual | null, data: TransactionRecorded['data']): Accrual | null {
  const { type, direction, period } = data;
  if (!accrual || period === undefined) return accrual;
  if (type === 'FEE') return settleFee(accrual, period);
  const side = direction === 'CREDIT' ? 'credit' : 'overdraft';
  return settleInterest(accrual, period, side, toMinor(data.amount, data.currency));
}

function moved(state: BankAccount, data: TransactionRecorded['data'], at: string): BankAccount {
  const minor = toMinor(data.amount, data.currency);
  const change = data.direction === 'CREDIT' ? minor : -minor;
  const balance = state.balance + change;
  if (data.period !== undefined) return { ...state, balance, accrual: settled(state.accrual, data) };
  const original = data.reverses_transaction_id;
  if (original !== undefined) {
    return { ...state, balance, reversed: reversedWith(state.reversed, original, minor, at) };
  }
  const restored = data.restores_transaction_id;
  if (restored !== undefined) {
    return { ...state, balance, reversed: reversedWithout(state.reversed, restored, minor) };
  }
  if (!isOfCustomer(data)) return { ...state, balance };
  return { ...state, balance, debited: debitedWith(state.debited, -change, at) };
}

function reversedWith(
  reversed: BankAccount['reversed'],
  transactionId: string,
  minor: bigint,
  at: string,
): BankAccount['reversed'] {
  const oldest = daysBefore(at, REVERSAL_DAYS_MAX + 1);
  const remembered = Object.entries(reversed).filter(([, one]) => one.at >= oldest);
  const amount = (reversed[transactionId]?.amount ?? 0n) + minor;
  return { ...Object.fromEntries(remembered), [transactionId]: { amount, at } };
}

/** A reversal was refunded, and counts no more. */
function reversedWithout(
  reversed: BankAccount['reversed'],
  transactionId: string,
  minor: bigint,
): BankAccount['reversed'] {
  const { [transactionId]: before, ...others } = reversed;
  if (!before) return reversed;
  const amount = before.amount - minor;
  return amount > 0n ? { ...others, [transactionId]: { ...before, amount } } : others;
}

/** The instant that lies so many days before another one. */
export function daysBefore(at: string, days: number): string {
  return new Date(Date.parse(at) - days * DAY_MS).toISOString();
}

/** Whether it counts for the daily limit; a captured hold has counted when it was placed. */
function isOfCustomer({ type, direction }: TransactionRecorded['data']): boolean {
  return direction === 'DEBIT' && (type === 'WITHDRAWAL' || type === 'TRANSFER');
}

/** The day of a clock that was behind counts as the newest one, so that it makes no room under the limit. */
function debitedWith({ day, amount }: Debited, minor: bigint, at: string): Debited {
  const today = utcDay(at);
  return today > day ? { day: today, amount: minor } : { day, amount: amount + minor };
}

/** The UTC date of an RFC 3339 UTC time. */
export function utcDay(at: string): string {
  return at.slice(0, 10);
}

function limitsOf(data: DebitLimitsChanged['data'], currency: string): DebitLimits {
  const minor = (limit: string | null) => (limit === null ? null : toMinor(limit, currency));
  return { transaction: minor(data.transaction_limit), daily: minor(data.daily_limit) };
}

function withHold(state: BankAccount, data: HoldPlaced['data'], at: string): BankAccount {
  const { hold_id, description, expires_at } = data;
  const amount = toMinor(data.amount, data.currency);
  const debited = debitedWith(state.debited, amount, at);
  const expiry = expires_at === undefined ? {} : { expires_at };
  const hold = { amount, description, ...expiry, placed_on: debited.day };
  return { ...state, held: state.held + amount, holds: { ...state.holds, [hold_id]: hold }, debited };
}

/** What is free again counts no more for the limit of the day, if the hold was placed on it. */
function withoutHold(state: BankAccount, holdId: string, free: bigint): BankAccount {
  const { [holdId]: ended, ...holds } = state.holds;
  if (!ended) throw new Error(`hold ${holdId} was ended, but is not open`);
  const { day, amount } = state.debited;
  const debited = ended.placed_on === day ? { day, amount: amount - free } : state.debited;
  return { ...state, held: state.held - ended.amount, holds, debited };
}

/** What a posting adds to the balance, in minor units: negative for a debit. */
export function signedAmount(data: TransactionRecorded['data']): bigint {
  const amount = toMinor(data.amount, data.currency);
  return data.direction === 'CREDIT' ? amount : -amount;
}

/** What may still be taken out, in minor units: balance and overdraft together, less what is held. */
export function availableBalance(state: Pick<BankAccount, 'balance' | 'held' | 'overdraft_limit'>): bigint {
  return state.balance - state.held + state.overdraft_limit;
}
