/**
 * Shares pieces of work among workers: each piece is led by exactly one of them, by a lease with a fencing token. A leader
 * that was paused may believe in its lease for a moment longer than others do: that is what the fencing token is for.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseSightings } from './lease-sightings.ts';
import type { Fence, LeaseRecord, ReadModelStore } from './read-model-store.ts';
import { Signal } from './signal.ts';

/** One piece of work; `run` ends soon after `signal` fires. */
export interface SharedWork {
  /** Name of its lease. */
  readonly name: string;
  run(fence: Fence, signal: AbortSignal): Promise<void>;
}

export interface WorkSharingOptions {
  readonly leases: Pick<ReadModelStore, 'listLeases' | 'swapLease'>;
  /** Unique among all workers, a restarted one included. */
  readonly holder: string;
  readonly works: readonly SharedWork[];
  /** A lease whose record stands still for this long may be taken over. Default 5,000. */
  readonly ttlMs?: number;
  /** Time between two looks at the leases, which also renew the own ones. Default 1,000. */
  readonly lookMs?: number;
  /** Milliseconds that never go back; default: the process's monotonic clock. */
  readonly clock?: () => number;
  readonly onProblem?: (problem: WorkSharingProblem) => void;
}

export type WorkSharingProblem =
  | { readonly kind: 'leading'; readonly work: string; readonly token: number }
  | { readonly kind: 'leading_ended'; readonly work: string; readonly error?: unknown }
  | { readonly kind: 'leases_unreachable'; readonly error: unknown };

/** Leases of this name prefix say that a worker is alive; they lead nothing. */
const PRESENCE_PREFIX = 'worker/';

interface Leadership {
  record: LeaseRecord;
  /** When the lease was last known to be ours: the start of the swap that proved it. */
  renewedAt: number;
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
  hasEnded: boolean;
  /** Taken beyond the share because nobody else did, so giving it up would leave it to nobody. */
  readonly neglected: boolean;
}

/** A piece of work that ended here by itself, so often in a row, and is not led here again before that time. */
interface Rest {
  readonly failures: number;
  readonly until: number;
}

export class WorkSharing {
  readonly #options: WorkSharingOptions;
  readonly #ttlMs: number;
  readonly #lookMs: number;
  readonly #clock: () => number;
  readonly #sightings: LeaseSightings;
  readonly #led = new Map<string, Leadership>();
  /** Since when each piece of work that nobody leads has been free. */
  readonly #freeSince = new Map<string, number>();
  readonly #rests = new Map<string, Rest>();
  readonly #lookAgain = new Signal();
  #reachable = true;

  constructor(options: WorkSharingOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs ?? 5_000;
    this.#lookMs = options.lookMs ?? 1_000;
    this.#clock = options.clock ?? (() => performance.now());
    this.#sightings = new LeaseSightings(this.#ttlMs, this.#clock);
  }

  /** Names of the pieces of work that are led here now. */
  get leading(): readonly string[] {
    return [...this.#led.keys()];
  }

  /** Whether the leases could be read and written at the last look. */
  get reachable(): boolean {
    return this.#reachable;
  }

  /** Takes part until `signal` fires; then ends its work and gives the leases back, for as long as one lasts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    // A look may hang for longer than a lease lasts.
    const watching = setInterval(() => this.#endWhatMayBeLost(), this.#lookMs);
    const takingPart = this.#takePart(signal);
    if (!signal.aborted) await once(signal, 'abort');
    for (const { stopping } of this.#led.values()) stopping.abort();
    // A store that does not answer must not hold up the end: what is not given back is taken over for its silence.
    const patience = new AbortController();
    await Promise.race([takingPart, sleep(this.#ttlMs, undefined, { signal: patience.signal })]);
    patience.abort();
    clearInterval(watching);
  }

  async #takePart(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look();
        this.#reachable = true;
      } catch (error) {
        this.#reachable = false;
        this.#options.onProblem?.({ kind: 'leases_unreachable', error });
      }
      this.#endWhatMayBeLost();
      await this.#lookAgain.wait(this.#lookMs, signal);
    }
    await Promise.all([...this.#led].map((led) => this.#giveBack(...led)));
    await this.#endPresence();
  }

  async #look(): Promise<void> {
    this.#sightings.observe(await this.#options.leases.listLeases());
    await this.#renewPresence();
    for (const [name, leadership] of this.#led) await this.#renewOrFree(name, leadership);
    const share = Math.ceil(this.#options.works.length / this.#workersAlive());
    this.#giveUpBeyond(share);
    for (const work of this.#options.works) {
      if (this.#led.has(work.name) || !this.#sightings.isFree(work.name)) {
        this.#freeSince.delete(work.name);
        continue;
      }
      // Not every worker can do every piece of work, so the shares alone would leave some of it to nobody.
      const neglected = this.#isNeglected(work.name);
      if ((this.#led.size < share || neglected) && !this.#isResting(work.name))
        await this.#take(work, neglected);
    }
  }

  #giveUpBeyond(share: number): void {
    const led = [...this.#led.values()];
    const neglected = led.filter((one) => one.neglected).length;
    const others = led.filter((one) => !one.neglected);
    for (const { stopping } of others.slice(Math.max(0, share - neglected))) stopping.abort();
  }

  /** Whether every worker with room for it had the time to take it, and none did. */
  #isNeglected(name: string): boolean {
    const now = this.#clock();
    const since = this.#freeSince.get(name) ?? now;
    this.#freeSince.set(name, since);
    return now - since >= this.#ttlMs;
  }

  #isResting(name: string): boolean {
    const rest = this.#rests.get(name);
    return rest !== undefined && this.#clock() < rest.until;
  }

  /** At least this one. */
  #workersAlive(): number {
    const others = this.#sightings.alive.filter(
      (one) => isPresence(one) && one.holder !== this.#options.holder,
    );
    return others.length + 1;
  }

  /** Says that this worker is alive, and forgets workers that are not. */
  async #renewPresence(): Promise<void> {
    const { holder, leases } = this.#options;
    const name = PRESENCE_PREFIX + holder;
    const before = this.#sightings.recordOf(name);
    await this.#swap(before, { name, holder, token: 0, renewals: (before?.renewals ?? 0) + 1 });
    for (const record of this.#sightings.silent.filter(isPresence)) await leases.swapLease(record, undefined);
  }

  /** Ends the work first, so that the next leader finds it at rest. */
  async #giveBack(name: string, leadership: Leadership): Promise<void> {
    leadership.stopping.abort();
    await leadership.ended;
    // A lease that cannot be given back is noticed by its silence.
    await this.#free(name, leadership).catch(() => undefined);
  }

  async #endPresence(): Promise<void> {
    const presence = this.#sightings.recordOf(PRESENCE_PREFIX + this.#options.holder);
    if (presence) await this.#options.leases.swapLease(presence, undefined).catch(() => false);
  }

  async #renewOrFree(name: string, leadership: Leadership): Promise<void> {
    if (leadership.hasEnded) return this.#free(name, leadership);
    // Work that was told to end keeps its lease until it has, but not longer than the lease lasts.
    if (leadership.stopping.signal.aborted) return;
    const startedAt = this.#clock();
    const { record } = leadership;
    const renewed = { ...record, renewals: record.renewals + 1 };
    if (await this.#swap(record, renewed)) {
      leadership.record = renewed;
      leadership.renewedAt = startedAt;
      return;
    }
    // The last swap may have worked although its answer got lost: then the record is still ours.
    const stored = this.#sightings.recordOf(name);
    if (stored?.holder === record.holder && stored.token === record.token) leadership.record = stored;
    else leadership.stopping.abort();
  }

  async #take(work: SharedWork, neglected: boolean): Promise<void> {
    const { holder } = this.#options;
    const before = this.#sightings.recordOf(work.name);
    const record = { name: work.name, holder, token: (before?.token ?? 0) + 1, renewals: 0 };
    const startedAt = this.#clock();
    if (await this.#swap(before, record)) this.#lead(work, record, startedAt, neglected);
  }

  #lead(work: SharedWork, record: LeaseRecord, renewedAt: number, neglected: boolean): void {
    const { onProblem } = this.#options;
    const stopping = new AbortController();
    const fence = { lease: work.name, token: record.token };
    onProblem?.({ kind: 'leading', work: work.name, token: record.token });
    const ended = work.run(fence, stopping.signal).then(
      () => onProblem?.({ kind: 'leading_ended', work: work.name }),
      (error: unknown) => onProblem?.({ kind: 'leading_ended', work: work.name, error }),
    );
    const leadership: Leadership = { record, renewedAt, stopping, ended, hasEnded: false, neglected };
    this.#led.set(work.name, leadership);
    void ended.then(() => {
      leadership.hasEnded = true;
      if (stopping.signal.aborted) this.#rests.delete(work.name);
      else this.#rest(work.name, renewedAt);
      this.#lookAgain.notify();
    });
  }

  /** What ended by itself would mostly do so again at once. Others may try meanwhile. */
  #rest(name: string, ledSince: number): void {
    const now = this.#clock();
    const before = now - ledSince < this.#ttlMs ? this.#rests.get(name) : undefined;
    const failures = (before?.failures ?? 0) + 1;
    const pauseMs = Math.min(this.#lookMs * 2 ** (failures - 1), this.#ttlMs);
    this.#rests.set(name, { failures, until: now + pauseMs });
  }

  /** Without a renewal in time another worker may lead already: this one stops by itself. */
  #endWhatMayBeLost(): void {
    for (const { renewedAt, stopping } of this.#led.values()) {
      if (this.#clock() - renewedAt >= this.#ttlMs) stopping.abort();
    }
  }

  /** Leaves the lease to others and keeps its token, so that the next one is higher. */
  async #free(name: string, { record }: Leadership): Promise<void> {
    this.#led.delete(name);
    await this.#swap(record, { ...record, holder: '', renewals: record.renewals + 1 });
  }

  async #swap(before: LeaseRecord | undefined, after: LeaseRecord): Promise<boolean> {
    const swapped = await this.#options.leases.swapLease(before, after);
    if (swapped) this.#sightings.note(after);
    return swapped;
  }
}

function isPresence({ name }: LeaseRecord): boolean {
  return name.startsWith(PRESENCE_PREFIX);
}
