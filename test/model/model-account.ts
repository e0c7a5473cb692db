/** The rules of one account, in the order in which they are checked. Each command takes an account that it may change. */
import { availableOn, heldOn, type ModelAccount, type ModelHold, type ModelPosting } from './model-bank.ts';
import { endDaysUntil, newAccrual } from './model-interest.ts';
import { decimal, readAmount } from './model-money.ts';

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

const NOTHING: Verdict = { wanted: [] };

/** Holds whose time is over end before anything else happens. */
export function expireHolds(account: ModelAccount, now: string): Wanted[] {
  const wanted: Wanted[] = [];
  for (const [id, hold] of account.holds) {
    if (hold.expiresAt === null || hold.expiresAt > now) continue;
    endHold(account, id, hold, hold.minor);
    wanted.push(released(account, id, hold, 'EXPIRED'));
  }
  return wanted;
}

function released({ currency }: ModelAccount, hold_id: string, { minor }: ModelHold, reason: string): Wanted {
  const data = { hold_id, amount: decimal(minor, currency), reason };
  return { type: 'BankAccountHoldReleasedDomainEventV1', data };
}

function endHold(account: ModelAccount, id: string, hold: ModelHold, free: bigint): void {
  account.holds.delete(id);
  account.endedHolds.add(id);
  if (hold.placedOn === account.debited.day) account.debited.minor -= free;
}

interface Movement {
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
function posted(account: ModelAccount, movement: Movement, before: readonly Wanted[] = []): Verdict {
  const event = post(account, movement);
  return { wanted: [...before, event], answer: { posting: { account_id: account.id, ...event.data } } };
}

function stopped(account: ModelAccount, direction: 'CREDIT' | 'DEBIT'): string | undefined {
  if (account.closed) return 'account_closed';
  const scope = direction === 'CREDIT' ? 'CREDITS' : 'DEBITS';
  return account.frozen === 'ALL' || account.frozen === scope ? 'account_frozen' : undefined;
}

/** What customers may not take out, or set aside. */
function beyond(account: ModelAccount, minor: bigint, now: string): string | undefined {
  if (minor > availableOn(account)) return 'insufficient_funds';
  if (account.once !== null && minor > account.once) return 'transaction_limit_exceeded';
  const today = now.slice(0, 10);
  const before = account.debited.day === today ? account.debited.minor : 0n;
  if (account.daily !== null && before + minor > account.daily) return 'daily_limit_exceeded';
  return undefined;
}

function countDebit(account: ModelAccount, minor: bigint, now: string): void {
  const today = now.slice(0, 10);
  if (account.debited.day !== today) account.debited = { day: today, minor: 0n };
  account.debited.minor += minor;
}

export interface PostingInput {
  readonly amount: string;
  readonly description: string;
  readonly external_reference?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

function fieldsOf({ description, external_reference, metadata }: PostingInput) {
  return {
    description,
    ...(external_reference === undefined ? {} : { external_reference }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

export const deposit: Rule<PostingInput> = (account, input) => {
  const refused = stopped(account, 'CREDIT');
  if (refused) return refused;
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  return posted(account, { type: 'DEPOSIT', direction: 'CREDIT', minor, more: fieldsOf(input) });
};

/** Interest by hand passes a freeze. */
export const payInterest: Rule<PostingInput> = (account, input) => {
  if (account.closed) return 'account_closed';
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  return posted(account, { type: 'INTEREST', direction: 'CREDIT', minor, more: fieldsOf(input) });
};

export const withdraw: Rule<PostingInput> = (account, input, now) => {
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  const tooMuch = beyond(account, minor, now);
  if (tooMuch) return tooMuch;
  countDebit(account, minor, now);
  return posted(account, { type: 'WITHDRAWAL', direction: 'DEBIT', minor, more: fieldsOf(input) });
};

export interface HoldInput {
  readonly amount: string;
  readonly description: string;
  readonly expires_at?: string;
}

const HOLD_DAYS_MAX = 366;

export const placeHold: Rule<HoldInput> = (account, input, now, { holdId = '' }) => {
  const { currency } = account;
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  const minor = readAmount(input.amount, currency);
  if (typeof minor === 'string') return minor;
  const { description, expires_at = null } = input;
  if (expires_at !== null && Date.parse(expires_at) <= Date.parse(now)) return 'expiry_not_in_future';
  if (expires_at !== null && Date.parse(expires_at) > Date.parse(now) + HOLD_DAYS_MAX * 86_400_000) {
    return 'expiry_too_late';
  }
  const tooMuch = beyond(account, minor, now);
  if (tooMuch) return tooMuch;
  countDebit(account, minor, now);
  account.holds.set(holdId, { minor, description, expiresAt: expires_at, placedOn: now.slice(0, 10) });
  const facts = { amount: decimal(minor, currency), currency, description };
  const expiry = expires_at === null ? {} : { expires_at };
  return {
    wanted: [{ type: 'BankAccountHoldPlacedDomainEventV1', data: { hold_id: holdId, ...facts, ...expiry } }],
    answer: { hold: { account_id: account.id, status: 'OPEN', ...facts, expires_at } },
  };
};

/** An account whose hold has ended says so; one that never had it does not know it. */
function notOpen(account: ModelAccount, holdId: string): string {
  const known = account.endedHolds.has(holdId) || account.holds.has(holdId);
  return known ? 'hold_not_open' : 'hold_not_found';
}

export interface CaptureInput {
  readonly hold_id: string;
  readonly amount?: string;
  readonly description?: string;
}

export const captureHold: Rule<CaptureInput> = (account, input, _now, { transactionId }) => {
  const { currency } = account;
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  const { hold_id } = input;
  const hold = account.holds.get(hold_id);
  if (!hold) return notOpen(account, hold_id);
  const minor = input.amount === undefined ? hold.minor : readAmount(input.amount, currency);
  if (typeof minor === 'string') return minor;
  if (minor > hold.minor) return 'capture_exceeds_hold';
  endHold(account, hold_id, hold, hold.minor - minor);
  const data = {
    hold_id,
    transaction_id: transactionId,
    captured_amount: decimal(minor, currency),
    released_amount: decimal(hold.minor - minor, currency),
  };
  const more = { hold_id, description: input.description ?? hold.description };
  return posted(account, { type: 'HOLD', direction: 'DEBIT', minor, more }, [
    { type: 'BankAccountHoldCapturedDomainEventV1', data },
  ]);
};

export const releaseHold: Rule<{ readonly hold_id: string }> = (account, { hold_id }) => {
  if (account.closed) return 'account_closed';
  const hold = account.holds.get(hold_id);
  if (!hold) return notOpen(account, hold_id);
  endHold(account, hold_id, hold, hold.minor);
  return { wanted: [released(account, hold_id, hold, 'RELEASED')] };
};

const REVERSAL_DAYS_MAX = 400;

export interface ReversalInput {
  readonly amount?: string;
  readonly reason: string;
  readonly original: ModelPosting;
}

export const reverse: Rule<ReversalInput> = (account, { amount, reason, original }, now) => {
  if (account.closed) return 'account_closed';
  if (original.type === 'REVERSAL') return 'not_reversible';
  if (Date.parse(original.at) < Date.parse(now) - REVERSAL_DAYS_MAX * 86_400_000) return 'reversal_too_late';
  const done = account.reversed.get(original.id) ?? 0n;
  const left = original.minor - done;
  if (left <= 0n) return 'already_reversed';
  const minor = amount === undefined ? left : readAmount(amount, account.currency);
  if (typeof minor === 'string') return minor;
  if (minor > left) return 'reversal_exceeds_original';
  const direction = original.direction === 'CREDIT' ? 'DEBIT' : 'CREDIT';
  const takesOwnBack = original.type === 'INTEREST';
  if (direction === 'DEBIT' && !takesOwnBack && minor > availableOn(account)) return 'insufficient_funds';
  account.reversed.set(original.id, done + minor);
  const more = { description: reason, reverses_transaction_id: original.id };
  return posted(account, { type: 'REVERSAL', direction, minor, more });
};

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

export interface TransferTerms {
  readonly minor: bigint;
  readonly currency: string;
}

/** Whether the account would be debited for a transfer. */
export function debitRefusal(
  account: ModelAccount,
  transfer: TransferTerms,
  now: string,
): string | undefined {
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  if (transfer.currency !== account.currency) return 'currency_mismatch';
  return beyond(account, transfer.minor, now);
}

export function creditRefusal(account: ModelAccount, transfer: TransferTerms): string | undefined {
  const refused = stopped(account, 'CREDIT');
  if (refused) return refused;
  return transfer.currency === account.currency ? undefined : 'currency_mismatch';
}

export function debitTransfer(
  account: ModelAccount,
  transfer: TransferTerms,
  now: string,
  links: object,
): Wanted {
  countDebit(account, transfer.minor, now);
  return post(account, { type: 'TRANSFER', direction: 'DEBIT', minor: transfer.minor, more: { ...links } });
}

export function creditTransfer(account: ModelAccount, transfer: TransferTerms, links: object): Wanted {
  return post(account, { type: 'TRANSFER', direction: 'CREDIT', minor: transfer.minor, more: { ...links } });
}
