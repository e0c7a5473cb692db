/** An event as any store gives it back, and how its texts are read here: with nothing of the program's own code. */

/** What a proof needs of a recorded event; those of the `EventStore` port and of `GET …/events` fit. */
export interface RawEvent {
  readonly stream: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: {
    readonly aggregate_id: string;
    /** RFC 3339 UTC. */
    readonly timestamp: string;
    readonly idempotency_key?: string;
    readonly idempotency_hash?: string;
    readonly idempotency_alias?: string;
    readonly idempotency_alias_hash?: string;
  };
  readonly revision: number;
  readonly position: bigint;
}

/** The data of a posting, `BankAccountTransactionRecordedDomainEventV1`. */
export interface RawPosting {
  readonly transaction_id: string;
  readonly type: string;
  readonly amount: string;
  readonly currency: string;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly balance: string;
  readonly from_account_id?: string;
  readonly to_account_id?: string;
  readonly transfer_id?: string;
  readonly period?: string;
  readonly reverses_transaction_id?: string;
  /** Of a reversal that was refunded: what can be reversed again. */
  readonly restores_transaction_id?: string;
  readonly hold_id?: string;
}

/** Where a proof says what it found wrong. */
export type Accuse = (what: string) => void;

/** Minor units: amounts are written with all decimals of their currency, so the point can simply go. */
export function minorUnits(decimal: string): bigint {
  if (!/^-?\d+(\.\d+)?$/.test(decimal)) throw new Error(`${JSON.stringify(decimal)} is no amount`);
  return BigInt(decimal.replace('.', ''));
}

/** The UTC date of an instant. */
export function dayOf(timestamp: string): string {
  return timestamp.slice(0, 10);
}
