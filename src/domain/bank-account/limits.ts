/** Decision about what customers may take out at once and in a day. */
import { accept, type Decision } from '../decision.ts';
import { type DecimalString, parseNonNegativeAmount, toDecimal } from '../money.ts';
import type { BankAccountEvent } from './events.ts';
import { closedAlready } from './rules.ts';
import type { BankAccount } from './state.ts';

/** Decimal text; a missing one is no limit. */
export interface NewLimits {
  readonly transaction_limit?: string | undefined;
  readonly daily_limit?: string | undefined;
}

/**
 * Sets both limits; those in force already change nothing. They hold for withdrawals, transfers out and holds, which
 * count when they are placed. A day is one of UTC. Rejects with `account_closed` or an amount's code.
 */
export function changeLimits(state: BankAccount, limits: NewLimits): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const transaction = parseLimit(limits.transaction_limit, state.currency, 'transaction_limit');
  if (!transaction.ok) return transaction;
  const daily = parseLimit(limits.daily_limit, state.currency, 'daily_limit');
  if (!daily.ok) return daily;
  const before = state.limits;
  if (transaction.value === before.transaction && daily.value === before.daily) return accept([]);
  const data = {
    transaction_limit: limitText(transaction.value, state.currency),
    daily_limit: limitText(daily.value, state.currency),
  };
  return accept([{ type: 'BankAccountLimitsChangedDomainEventV1', data }]);
}

function parseLimit(text: string | undefined, currency: string, field: string): Decision<bigint | null> {
  return text === undefined ? accept(null) : parseNonNegativeAmount(text, currency, field);
}

/** A limit as it is written. */
export function limitText(minor: bigint | null, currency: string): DecimalString | null {
  return minor === null ? null : toDecimal(minor, currency);
}
