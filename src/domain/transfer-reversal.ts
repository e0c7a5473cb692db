/** Taking a completed transfer back: by a transfer the other way round that is linked to it, and of which it takes note. */
import { accept, type Decision, reject } from './decision.ts';
import { type DecimalString, toMinor } from './money.ts';
import {
  type ReversedTransfer,
  requestTransfer,
  type Transfer,
  type TransferEvent,
  type TransferStatus,
} from './transfer.ts';

/** Reversals that a transfer can have: all of them are part of its state. Some that race may go beyond it. */
export const TRANSFER_REVERSALS_MAX = 100;

export interface RequestReversal {
  readonly transfer_id: string;
  /** The transfer to take back. */
  readonly transfer: Transfer;
  /** The client's decimal text. */
  readonly amount: string;
  readonly reason: string;
}

/**
 * Begins a transfer that takes another one back, in full or in part. How much of that one is left, the account knows
 * that was credited: it decides when it is debited. Rejects with `transfer_already_exists`, `not_reversible`,
 * `too_many_reversals` or an amount's code.
 */
export function requestReversal(
  state: Transfer | undefined,
  { transfer_id, transfer, amount, reason }: RequestReversal,
): Decision<TransferEvent[]> {
  const reverses = reversedTransfer(transfer_id, transfer);
  if (!reverses.ok) return reverses;
  const { from_account_id, to_account_id, currency } = transfer;
  const request = {
    from_account_id: to_account_id,
    to_account_id: from_account_id,
    amount,
    currency,
    description: reason,
  };
  return requestTransfer(state, { ...request, reverses: reverses.value });
}

/** What the reversal of a transfer needs to know of it. Rejects with `not_reversible` or `too_many_reversals`. */
export function reversedTransfer(transfer_id: string, transfer: Transfer): Decision<ReversedTransfer> {
  const { status, amount, reversals = [] } = transfer;
  const step = (wanted: TransferStatus) => transfer.steps.find((one) => one.status === wanted);
  const debit_transaction_id = step('DEBITED')?.transaction_id;
  const credit_transaction_id = step('CREDITED')?.transaction_id;
  const completed_at = step('COMPLETED')?.at;
  if (!debit_transaction_id || !credit_transaction_id || !completed_at || transfer.reverses) {
    const detail = transfer.reverses
      ? 'A reversal cannot be reversed; transfer the money anew.'
      : `Only a completed transfer can be reversed; this one is ${status}.`;
    return reject('not_reversible', detail, { facts: { transfer_id, transfer_status: status } });
  }
  if (reversals.length >= TRANSFER_REVERSALS_MAX) {
    const facts = { maximum: TRANSFER_REVERSALS_MAX };
    return reject('too_many_reversals', `A transfer can have ${TRANSFER_REVERSALS_MAX} reversals.`, {
      facts,
    });
  }
  return accept({ transfer_id, amount, debit_transaction_id, credit_transaction_id, completed_at });
}

/** Takes down on the original that a reversal has given money back; nothing happens when that is known already. */
export function recordReversal(
  state: Transfer,
  reversal: { readonly transfer_id: string; readonly amount: DecimalString },
): Decision<TransferEvent[]> {
  const { transfer_id, amount } = reversal;
  if (state.reversals?.some((one) => one.transfer_id === transfer_id)) return accept([]);
  const data = { reversal_transfer_id: transfer_id, amount, currency: state.currency };
  return accept([{ type: 'TransferReversedDomainEventV1', data }]);
}

/** What reversals have given back, in minor units. */
export function reversedAmount({
  reversals = [],
  currency,
}: Pick<Transfer, 'reversals' | 'currency'>): bigint {
  return reversals.reduce((sum, { amount }) => sum + toMinor(amount, currency), 0n);
}
