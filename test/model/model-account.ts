/** What the rules of one account share: how money moves on it, and what stops it. */
import { availableOn, type ModelAccount } from './model-bank.ts';
import { decimal } from './model-money.ts';

/** An event that must be in the log, with the fields that matter. */
export interface Wanted {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The code of a refusal, or the events that are recorded, with what the answer must say besides. */
export type Verdict = string | { readonly wanted: readonly Wanted[]; readonly answer?: object };

/** `told` is what the bank made up itself: ids. */
export type Rule<I> = (account: ModelAccount, input: I, now: string, told: Ids) => Verdict;

export interface Ids {
  readonly transactionId?: string;
  readonly holdId?: string;
}

export const NOTHING: Verdict = { wanted: [] };

export interface Movement {
  readonly type: string;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly minor: bigint;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Moves the money, and says how the log must show it. */
export function post(account: ModelAccount, { type, direction, minor, more = {} }: Movement): Wanted {
  account.balance += direction === 'CREDIT' ? minor : -minor;
  const { currency } = account;
  const data = {
    type,
    direction,
    amount: decimal(minor, currency),
    currency,
    balance: decimal(account.balance, currency),
    ...more,
  };
  return { type: 'BankAccountTransactionRecordedDomainEventV1', data };
}

/** An accepted posting: the answer says the same as the event. */
export function posted(account: ModelAccount, movement: Movement, before: readonly Wanted[] = []): Verdict {
  const event = post(account, movement);
  return { wanted: [...before, event], answer: { posting: { account_id: account.id, ...event.data } } };
}

export function stopped(account: ModelAccount, direction: 'CREDIT' | 'DEBIT'): string | undefined {
  if (account.closed) return 'account_closed';
  const scope = direction === 'CREDIT' ? 'CREDITS' : 'DEBITS';
  return account.frozen === 'ALL' || account.frozen === scope ? 'account_frozen' : undefined;
}

/** What customers may not take out, or set aside. */
export function beyond(account: ModelAccount, minor: bigint, now: string): string | undefined {
  if (minor > availableOn(account)) return 'insufficient_funds';
  if (account.once !== null && minor > account.once) return 'transaction_limit_exceeded';
  const today = now.slice(0, 10);
  const before = account.debited.day === today ? account.debited.minor : 0n;
  if (account.daily !== null && before + minor > account.daily) return 'daily_limit_exceeded';
  return undefined;
}

export function countDebit(account: ModelAccount, minor: bigint, now: string): void {
  const today = now.slice(0, 10);
  if (account.debited.day !== today) account.debited = { day: today, minor: 0n };
  account.debited.minor += minor;
}
