/**
 * Takes, hands out and doubts the snapshots of one kind of aggregate. Nothing of it is on a request's path: work waits in
 * a bounded queue, which drops what is too much, and what fails is reported and never thrown at who asked for a state.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Known } from '../decide-all.ts';
import type { RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import { type AuditOutcome, auditSnapshots } from './audit.ts';
import type { DiscardReason, Snapshot } from './snapshot.ts';
import type { SnapshotHistory } from './snapshot-history.ts';
import {
  dueReason,
  type LoadCost,
  type SnapshotPolicy,
  type SnapshotReason,
  snapshotOf,
} from './snapshot-policy.ts';
import { type KeptSnapshot, SnapshotStore, type SnapshotStoreOptions } from './snapshot-store.ts';

/** Why a snapshot that was due was not taken: the queue was full, or writing it failed. */
export type SkipReason = 'overloaded' | 'failed';

/** Hears of everything, for counters; it must be quick, and must not throw. */
export interface SnapshotObserver {
  onWritten(reason: SnapshotReason): void;
  onSkipped(reason: SkipReason): void;
  /** A state was read from the store: with the help of a snapshot, or from its first event on. */
  onLoad(result: 'used' | 'missed'): void;
  onDiscarded(reason: DiscardReason): void;
  onAudit(outcome: AuditOutcome['verdict'] | 'failed'): void;
}

/** What an operator should know. A snapshot of another version is none: it is how a new program begins. */
export type SnapshotProblem =
  | {
      readonly kind: 'discarded';
      readonly aggregate: string;
      readonly id: string;
      readonly reason: Exclude<DiscardReason, 'version'>;
      /** The snapshot's, where that is known. */
      readonly revision?: number;
    }
  | {
      readonly kind: 'failed';
      readonly aggregate: string;
      readonly id: string;
      readonly doing: 'reading' | 'writing' | 'auditing';
      readonly error: unknown;
    };

export interface SnapshotKeeperOptions<S> extends SnapshotStoreOptions {
  readonly policy: SnapshotPolicy;
  /** What events make of a state, for audits. @throws whatever a decoder and `evolve` throw */
  readonly fold: (state: S | undefined, event: RecordedEvent) => S;
  /** Milliseconds between two audits; missing when none are made but those that a bad snapshot asks for. */
  readonly auditEveryMs?: number;
  readonly observer?: SnapshotObserver;
  readonly onProblem?: (problem: SnapshotProblem) => void;
}

/** Snapshots of different aggregates that are written at once. */
const WRITTEN_TOGETHER_MAX = 16;
/** Pieces of work that may wait; one more is dropped. */
export const WAITING_WORK_MAX = 200;
/** Aggregates whose snapshots were written or used, among which audits choose. */
const AUDIT_CANDIDATES_MAX = 1_000;

type Work<S> =
  | { readonly kind: 'take'; readonly snapshot: Snapshot<S>; readonly reason: SnapshotReason }
  | { readonly kind: 'audit' };

/** The newest usable snapshot, and whether there was one that is not. */
export interface FoundSnapshot<S> {
  readonly snapshot: Snapshot<S> | undefined;
  readonly discarded: boolean;
}

export class SnapshotKeeper<S> {
  readonly #options: SnapshotKeeperOptions<S>;
  readonly #store: SnapshotStore<S>;
  /** By aggregate: what is newer makes what waits needless. */
  readonly #waiting = new Map<string, Work<S>>();
  readonly #candidates = new Set<string>();
  readonly #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #closed = false;
  readonly #distrusting: ((id: string) => void)[] = [];

  constructor(options: SnapshotKeeperOptions<S>) {
    this.#options = options;
    this.#store = new SnapshotStore(options);
    if (options.auditEveryMs !== undefined) {
      this.#timer = setInterval(() => this.#auditNext(), options.auditEveryMs);
      this.#timer.unref();
    }
  }

  /** For looks into the past. */
  get history(): SnapshotHistory<S> {
    return this.#store;
  }

  /** When one is due. */
  get policy(): SnapshotPolicy {
    return this.#options.policy;
  }

  /** @param distrust is told of aggregates whose state in memory may come from a wrong snapshot */
  whenWrong(distrust: (id: string) => void): void {
    this.#distrusting.push(distrust);
  }

  /** What a load begins with. What cannot be used, or read, is reported. */
  async newest(id: string): Promise<FoundSnapshot<S>> {
    let discarded = false;
    try {
      for await (const { read } of this.#store.newestFirst(id)) {
        // What serves looks into the past only does not know which operations were done.
        if (read.usable && read.snapshot.operations) return { snapshot: read.snapshot, discarded };
        discarded = true;
        if (!read.usable) this.discard(id, read.reason);
      }
    } catch (error) {
      this.#report(id, 'reading', error);
    }
    return { snapshot: undefined, discarded };
  }

  /** A snapshot turned out to be of no use; unless it is only old, all of the aggregate's are looked at. */
  discard(id: string, reason: DiscardReason, revision?: number): void {
    this.#noteDiscarded(id, reason, revision);
    if (reason !== 'version') this.audit(id);
  }

  /** Has all snapshots of an aggregate held against its events, in the background. */
  audit(id: string): void {
    if (this.#waiting.get(id)?.kind !== 'audit') this.#enqueue(id, { kind: 'audit' });
  }

  #noteDiscarded(id: string, reason: DiscardReason, revision?: number): void {
    const { observer, onProblem, aggregate } = this.#options;
    observer?.onDiscarded(reason);
    if (reason === 'version') return;
    const where = revision === undefined ? {} : { revision };
    onProblem?.({ kind: 'discarded', aggregate: aggregate.name, id, reason, ...where });
  }

  /**
   * Hears of a state that was read or changed, and takes a snapshot of it when that is due.
   * @param load when it was read from the store, not from memory
   * @returns the same, with what there will be a snapshot of
   */
  consider(id: string, known: Known<S>, load?: LoadCost & { readonly used: boolean }): Known<S> {
    if (load) this.#options.observer?.onLoad(load.used ? 'used' : 'missed');
    if (load?.used) this.#mayAudit(id);
    const reason = dueReason(this.#options.policy, known, this.#options.now().getTime(), load);
    if (!reason || !known.tip || this.#waiting.get(id)?.kind === 'audit') return known;
    const snapshot = snapshotOf(known);
    if (!snapshot || !this.#enqueue(id, { kind: 'take', snapshot, reason })) return known;
    const { uncoveredSince: _covered, ...tip } = known.tip;
    return { ...known, tip: { ...tip, covered: known.revision } };
  }

  /**
   * Takes a snapshot now, because somebody asks for it.
   * @returns whether one was written: not when there is one of this very revision
   * @throws StoreError when the store fails
   */
  async take(id: string, known: Known<S>): Promise<boolean> {
    if (this.#waiting.get(id)?.kind === 'take') this.#waiting.delete(id);
    const snapshot = snapshotOf(known);
    if (!snapshot) throw new StoreError('busy', 'The aggregate is changing too fast for a snapshot of it.');
    for await (const { read } of this.#store.newestFirst(id)) {
      if (read.usable && read.snapshot.revision >= snapshot.revision) return false;
      break;
    }
    await this.#write(id, snapshot, 'request');
    return true;
  }

  /** All that are kept, milestones first, each group the oldest first. @throws StoreError when the store fails */
  list(id: string): Promise<KeptSnapshot<S>[]> {
    return this.#store.all(id);
  }

  /** Resolves when nothing waits or is being worked on. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /** Finishes what is being worked on; what waits is not needed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#waiting.clear();
    await this.settled();
  }

  #enqueue(id: string, work: Work<S>): boolean {
    if (this.#closed) return false;
    if (this.#waiting.size >= WAITING_WORK_MAX && !this.#waiting.has(id)) {
      this.#options.observer?.onSkipped('overloaded');
      return false;
    }
    this.#waiting.set(id, work);
    this.#work();
    return true;
  }

  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = undefined;
      // Something may have come after the last look.
      if (this.#waiting.size > 0) this.#work();
    });
  }

  async #workOff(): Promise<void> {
    for (;;) {
      // Requests that have come meanwhile are answered first.
      await nextTurn();
      const audited = this.#waiting.entries().find(([, { kind }]) => kind === 'audit')?.[0];
      await Promise.all(this.#nextToTake().map((work) => this.#tryToWrite(...work)));
      if (audited !== undefined && this.#waiting.get(audited)?.kind === 'audit') {
        this.#waiting.delete(audited);
        await this.#tryToAudit(audited);
      }
      if (this.#waiting.size === 0) return;
    }
  }

  /** Written together, they share a commit where the store has such. */
  #nextToTake(): (readonly [id: string, snapshot: Snapshot<S>, reason: SnapshotReason])[] {
    const taken = this.#waiting
      .entries()
      .flatMap(([id, work]) => (work.kind === 'take' ? [[id, work.snapshot, work.reason] as const] : []))
      .take(WRITTEN_TOGETHER_MAX)
      .toArray();
    for (const [id] of taken) this.#waiting.delete(id);
    return taken;
  }

  async #tryToWrite(id: string, snapshot: Snapshot<S>, reason: SnapshotReason): Promise<void> {
    try {
      await this.#write(id, snapshot, reason);
    } catch (error) {
      this.#options.observer?.onSkipped('failed');
      this.#report(id, 'writing', error);
    }
  }

  async #write(id: string, snapshot: Snapshot<S>, reason: SnapshotReason): Promise<void> {
    await this.#store.write(id, snapshot);
    this.#options.observer?.onWritten(reason);
    this.#mayAudit(id);
  }

  async #tryToAudit(id: string): Promise<void> {
    const { observer, aggregate, store, fold } = this.#options;
    const source = { events: () => store.readStream(aggregate.stream(id)), fold };
    try {
      const outcome = await auditSnapshots(source, this.#store, id, () => this.#closed);
      observer?.onAudit(outcome.verdict);
      if (outcome.verdict !== 'repaired') return;
      for (const revision of outcome.wrong) this.#noteDiscarded(id, 'wrong', revision);
      if (outcome.wrong.length > 0) for (const distrust of this.#distrusting) distrust(id);
    } catch (error) {
      observer?.onAudit('failed');
      this.#report(id, 'auditing', error);
    }
  }

  #mayAudit(id: string): void {
    if (this.#options.auditEveryMs === undefined) return;
    this.#candidates.delete(id);
    this.#candidates.add(id);
    const [oldest] = this.#candidates;
    if (this.#candidates.size > AUDIT_CANDIDATES_MAX && oldest !== undefined) this.#candidates.delete(oldest);
  }

  /** Anyone of those that are in use. */
  #auditNext(): void {
    const candidates = [...this.#candidates];
    const id = candidates[Math.floor(Math.random() * candidates.length)];
    if (id === undefined || this.#waiting.has(id)) return;
    this.#candidates.delete(id);
    this.audit(id);
  }

  #report(id: string, doing: 'reading' | 'writing' | 'auditing', error: unknown): void {
    const aggregate = this.#options.aggregate.name;
    this.#options.onProblem?.({ kind: 'failed', aggregate, id, doing, error });
  }
}
