/** Decisions that freeze an account, in one direction or both, and let it go again. */
import { accept, type Decision } from '../decision.ts';
import type { BankAccountEvent, FreezeScope } from './events.ts';
import { closedAlready } from './rules.ts';
import type { BankAccount } from './state.ts';

/**
 * Stops customers' money in the directions of the scope, which replaces the one in force; the same one changes nothing.
 * What the bank itself posts still passes: interest, fees, refunds, reversals. Rejects with `account_closed`.
 */
export function freezeAccount(
  state: BankAccount,
  scope: FreezeScope,
  reason: string,
): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  if (state.frozen === scope) return accept([]);
  return accept([{ type: 'BankAccountFrozenDomainEventV1', data: { scope, reason } }]);
}

/** Ends a freeze; an account that is not frozen stays as it is. Rejects with `account_closed`. */
export function unfreezeAccount(state: BankAccount, reason: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  if (state.frozen === null) return accept([]);
  return accept([{ type: 'BankAccountUnfrozenDomainEventV1', data: { reason } }]);
}
