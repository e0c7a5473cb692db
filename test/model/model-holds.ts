/** Rules of holds: placed, captured, released, or expired. Each command takes an account that it may change. */
import { beyond, countDebit, posted, type Rule, stopped, type Wanted } from './model-account.ts';
import type { ModelAccount, ModelHold } from './model-bank.ts';
import { decimal, readAmount } from './model-money.ts';

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
