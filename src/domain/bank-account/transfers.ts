/** An account's part in a transfer: it is debited, credited, or refunded when the other account could not be credited. */
import { accept, type Decision, reject } from '../decision.ts';
import { parsePositiveAmount } from '../money.ts';
import type { BankAccountEvent, Direction } from './events.ts';
import { transaction } from './posting.ts';
import {
  closedAlready,
  refuseBeyondFunds,
  refuseBeyondLargestBalance,
  refuseBeyondLimits,
  refuseMoving,
} from './rules.ts';
import type { BankAccount } from './state.ts';

/** One leg of a transfer. It is done once by the operation id that the transfer gives it. */
export interface TransferLeg {
  readonly transfer_id: string;
  /** Of this leg's posting. */
  readonly transaction_id: string;
  readonly from_account_id: string;
  readonly to_account_id: string;
  /** Decimal text. */
  readonly amount: string;
  readonly currency: string;
  readonly description: string;
  /** The transfer that this one takes back, if it does. */
  readonly reverses?: ReversedLegs;
}

/** What its two accounts must know of a transfer that is taken back. */
export interface ReversedLegs {
  /** Decimal text. */
  readonly amount: string;
  readonly debit_transaction_id: string;
  readonly credit_transaction_id: string;
  /** RFC 3339 UTC. */
  readonly completed_at: string;
}

/**
 * Takes a transfer's money out of the account that it comes from. Rejects with `account_closed`, `account_frozen`,
 * `currency_mismatch`, `insufficient_funds`, `transaction_limit_exceeded`, `daily_limit_exceeded` or an amount's code.
 * @param now RFC 3339 UTC
 */
export function debitForTransfer(
  state: BankAccount,
  leg: TransferLeg,
  now: string,
): Decision<BankAccountEvent[]> {
  const refused = refuseMoving(state, 'DEBIT');
  if (refused) return refused;
  const amount = amountOf(state, leg);
  if (!amount.ok) return amount;
  return (
    refuseBeyondFunds(state, amount.value) ??
    refuseBeyondLimits(state, amount.value, now) ??
    posted(state, leg, 'DEBIT', amount.value)
  );
}

/**
 * Puts a transfer's money into the account that it goes to. Rejects with `account_closed`, `account_frozen`,
 * `currency_mismatch`, `balance_limit_exceeded` or an amount's code.
 */
export function creditForTransfer(state: BankAccount, leg: TransferLeg): Decision<BankAccountEvent[]> {
  const refused = refuseMoving(state, 'CREDIT');
  if (refused) return refused;
  const amount = amountOf(state, leg);
  if (!amount.ok) return amount;
  return refuseBeyondLargestBalance(state, amount.value) ?? posted(state, leg, 'CREDIT', amount.value);
}

/**
 * Gives a transfer's money back to the account that it came from, whatever is frozen and however much is there: it is
 * the owner's. The posting leads from the account that could not take it; of a reversal, it makes what was reversed
 * reversible again. Rejects with `account_closed`,
 * `currency_mismatch` or an amount's code.
 * @param leg that of the debit, with a transaction id of its own
 */
export function refundTransfer(state: BankAccount, leg: TransferLeg): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const amount = amountOf(state, leg);
  if (!amount.ok) return amount;
  const back = { ...leg, from_account_id: leg.to_account_id, to_account_id: leg.from_account_id };
  return posted(state, back, 'CREDIT', amount.value);
}

function amountOf({ currency }: BankAccount, leg: TransferLeg): Decision<bigint> {
  if (leg.currency === currency) return parsePositiveAmount(leg.amount, currency, 'amount');
  return reject('currency_mismatch', `The account is in ${currency}, the transfer in ${leg.currency}.`, {
    facts: { account_currency: currency, currency: leg.currency },
  });
}

function posted(
  state: BankAccount,
  leg: TransferLeg,
  direction: Direction,
  minor: bigint,
): Decision<BankAccountEvent[]> {
  const { transfer_id, from_account_id, to_account_id } = leg;
  const refunded = direction === 'CREDIT' ? leg.reverses?.credit_transaction_id : undefined;
  const restores = refunded === undefined ? {} : { restores_transaction_id: refunded };
  const links = { transfer_id, from_account_id, to_account_id, ...restores };
  const account_id = direction === 'DEBIT' ? from_account_id : to_account_id;
  return accept([
    transaction(state, { ...leg, account_id }, { type: 'TRANSFER', direction, minor, ...links }),
  ]);
}
