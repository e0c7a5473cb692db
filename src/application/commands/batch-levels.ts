/**
 * Which items of a batch may be under way together, so that the outcome is that of one after the other.
 *
 * Items of one level share no account, unless they do the same kind of thing to it: postings (the account's queue keeps
 * their order), debits of transfers (checked in order beforehand), or credits of transfers (none needs another one). An
 * item that comes later in the batch and does something else to the account is on a later level. Items wait only for
 * levels before theirs, so nothing can wait for itself.
 */

/** What an item does to something that others may also touch. */
export interface Touch {
  /** Names an account, or whatever else must keep its order. */
  readonly what: string;
  /** Touches of the same kind may be on one level; `alone` shares it with nothing. */
  readonly kind: 'posting' | 'debit' | 'credit' | 'alone';
}

interface Lane {
  readonly level: number;
  readonly kind: Touch['kind'];
}

export class Levels {
  readonly #lanes = new Map<string, Lane>();

  /** The level of the next item of the batch, from 0. */
  place(touches: readonly Touch[]): number {
    let level = 0;
    for (const { what, kind } of touches) {
      const lane = this.#lanes.get(what);
      if (!lane) continue;
      const shared = lane.kind === kind && kind !== 'alone';
      level = Math.max(level, shared ? lane.level : lane.level + 1);
    }
    for (const { what, kind } of touches) {
      const lane = this.#lanes.get(what);
      if (lane?.level !== level || lane.kind !== kind) this.#lanes.set(what, { level, kind });
    }
    return level;
  }
}
