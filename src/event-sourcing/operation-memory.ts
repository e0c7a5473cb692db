/** Bounds what all aggregates in memory together remember of their operations. */
import type { OperationLog } from './operation-log.ts';

/** No aggregate is asked to forget more than all but these: nearly all that is tried again is tried again soon. */
export const KEPT_OPERATIONS_MIN = 20;

/**
 * When there are too many, those that have gone without a new operation for longest forget the older half of theirs, one
 * after the other. What is forgotten is found in the archive. To drop a whole aggregate instead would cost far more: its
 * next command would have to read it anew.
 */
export class OperationMemory {
  readonly #operationsMax: number;
  /** Operations of each aggregate as they were counted last. */
  readonly #counted = new Map<string, number>();
  /** Those that can forget something, by when they were noted last. */
  readonly #large = new Map<string, OperationLog>();
  #total = 0;

  /** @param operationsMax of all aggregates together */
  constructor(operationsMax: number) {
    this.#operationsMax = operationsMax;
  }

  get isOverfull(): boolean {
    return this.#total > this.#operationsMax;
  }

  /** Counts what an aggregate remembers, after it was read or has done something. */
  note(id: string, log: OperationLog | undefined): void {
    this.drop(id);
    if (!log) return;
    this.#counted.set(id, log.size);
    this.#total += log.size;
    if (log.size > KEPT_OPERATIONS_MIN) this.#large.set(id, log);
  }

  /** The aggregate is not in memory any more. */
  drop(id: string): void {
    this.#total -= this.#counted.get(id) ?? 0;
    this.#counted.delete(id);
    this.#large.delete(id);
  }

  /** @param mayForget not while a command is under way that relies on what is remembered */
  relieve(mayForget: (id: string) => boolean): void {
    let left = this.#large.size;
    for (const [id, log] of this.#large) {
      // Whoever has had its turn comes last again, and so would come once more.
      if (!this.isOverfull || left === 0) return;
      left -= 1;
      if (mayForget(id)) log.keepNewest(Math.max(KEPT_OPERATIONS_MIN, Math.ceil(log.size / 2)));
      this.note(id, log);
    }
  }
}
