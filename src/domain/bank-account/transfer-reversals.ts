/** An account's part in taking a transfer back: what was credited is debited again, what was debited credited. */
import type { Decision } from '../decision.ts';
import type { BankAccountEvent } from './events.ts';
import { type OriginalPosting, reverseTransaction } from './reversals.ts';
import { refuseMoving } from './rules.ts';
import type { BankAccount } from './state.ts';
import type { TransferLeg } from './transfers.ts';

/** A leg of a transfer that takes another one back. */
export type ReversalLeg = TransferLeg & Required<Pick<TransferLeg, 'reverses'>>;

/**
 * Takes the money out of the account that the transfer had credited. That account knows how much of the credit was
 * taken back already, so here it is decided that all reversals together never exceed the transfer.
 * @param leg without an amount, all that is left of the transfer
 * @param now RFC 3339 UTC
 * Rejects with `account_closed`, `account_frozen`, `reversal_too_late`, `already_reversed`, `reversal_exceeds_original`,
 * `insufficient_funds`, `too_many_reversals` or an amount's code.
 */
export function debitForReversal(
  state: BankAccount,
  leg: Omit<ReversalLeg, 'amount'> & { readonly amount?: string | undefined },
  now: string,
): Decision<BankAccountEvent[]> {
  const refused = refuseMoving(state, 'DEBIT');
  if (refused) return refused;
  const { from_account_id, reverses, amount } = leg;
  const credit = { direction: 'CREDIT', transaction_id: reverses.credit_transaction_id } as const;
  return reversed(state, from_account_id, { ...leg, amount }, credit, now);
}

/**
 * Gives the money back to the account that the transfer had debited, whatever is frozen. Rejects with `account_closed`,
 * `reversal_too_late`, `balance_limit_exceeded`, `too_many_reversals` or an amount's code.
 * @param now RFC 3339 UTC
 */
export function creditForReversal(
  state: BankAccount,
  leg: ReversalLeg,
  now: string,
): Decision<BankAccountEvent[]> {
  const debit = { direction: 'DEBIT', transaction_id: leg.reverses.debit_transaction_id } as const;
  return reversed(state, leg.to_account_id, leg, debit, now);
}

/** The posting is a part of the transfer that reverses, not of the one that is reversed. */
function reversed(
  state: BankAccount,
  account_id: string,
  leg: Parameters<typeof debitForReversal>[1],
  side: Pick<OriginalPosting, 'direction' | 'transaction_id'>,
  now: string,
): Decision<BankAccountEvent[]> {
  const { transfer_id, transaction_id, reverses, amount, description } = leg;
  const original: OriginalPosting = {
    ...side,
    type: 'TRANSFER',
    amount: reverses.amount,
    from_account_id: leg.to_account_id,
    to_account_id: leg.from_account_id,
    transfer_id,
    recorded_at: reverses.completed_at,
  };
  return reverseTransaction(
    state,
    { account_id, transaction_id, original, amount, reason: description },
    now,
  );
}
