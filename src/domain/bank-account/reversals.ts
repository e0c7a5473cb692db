/** Decision that undoes a posting, in full or in part, by an opposite one that is linked to it. */
import { accept, type Decision, reject } from '../decision.ts';
import { parsePositiveAmount, toDecimal, toMinor } from '../money.ts';
import type { BankAccountEvent, Direction, TransactionRecorded } from './events.ts';
import { transaction } from './posting.ts';
import { closedAlready, refuseBeyondFunds, refuseBeyondLargestBalance } from './rules.ts';
import { type BankAccount, daysBefore, REVERSAL_DAYS_MAX } from './state.ts';

/** Reversed postings that an account remembers: they are part of the state that every decision works on. */
export const REVERSED_POSTINGS_MAX = 10_000;

/** A posting of the same account, as it was recorded. */
export type OriginalPosting = Pick<
  TransactionRecorded['data'],
  'transaction_id' | 'type' | 'direction' | 'amount' | 'from_account_id' | 'to_account_id' | 'transfer_id'
> & { readonly recorded_at: string };

export interface Reversal {
  readonly account_id: string;
  readonly transaction_id: string;
  readonly original: OriginalPosting;
  /** Decimal text; all that is left of the original, when missing. */
  readonly amount?: string | undefined;
  readonly reason: string;
}

/**
 * Undoes a posting. The account itself knows how much of it was undone already, so that all reversals together never
 * exceed it. A reversal is an act of the bank, so it passes a freeze; but one that takes money out must find it there,
 * unless the bank takes back what it had paid itself (interest).
 * @param now RFC 3339 UTC
 * Rejects with `account_closed`, `not_reversible`, `reversal_too_late`, `already_reversed`, `reversal_exceeds_original`,
 * `insufficient_funds`, `balance_limit_exceeded`, `too_many_reversals` or an amount's code.
 */
export function reverseTransaction(
  state: BankAccount,
  reversal: Reversal,
  now: string,
): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const { original, account_id, transaction_id } = reversal;
  const impossible = refuseOriginal(state, original, now);
  if (impossible) return impossible;
  const amount = amountOf(state, reversal);
  if (!amount.ok) return amount;
  const minor = amount.value;
  const direction: Direction = original.direction === 'CREDIT' ? 'DEBIT' : 'CREDIT';
  const refused = refuseMovement(state, original, direction, minor);
  if (refused) return refused;
  const posting = { account_id, transaction_id, description: reversal.reason };
  const links = linksBack(original);
  return accept([transaction(state, posting, { type: 'REVERSAL', direction, minor, ...links })]);
}

function refuseOriginal(state: BankAccount, original: OriginalPosting, now: string) {
  if (original.type === 'REVERSAL') {
    return reject('not_reversible', 'A reversal cannot be reversed; post the movement anew.');
  }
  if (original.recorded_at < daysBefore(now, REVERSAL_DAYS_MAX)) {
    const facts = { recorded_at: original.recorded_at, days: REVERSAL_DAYS_MAX };
    return reject('reversal_too_late', `A posting can be reversed for ${REVERSAL_DAYS_MAX} days.`, { facts });
  }
  const known = Object.keys(state.reversed).length;
  if (known < REVERSED_POSTINGS_MAX || state.reversed[original.transaction_id]) return undefined;
  return reject('too_many_reversals', `An account can have ${REVERSED_POSTINGS_MAX} reversed postings.`, {
    facts: { maximum: REVERSED_POSTINGS_MAX },
  });
}

function refuseMovement(state: BankAccount, original: OriginalPosting, direction: Direction, minor: bigint) {
  if (direction === 'CREDIT') return refuseBeyondLargestBalance(state, minor);
  return original.type === 'INTEREST' ? undefined : refuseBeyondFunds(state, minor);
}

function amountOf(state: BankAccount, { original, amount: text }: Reversal): Decision<bigint> {
  const { currency } = state;
  const left = toMinor(original.amount, currency) - (state.reversed[original.transaction_id]?.amount ?? 0n);
  if (left <= 0n) return reject('already_reversed', 'All of the posting was reversed already.');
  if (text === undefined) return accept(left);
  const amount = parsePositiveAmount(text, currency, 'amount');
  if (!amount.ok || amount.value <= left) return amount;
  const facts = { amount: toDecimal(amount.value, currency), left: toDecimal(left, currency), currency };
  return reject(
    'reversal_exceeds_original',
    `Of the posting, ${facts.left} ${currency} is left to reverse.`,
    {
      field: 'amount',
      facts,
    },
  );
}

/** The other way round between the accounts of the original. */
function linksBack({ transaction_id, transfer_id, from_account_id, to_account_id }: OriginalPosting) {
  return {
    reverses_transaction_id: transaction_id,
    ...(transfer_id === undefined ? {} : { transfer_id }),
    ...(from_account_id === undefined ? {} : { to_account_id: from_account_id }),
    ...(to_account_id === undefined ? {} : { from_account_id: to_account_id }),
  };
}
