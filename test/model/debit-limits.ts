/** What customers took out of one account, against its limits per transaction and per UTC day. */
import { type Accuse, dayOf, minorUnits } from './raw-event.ts';

export class DebitLimits {
  /** The newest day with a debit; a clock that is behind makes no room. */
  day = '';
  #debited = 0n;
  /** Null is no limit. */
  #transaction: bigint | null = null;
  #daily: bigint | null = null;

  change(data: { readonly transaction_limit: string | null; readonly daily_limit: string | null }): void {
    const minor = (text: string | null) => (text === null ? null : minorUnits(text));
    this.#transaction = minor(data.transaction_limit);
    this.#daily = minor(data.daily_limit);
  }

  debit(what: string, minor: bigint, at: string, accuse: Accuse): void {
    if (dayOf(at) > this.day) {
      this.day = dayOf(at);
      this.#debited = 0n;
    }
    this.#debited += minor;
    if (this.#transaction !== null && minor > this.#transaction) {
      accuse(`${what} of ${minor} is beyond the limit per transaction of ${this.#transaction}`);
    }
    if (this.#daily !== null && this.#debited > this.#daily) {
      accuse(`${what} brings the day to ${this.#debited}, beyond its limit of ${this.#daily}`);
    }
  }

  /** A hold that was placed on `day` has set that much free again. */
  free(day: string, minor: bigint): void {
    if (day === this.day) this.#debited -= minor;
  }
}
