/** What must hold after every event of an account, whoever wrote it; a broken one names the step where it broke. */
import { isDeepStrictEqual } from 'node:util';
import {
  availableBalance,
  type BankAccount,
  type BankAccountEvent,
  type BooksClosed,
  stateOfBooks,
  type TransactionRecorded,
} from '../../domain/bank-account.ts';
import { AMOUNT_MAX_MINOR, BALANCE_MAX_MINOR, toDecimal, toMinor } from '../../domain/money.ts';
import type { Recorded } from '../../event-sourcing/codec.ts';
import type { ReplayStep } from '../../event-sourcing/replay.ts';
import { suspenseAccountId } from '../suspense.ts';

/** `broken` must never be; a `note` explains what looks odd. */
export interface Finding {
  readonly severity: 'broken' | 'note';
  readonly code: string;
  readonly detail: string;
}

export type AccountStep = ReplayStep<BankAccount, BankAccountEvent>;

/** Where a stream stands. */
export interface WatchPlace {
  /** Of the newest event; -1 before the first. */
  readonly revision: number;
  /** The latest business time so far, RFC 3339 UTC; empty before the first. */
  readonly latest: string;
}

/** Looks at one step after the other, and remembers only where the stream stands. */
export class InvariantWatch {
  #revision: number;
  #latest: string;

  constructor({ revision, latest }: WatchPlace = { revision: -1, latest: '' }) {
    this.#revision = revision;
    this.#latest = latest;
  }

  get place(): WatchPlace {
    return { revision: this.#revision, latest: this.#latest };
  }

  check(step: AccountStep): Finding[] {
    const { event, before, after, failure } = step;
    const found = this.#placeFindings(step);
    if (failure) return [...found, broken(failure.kind, failure.message)];
    if (!event || !after) return found;
    return [...found, ...contentFindings(event, before, after)];
  }

  #placeFindings({ recorded: { revision, metadata } }: AccountStep): Finding[] {
    const found: Finding[] = [];
    const expected = this.#revision + 1;
    if (revision !== expected) {
      found.push(broken('revision_gap', `Revision ${expected} should follow, and it is ${revision}.`));
    }
    if (metadata.timestamp < this.#latest) {
      const detail = `${metadata.timestamp} is earlier than ${this.#latest}, the time of an event before it.`;
      found.push({ severity: 'note', code: 'clock_stepped_back', detail });
    } else if (metadata.timestamp > this.#latest) {
      // An event that cannot be read has no time.
      this.#latest = metadata.timestamp;
    }
    this.#revision = revision;
    return found;
  }
}

/** What nobody of this program wrote may lack fields, or have others in their place, that folding does not look at. */
function contentFindings(...step: Parameters<typeof stateFindings>): Finding[] {
  try {
    return stateFindings(...step);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [broken('malformed', `A field is missing, or not what it should be: ${reason}`)];
  }
}

function stateFindings(
  event: Recorded<BankAccountEvent>,
  before: BankAccount | undefined,
  after: BankAccount,
): Finding[] {
  const found = [...amountFindings(event, after), ...overdraftFindings(event, after)];
  if (before?.status === 'CLOSED' && !mayFollowClosing(event, after)) {
    found.push(broken('changed_after_closing', 'The account was closed before.'));
  }
  switch (event.type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      return [...found, ...recordedBalance(event.data, after)];
    case 'BankAccountOverdraftLimitChangedDomainEventV1':
      return [...found, ...recordedLimit(event.data.old_limit, before)];
    case 'BankAccountHoldCapturedDomainEventV1': {
      const { hold_id, captured_amount, released_amount, currency } = event.data;
      const ended = toMinor(captured_amount, currency) + toMinor(released_amount, currency);
      return [...found, ...endedHold(hold_id, ended, before)];
    }
    case 'BankAccountHoldReleasedDomainEventV1': {
      const { hold_id, amount, currency } = event.data;
      return [...found, ...endedHold(hold_id, toMinor(amount, currency), before)];
    }
    case 'BankAccountClosedDomainEventV1':
      return [...found, ...moneyAtClosing(after)];
    case 'BankAccountBooksClosedDomainEventV1':
      return [...found, ...toldByBooks(event.data, after)];
    default:
      return found;
  }
}

/**
 * A refused leg of a transfer is put on record by a closed account too, and its books are closed like others; suspense
 * accounts take all that they must.
 */
function mayFollowClosing(
  { type, metadata }: Recorded<BankAccountEvent>,
  { currency }: BankAccount,
): boolean {
  return (
    type === 'BankAccountTransferRefusedDomainEventV1' ||
    type === 'BankAccountBooksClosedDomainEventV1' ||
    metadata.aggregate_id === suspenseAccountId(currency)
  );
}

/** A single amount is above zero and bounded, and so is the balance; what the bank computes for a month has no bound. */
function amountFindings({ type, data }: Recorded<BankAccountEvent>, after: BankAccount): Finding[] {
  const found: Finding[] = [];
  const { currency, balance } = after;
  const isBounded =
    type === 'BankAccountHoldPlacedDomainEventV1' ||
    (type === 'BankAccountTransactionRecordedDomainEventV1' && data.period === undefined);
  const minor = isBounded ? toMinor(data.amount, currency) : 1n;
  if (minor <= 0n || minor > AMOUNT_MAX_MINOR) {
    found.push(
      broken('amount_out_of_range', `${toDecimal(minor, currency)} ${currency} is no possible amount.`),
    );
  }
  if (balance > BALANCE_MAX_MINOR || balance < -BALANCE_MAX_MINOR) {
    found.push(
      broken('balance_out_of_range', `The balance of ${toDecimal(balance, currency)} is too large.`),
    );
  }
  return found;
}

/** What the bank itself charges may exceed what is available, and so may what was set aside before. */
function overdraftFindings(event: Recorded<BankAccountEvent>, after: BankAccount): Finding[] {
  const available = availableBalance(after);
  if (available >= 0n || !mustLeaveFunds(event)) return [];
  const { currency, balance, held, overdraft_limit } = after;
  const [had, set, limit] = [balance, held, overdraft_limit].map((minor) => toDecimal(minor, currency));
  return [
    broken('overdrawn', `A balance of ${had} less ${set} held is beyond an overdraft limit of ${limit}.`),
  ];
}

function mustLeaveFunds({ type, data }: Recorded<BankAccountEvent>): boolean {
  if (type === 'BankAccountHoldPlacedDomainEventV1') return true;
  if (type === 'BankAccountOverdraftLimitChangedDomainEventV1') return true;
  if (type !== 'BankAccountTransactionRecordedDomainEventV1' || data.direction !== 'DEBIT') return false;
  return data.type === 'WITHDRAWAL' || data.type === 'TRANSFER';
}

function recordedBalance(data: TransactionRecorded['data'], after: BankAccount): Finding[] {
  const folded = toDecimal(after.balance, after.currency);
  if (toMinor(data.balance, data.currency) === after.balance) return [];
  return [
    broken('balance_differs', `The event says ${data.balance}, and all events together make ${folded}.`),
  ];
}

function recordedLimit(old: string, before: BankAccount | undefined): Finding[] {
  if (!before || toMinor(old, before.currency) === before.overdraft_limit) return [];
  const limit = toDecimal(before.overdraft_limit, before.currency);
  return [broken('limit_differs', `The event says that the limit was ${old}, and it was ${limit}.`)];
}

function endedHold(id: string, minor: bigint, before: BankAccount | undefined): Finding[] {
  const hold = before?.holds[id];
  if (!before || !hold || hold.amount === minor) return [];
  const [held, ended] = [hold.amount, minor].map((amount) => toDecimal(amount, before.currency));
  return [broken('hold_differs', `The hold was one of ${held}, and ${ended} of it was ended.`)];
}

function moneyAtClosing({ balance, held, currency }: BankAccount): Finding[] {
  if (balance === 0n && held === 0n) return [];
  const [left, set] = [balance, held].map((minor) => toDecimal(minor, currency));
  return [broken('closed_with_money', `It was closed with a balance of ${left}, and ${set} held.`)];
}

/** From the books on, the account is folded from them: they must tell all that the events before them make. */
function toldByBooks(data: BooksClosed['data'], after: BankAccount): Finding[] {
  if (isDeepStrictEqual(stateOfBooks(data), after)) return [];
  const folded = toDecimal(after.balance, after.currency);
  const told = `a balance of ${data.balance}, and all events together make ${folded}`;
  return [broken('books_differ', `The books tell another state than the events before them: ${told}.`)];
}

function broken(code: string, detail: string): Finding {
  return { severity: 'broken', code, detail };
}
