/** Decisions about holds: money that is set aside, and later captured, released, or free again when its time is over. */
import { accept, type Decision, reject } from '../decision.ts';
import { parsePositiveAmount, toDecimal } from '../money.ts';
import type { BankAccountEvent, HoldReleased } from './events.ts';
import { type Posting, transaction } from './posting.ts';
import { closedAlready, refuseBeyondFunds, refuseBeyondLimits, refuseMoving } from './rules.ts';
import { type BankAccount, evolveBankAccount, type OpenHold } from './state.ts';

/** Holds that an account may have open at a time: they are part of the state that every decision works on. */
export const OPEN_HOLDS_MAX = 500;

/** The longest that a hold may last, in days. */
export const HOLD_DAYS_MAX = 366;

const DAY_MS = 24 * 60 * 60 * 1000;

export interface PlaceHold {
  readonly hold_id: string;
  readonly amount: string;
  readonly description: string;
  /** RFC 3339, any offset. */
  readonly expires_at?: string | undefined;
}

/**
 * Sets money aside.
 * @param now RFC 3339 UTC
 * Rejects with `account_closed`, `account_frozen`, `insufficient_funds`, `transaction_limit_exceeded`,
 * `daily_limit_exceeded`, `expiry_not_in_future`, `expiry_too_late`, `too_many_holds` or an
 * amount's code.
 */
export function placeHold(state: BankAccount, hold: PlaceHold, now: string): Decision<BankAccountEvent[]> {
  const stopped = refuseMoving(state, 'DEBIT');
  if (stopped) return stopped;
  const amount = parsePositiveAmount(hold.amount, state.currency, 'amount');
  if (!amount.ok) return amount;
  const expiry = parseExpiry(hold.expires_at, now);
  if (!expiry.ok) return expiry;
  const refused = refuseBeyondFunds(state, amount.value) ?? refuseBeyondLimits(state, amount.value, now);
  if (refused) return refused;
  if (Object.keys(state.holds).length >= OPEN_HOLDS_MAX) {
    return reject('too_many_holds', `An account can have ${OPEN_HOLDS_MAX} open holds at most.`, {
      facts: { maximum: OPEN_HOLDS_MAX },
    });
  }
  const { currency } = state;
  const data = {
    hold_id: hold.hold_id,
    amount: toDecimal(amount.value, currency),
    currency,
    description: hold.description,
    ...(expiry.value === undefined ? {} : { expires_at: expiry.value }),
  };
  return accept([{ type: 'BankAccountHoldPlacedDomainEventV1', data }]);
}

/** The expiry in UTC with milliseconds, as all times are written: such texts compare as their times do. */
function parseExpiry(text: string | undefined, now: string): Decision<string | undefined> {
  if (text === undefined) return accept(undefined);
  const time = Date.parse(text);
  const field = 'expires_at';
  // Written so that no number at all is refused too.
  if (!(time > Date.parse(now))) {
    return reject('expiry_not_in_future', 'expires_at must be in the future.', { field, facts: { now } });
  }
  const latest = Date.parse(now) + HOLD_DAYS_MAX * DAY_MS;
  if (time > latest) {
    const maximum = new Date(latest).toISOString();
    return reject('expiry_too_late', `expires_at must not be later than ${maximum}.`, {
      field,
      facts: { maximum },
    });
  }
  return accept(new Date(time).toISOString());
}

export interface CaptureHold extends Omit<Posting, 'amount' | 'description'> {
  readonly hold_id: string;
  /** All that is held, when missing. */
  readonly amount?: string | undefined;
  /** That of the hold, when missing. */
  readonly description?: string | undefined;
}

/**
 * Takes what is held, or a part of it, out of the account; the rest is available again. It was set aside for this, so
 * no other debit stands in its way. Rejects with `account_closed`, `account_frozen`, `hold_not_open`, `capture_exceeds_hold` or an amount's
 * code.
 */
export function captureHold(state: BankAccount, capture: CaptureHold): Decision<BankAccountEvent[]> {
  const stopped = refuseMoving(state, 'DEBIT');
  if (stopped) return stopped;
  const { currency, holds } = state;
  const { hold_id, transaction_id } = capture;
  const hold = holds[hold_id];
  if (!hold) return holdNotOpen(hold_id);
  const amount = captured(hold, capture.amount, currency);
  if (!amount.ok) return amount;
  const minor = amount.value;
  const data = {
    hold_id,
    transaction_id,
    captured_amount: toDecimal(minor, currency),
    released_amount: toDecimal(hold.amount - minor, currency),
    currency,
  };
  const posting = { ...capture, description: capture.description ?? hold.description };
  return accept([
    { type: 'BankAccountHoldCapturedDomainEventV1', data },
    transaction(state, posting, { type: 'HOLD', direction: 'DEBIT', minor, hold_id }),
  ]);
}

function captured(hold: OpenHold, text: string | undefined, currency: string): Decision<bigint> {
  if (text === undefined) return accept(hold.amount);
  const amount = parsePositiveAmount(text, currency, 'amount');
  if (!amount.ok || amount.value <= hold.amount) return amount;
  const held = toDecimal(hold.amount, currency);
  return reject('capture_exceeds_hold', `The hold is one of ${held} ${currency}.`, {
    field: 'amount',
    facts: { amount: toDecimal(amount.value, currency), held, currency },
  });
}

/** Makes what is held available again. Rejects with `account_closed` or `hold_not_open`. */
export function releaseHold(state: BankAccount, holdId: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const hold = state.holds[holdId];
  return hold ? accept([released(state, holdId, hold, 'RELEASED')]) : holdNotOpen(holdId);
}

/**
 * Decides on the account as it is at `now`: a hold whose time is over counts no more. That it has expired is recorded
 * with the next decision that is accepted, whatever it was about.
 */
export function decideWithoutExpired(
  state: BankAccount,
  now: string,
  decide: (state: BankAccount) => Decision<BankAccountEvent[]>,
): Decision<BankAccountEvent[]> {
  if (!hasExpired(state.holds, now)) return decide(state);
  const expired = Object.entries(state.holds)
    .filter(([, hold]) => isOver(hold, now))
    .map(([id, hold]) => released(state, id, hold, 'EXPIRED'));
  const decision = decide(
    expired.reduce<BankAccount>((folded, event) => evolveBankAccount(folded, event, now), state),
  );
  return decision.ok ? accept([...expired, ...decision.value]) : decision;
}

/** Asked before every decision, so it makes nothing: most accounts have no hold. */
function hasExpired(holds: BankAccount['holds'], now: string): boolean {
  for (const id in holds) if (isOver(holds[id] as OpenHold, now)) return true;
  return false;
}

function isOver({ expires_at }: OpenHold, now: string): boolean {
  return expires_at !== undefined && expires_at <= now;
}

function released(
  { currency }: BankAccount,
  hold_id: string,
  hold: OpenHold,
  reason: HoldReleased['data']['reason'],
): HoldReleased {
  const data = { hold_id, amount: toDecimal(hold.amount, currency), currency, reason };
  return { type: 'BankAccountHoldReleasedDomainEventV1', data };
}

function holdNotOpen(holdId: string) {
  return reject('hold_not_open', `The hold ${holdId} is open no more.`, { field: 'hold_id' });
}
