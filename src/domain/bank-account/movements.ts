/** Decisions that move money from or to the outside: deposit, withdrawal, interest. */
import { accept, type Decision } from '../decision.ts';
import { parsePositiveAmount } from '../money.ts';
import type { BankAccountEvent } from './events.ts';
import { type Posting, transaction } from './posting.ts';
import {
  closedAlready,
  refuseBeyondFunds,
  refuseBeyondLargestBalance,
  refuseBeyondLimits,
  refuseMoving,
} from './rules.ts';
import type { BankAccount } from './state.ts';

/** Puts money in. Rejects with `account_closed`, `account_frozen`, `balance_limit_exceeded` or an amount's code. */
export function deposit(state: BankAccount, posting: Posting): Decision<BankAccountEvent[]> {
  return refuseMoving(state, 'CREDIT') ?? credit(state, posting, 'DEPOSIT');
}

/** Posts interest that the bank pays, also to a frozen account. Rejects as a deposit does. */
export function postInterest(state: BankAccount, posting: Posting): Decision<BankAccountEvent[]> {
  return state.status === 'CLOSED' ? closedAlready() : credit(state, posting, 'INTEREST');
}

/**
 * Takes money out.
 * @param now RFC 3339 UTC
 * Rejects with `account_closed`, `account_frozen`, `insufficient_funds`, `transaction_limit_exceeded`,
 * `daily_limit_exceeded` or an amount's code.
 */
export function withdraw(state: BankAccount, posting: Posting, now: string): Decision<BankAccountEvent[]> {
  const refused = refuseMoving(state, 'DEBIT');
  if (refused) return refused;
  const amount = parsePositiveAmount(posting.amount, state.currency, 'amount');
  if (!amount.ok) return amount;
  return (
    refuseBeyondFunds(state, amount.value) ??
    refuseBeyondLimits(state, amount.value, now) ??
    accept([transaction(state, posting, { type: 'WITHDRAWAL', direction: 'DEBIT', minor: amount.value })])
  );
}

function credit(
  state: BankAccount,
  posting: Posting,
  type: 'DEPOSIT' | 'INTEREST',
): Decision<BankAccountEvent[]> {
  const amount = parsePositiveAmount(posting.amount, state.currency, 'amount');
  if (!amount.ok) return amount;
  return (
    refuseBeyondLargestBalance(state, amount.value) ??
    accept([transaction(state, posting, { type, direction: 'CREDIT', minor: amount.value })])
  );
}
