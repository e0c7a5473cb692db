/** Rules of what is arranged about an account: freezes, limits, overdraft, terms, and its end. */
import { NOTHING, type Rule } from './model-account.ts';
import { heldOn } from './model-bank.ts';
import { endDaysUntil, newAccrual } from './model-interest.ts';
import { decimal, readAmount } from './model-money.ts';

export const freeze: Rule<{ scope: 'DEBITS' | 'CREDITS' | 'ALL' }> = (account, { scope }) => {
  if (account.closed) return 'account_closed';
  if (account.frozen === scope) return NOTHING;
  account.frozen = scope;
  return { wanted: [{ type: 'BankAccountFrozenDomainEventV1', data: { scope } }] };
};

export const unfreeze: Rule<object> = (account) => {
  if (account.closed) return 'account_closed';
  if (account.frozen === null) return NOTHING;
  account.frozen = null;
  return { wanted: [{ type: 'BankAccountUnfrozenDomainEventV1', data: {} }] };
};

export interface LimitsInput {
  readonly transaction_limit?: string;
  readonly daily_limit?: string;
}

export const changeLimits: Rule<LimitsInput> = (account, input) => {
  if (account.closed) return 'account_closed';
  const read = (text: string | undefined) => (text === undefined ? null : readAmount(text, account.currency));
  const once = read(input.transaction_limit);
  if (typeof once === 'string') return once;
  const daily = read(input.daily_limit);
  if (typeof daily === 'string') return daily;
  if (once === account.once && daily === account.daily) return NOTHING;
  account.once = once;
  account.daily = daily;
  const text = (limit: bigint | null) => (limit === null ? null : decimal(limit, account.currency));
  const data = { transaction_limit: text(once), daily_limit: text(daily) };
  return { wanted: [{ type: 'BankAccountLimitsChangedDomainEventV1', data }] };
};

export const changeOverdraft: Rule<{ readonly overdraft_limit: string }> = (account, { overdraft_limit }) => {
  if (account.closed) return 'account_closed';
  const minor = readAmount(overdraft_limit, account.currency);
  if (typeof minor === 'string') return minor;
  if (minor === account.overdraft) return NOTHING;
  if (heldOn(account) - account.balance > minor) return 'overdraft_in_use';
  const text = (limit: bigint) => decimal(limit, account.currency);
  const data = { old_limit: text(account.overdraft), new_limit: text(minor) };
  account.overdraft = minor;
  return { wanted: [{ type: 'BankAccountOverdraftLimitChangedDomainEventV1', data }] };
};

export interface TermsInput {
  readonly credit_rate: string;
  readonly overdraft_rate: string;
  readonly monthly_fee: string;
}

/** Rates come with four decimals at most. */
function rate(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(4, '0'));
}

export const changeTerms: Rule<TermsInput> = (account, input, now) => {
  if (account.closed) return 'account_closed';
  const monthlyFee = readAmount(input.monthly_fee, account.currency);
  if (typeof monthlyFee === 'string') return monthlyFee;
  const terms = {
    creditRate: rate(input.credit_rate),
    overdraftRate: rate(input.overdraft_rate),
    monthlyFee,
  };
  const before = account.terms;
  if (
    before?.creditRate === terms.creditRate &&
    before.overdraftRate === terms.overdraftRate &&
    before.monthlyFee === monthlyFee
  ) {
    return NOTHING;
  }
  endDaysUntil(account, now.slice(0, 10));
  account.terms = terms;
  account.accrual ??= newAccrual(now.slice(0, 10));
  const data = { monthly_fee: decimal(monthlyFee, account.currency) };
  return { wanted: [{ type: 'BankAccountTermsChangedDomainEventV1', data }] };
};

export const close: Rule<{ readonly reason: string }> = (account, { reason }) => {
  if (account.closed) return 'account_closed';
  if (account.frozen !== null) return 'account_frozen';
  if (account.balance !== 0n) return 'balance_not_zero';
  if (account.holds.size > 0) return 'holds_open';
  account.closed = true;
  const data = { reason, final_balance: decimal(0n, account.currency) };
  return { wanted: [{ type: 'BankAccountClosedDomainEventV1', data }] };
};
