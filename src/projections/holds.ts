/** Read model `holds`: money that is or was set aside, and what became of it. */
import { HOLD_EVENT_TYPES, type HoldEvent, type HoldStatus } from '../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

export type HoldDocument = {
  readonly id: string;
  readonly account_id: string;
  /** An open hold whose time is over is EXPIRED once the account has recorded it; for who asks it is before, by `holdAt`. */
  readonly status: HoldStatus;
  readonly amount: DecimalString;
  readonly currency: string;
  readonly description: string;
  readonly expires_at: string | null;
  readonly captured_amount: DecimalString;
  readonly released_amount: DecimalString;
  /** The posting of the capture. */
  readonly transaction_id: string | null;
  readonly placed_at: string;
  readonly closed_at: string | null;
  /** Of the account's stream, at the hold's last change. */
  readonly revision: number;
};

const AMOUNT_FIELDS = ['amount', 'captured_amount', 'released_amount'] as const;

export const holds = defineProjection<HoldEvent, HoldDocument>({
  name: 'holds',
  version: 1,
  indexes: ['account_id', 'status'],
  listed: false,
  eventTypes: HOLD_EVENT_TYPES,
  minorUnits: (document) =>
    Object.fromEntries(AMOUNT_FIELDS.map((field) => [field, toMinor(document[field], document.currency)])),
  keys: (event) => [event.data.hold_id],
  fold(document, event, _lookup, id) {
    const { revision, metadata } = event;
    const at = metadata.timestamp;
    if (event.type === 'BankAccountHoldPlacedDomainEventV1') {
      const { amount, currency, description, expires_at = null } = event.data;
      return placedHold(
        id,
        metadata.aggregate_id,
        { amount, currency, description, expires_at },
        at,
        revision,
      );
    }
    if (!document) throw new Error(`hold ${id} was never placed`);
    const closed = { ...document, closed_at: at, revision };
    if (event.type === 'BankAccountHoldReleasedDomainEventV1') {
      return { ...closed, status: event.data.reason, released_amount: event.data.amount };
    }
    const { captured_amount, released_amount, transaction_id } = event.data;
    return { ...closed, status: 'CAPTURED', captured_amount, released_amount, transaction_id };
  },
});

/**
 * The hold at an instant: one whose time is over has expired, although that may not be recorded yet. Nothing has closed it
 * until then.
 * @param now RFC 3339 UTC
 * @returns with `settled`: whether the document alone says the same, so that its revision stands for what is shown
 */
export function holdAt(document: HoldDocument, now: string): { hold: HoldDocument; settled: boolean } {
  const { status, expires_at, amount } = document;
  const settled = status !== 'OPEN' || expires_at === null || expires_at > now;
  return { hold: settled ? document : { ...document, status: 'EXPIRED', released_amount: amount }, settled };
}

/** A hold as it is when it was just placed. */
export function placedHold(
  id: string,
  account_id: string,
  hold: Pick<HoldDocument, 'amount' | 'currency' | 'description' | 'expires_at'>,
  placed_at: string,
  revision: number,
): HoldDocument {
  const zero = toDecimal(0n, hold.currency);
  return {
    id,
    account_id,
    status: 'OPEN',
    ...hold,
    captured_amount: zero,
    released_amount: zero,
    transaction_id: null,
    placed_at,
    closed_at: null,
    revision,
  };
}
