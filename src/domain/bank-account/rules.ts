/** The rules that several decisions share, each as the refusal that breaking it gives. */
import { reject } from '../decision.ts';
import { BALANCE_MAX_MINOR, toDecimal } from '../money.ts';
import type { Direction, FreezeScope } from './events.ts';
import { availableBalance, type BankAccount, utcDay } from './state.ts';

/** Refuses what moves money in that direction while the account is closed or frozen for it. */
export function refuseMoving(state: BankAccount, direction: Direction) {
  if (state.status === 'CLOSED') return closedAlready();
  const { frozen } = state;
  const free = frozen === null || (frozen !== 'ALL' && (frozen === 'CREDITS') !== (direction === 'CREDIT'));
  return free ? undefined : frozenFor(frozen);
}

export function frozenFor(scope: FreezeScope) {
  return reject('account_frozen', `The account is frozen for ${WORDS[scope]}.`, { facts: { frozen: scope } });
}

const WORDS: Readonly<Record<FreezeScope, string>> = {
  DEBITS: 'debits',
  CREDITS: 'credits',
  ALL: 'debits and credits',
};

export function closedAlready() {
  return reject('account_closed', 'The account is closed.');
}

/** Refuses a debit in minor units that is more than what is available. */
export function refuseBeyondFunds(state: BankAccount, amount: bigint) {
  if (amount <= availableBalance(state)) return undefined;
  const { currency } = state;
  const available = toDecimal(availableBalance(state), currency);
  const asked = toDecimal(amount, currency);
  return reject('insufficient_funds', `${asked} ${currency} was asked for, ${available} is available.`, {
    field: 'amount',
    facts: {
      amount: asked,
      balance: toDecimal(state.balance, currency),
      held: toDecimal(state.held, currency),
      overdraft_limit: toDecimal(state.overdraft_limit, currency),
      available_balance: available,
      currency,
    },
  });
}

/** Refuses a debit by the customer, in minor units, that is beyond a limit per transaction or per day. */
export function refuseBeyondLimits(state: BankAccount, amount: bigint, now: string) {
  const { currency, limits, debited } = state;
  const asked = toDecimal(amount, currency);
  if (limits.transaction !== null && amount > limits.transaction) {
    const limit = toDecimal(limits.transaction, currency);
    return reject('transaction_limit_exceeded', `The limit per transaction is ${limit} ${currency}.`, {
      field: 'amount',
      facts: { amount: asked, limit, currency },
    });
  }
  if (limits.daily === null) return undefined;
  const used = utcDay(now) > debited.day ? 0n : debited.amount;
  if (used + amount <= limits.daily) return undefined;
  const left = toDecimal(used < limits.daily ? limits.daily - used : 0n, currency);
  const limit = toDecimal(limits.daily, currency);
  return reject('daily_limit_exceeded', `Of the limit of ${limit} ${currency} a day, ${left} is left.`, {
    field: 'amount',
    facts: { amount: asked, limit, left, currency },
  });
}

/** Refuses a credit in minor units that would pass the largest balance. */
export function refuseBeyondLargestBalance(state: BankAccount, amount: bigint) {
  if (state.balance + amount <= BALANCE_MAX_MINOR) return undefined;
  const maximum = toDecimal(BALANCE_MAX_MINOR, state.currency);
  return reject('balance_limit_exceeded', `A balance can be at most ${maximum} ${state.currency}.`, {
    field: 'amount',
    facts: { maximum, currency: state.currency },
  });
}
