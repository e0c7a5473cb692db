/**
 * Keeps read models up to date: one supervised loop that reads the log in batches, folds them in memory and commits
 * documents and checkpoints together. Every way of failing ends in a retry or in a stored dead letter.
 */

import { atRequests, type BatchPart } from './at-requests.ts';
import { backoff } from './backoff.ts';
import type { ProjectorStore } from './build-view.ts';
import { Checkpoints } from './checkpoints.ts';
import type { DomainEvent, EventCodec } from './codec.ts';
import { NO_PROJECTION } from './dead-letter.ts';
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { DeferredWrites } from './deferred-writes.ts';
import { DocumentSession } from './document-session.ts';
import { EventFolder } from './event-folder.ts';
import type { EventReader, Position, RecordedEvent, SubscriptionBatch } from './event-store.ts';
import { OPERATOR_STREAM_PREFIX } from './operator-requests.ts';
import type { AnyProjection } from './projection.ts';
import type { DeadLetter, DeadLetterId, Fence, ReadModelChanges } from './read-model-store.ts';
import { Signal } from './signal.ts';
import { StoreError } from './store-error.ts';

export interface ProjectorOptions<E extends DomainEvent> {
  readonly reader: EventReader;
  readonly store: ProjectorStore;
  readonly codec: EventCodec<E>;
  /** In the order in which an event passes them: a projection may look up the ones before it. */
  readonly projections: readonly AnyProjection<E>[];
  readonly streamPrefixes: readonly string[];
  /** Proof of leadership, where several workers share the projections. */
  readonly fence?: Fence;
  /** Where others need this thread: awaited after every few events, and asked whether commits must be small. */
  readonly pace?: { next(): Promise<void>; readonly busy: boolean };
  /** Called after every commit. */
  readonly onProjected?: () => void;
  readonly onProblem?: (problem: ProjectorProblem) => void;
  /** Time between two batches at the end of the log under full load; a waiting reader skips it. Default 75. */
  readonly intervalMs?: number;
  /** Events folded into one commit when far behind; their documents wait in memory until then. Default 65,536. */
  readonly commitEvents?: number;
  /** Events in a batch from which on the log counts as fully loaded. Default 250. */
  readonly fullBatchEvents?: number;
  /** How long documents of patient projections may wait under load, in milliseconds. Default: not at all. */
  readonly patienceMs?: number;
  /** First delay after a failure, doubled each time. Default 2,000. */
  readonly retryDelayMs?: number;
}

export type ProjectorProblem =
  | {
      readonly kind: 'retrying';
      readonly error: unknown;
      readonly failures: number;
      readonly delayMs: number;
    }
  | { readonly kind: 'dead_letter'; readonly letter: DeadLetter }
  | { readonly kind: 'rebuilding'; readonly projection: string; readonly reason: string };

export type ProjectorState = 'running' | 'retrying' | 'stopped';

/** Documents of each collection kept in memory between batches. */
const CACHED_DOCUMENTS_MAX = 12_000;

/** Changed documents from which on there is a commit, however few events they took: waiting on would not save writes. */
const COMMIT_DOCUMENTS_MAX = 16_384;

/** Events between two steps of a pace. */
const PACED_EVENTS = 500;

/** Events from which on there is a commit where commits must be small. */
const BUSY_COMMIT_EVENTS = 2_000;

const NOTHING: readonly never[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

export class Projector<E extends DomainEvent> {
  readonly #options: ProjectorOptions<E>;
  readonly #session: DocumentSession;
  readonly #checkpoints: Checkpoints<AnyProjection<E>>;
  readonly #deferred: DeferredWrites;
  readonly #wakeUp = new Signal();
  readonly #folder: EventFolder<E>;
  readonly #writeOnce: ReadonlySet<string>;
  #reached: Position = 0n;
  #state: ProjectorState = 'stopped';
  readonly #desk: DeadLetterDesk<E>;
  /** Whose requests are obeyed here; letters that belong to no projection are everybody's. */
  readonly #consumers: ReadonlySet<string>;
  /** What was folded and is not committed yet, beside the documents of the session. */
  #pending: { readonly deadLetters: DeadLetter[]; events: number } = { deadLetters: [], events: 0 };
  #caughtUp = false;
  #eventsSeen = 0;
  #wakeRequested = false;

  constructor(options: ProjectorOptions<E>) {
    this.#options = options;
    const { reader, store, codec, projections, pace, patienceMs = 0 } = options;
    this.#session = new DocumentSession(store, CACHED_DOCUMENTS_MAX);
    this.#checkpoints = new Checkpoints(projections);
    this.#deferred = new DeferredWrites({ projections, session: this.#session, pace, patienceMs });
    this.#folder = new EventFolder({
      reader,
      codec,
      projections,
      session: this.#session,
      checkpointOf: (projection) => this.#checkpoints.of(projection),
      loadsAhead: store.getMany !== undefined,
    });
    this.#desk = new DeadLetterDesk({ reader, codec, session: this.#session, letters: store });
    this.#consumers = new Set([...projections.map(({ name }) => name), NO_PROJECTION]);
    this.#writeOnce = new Set(projections.filter((one) => one.writeOnce).map((one) => one.name));
  }

  get state(): ProjectorState {
    return this.#state;
  }

  /** Whether the log ended at the newest commit. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Events of the log in all commits so far. */
  get eventsSeen(): number {
    return this.#eventsSeen;
  }

  /** Every projection has seen the log up to here, and its documents are stored. */
  get position(): Position {
    return this.#checkpoints.least ?? 0n;
  }

  /** The end of the newest commit. Some documents may wait to be written, and then `position` is an earlier one. */
  get reached(): Position {
    return this.#reached;
  }

  /** Someone is waiting for the newest events: do not pause before the next batch. */
  wake(): void {
    this.#wakeRequested = true;
    this.#wakeUp.notify();
  }

  /**
   * Follows the log until `signal` fires. A failure is reported and tried again, for ever.
   * @throws StoreError `fenced`, and only this, when another worker leads these projections by now
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    const succeeded = () => {
      failures = 0;
      this.#state = 'running';
    };
    while (!signal.aborted) {
      try {
        await this.#follow(signal, succeeded);
      } catch (error) {
        if (error instanceof StoreError && error.code === 'fenced') {
          this.#state = 'stopped';
          throw error;
        }
        failures += 1;
        this.#state = 'retrying';
        const delayMs = backoff(this.#options.retryDelayMs ?? 2_000, failures);
        this.#options.onProblem?.({ kind: 'retrying', error, failures, delayMs });
        await new Signal().wait(delayMs, signal);
      }
    }
    this.#state = 'stopped';
  }

  async #follow(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const { reader, streamPrefixes } = this.#options;
    await this.#claim();
    const after = await this.#startingPoint();
    this.#session.discard();
    this.#deferred.forget();
    this.#reached = after;
    this.#state = 'running';
    const subscribed = [...streamPrefixes, OPERATOR_STREAM_PREFIX];
    this.#pending = { deadLetters: [], events: 0 };
    for await (const batch of reader.subscribeToAll({ after, streamPrefixes: subscribed, signal })) {
      const startedAt = Date.now();
      for (const part of atRequests(batch, this.#consumers)) {
        if (!(await this.#take(part, signal))) continue;
        if (signal.aborted) return;
        succeeded();
      }
      if (!batch.caughtUp) continue;
      await this.#pause(batch.events.length, startedAt, signal);
      await this.#writeWaiting(batch.position);
    }
    // Without this, a store that keeps ending its subscriptions would be asked again without a pause.
    if (!signal.aborted) throw new StoreError('unavailable', 'The subscription to the log ended by itself.');
  }

  /** Folds a part of what the log brought. @returns whether it was committed, or the end came */
  async #take(part: BatchPart, signal: AbortSignal): Promise<boolean> {
    const { pace, commitEvents = 65_536 } = this.#options;
    const { events, request } = part;
    const sliceEvents = pace ? PACED_EVENTS : events.length;
    for (let from = 0; from < events.length; from += sliceEvents) {
      const slice = events.slice(from, from + sliceEvents);
      this.#pending.deadLetters.push(...(await this.#folder.fold(slice)));
      this.#pending.events += slice.length;
      await pace?.next();
      if (pace && signal.aborted) return true;
      const isEnough = pace?.busy && this.#pending.events >= BUSY_COMMIT_EVENTS;
      if (isEnough && from + sliceEvents < events.length) await this.#commitSlice(slice);
    }
    // Far behind, one commit takes several batches: a document that many events touch is written once.
    const isFull =
      this.#pending.events >= (pace?.busy ? 0 : commitEvents) ||
      this.#session.changedDocuments >= COMMIT_DOCUMENTS_MAX;
    if (!part.caughtUp && events.length > 0 && !isFull && !request) return false;
    const keptBack = this.#deferred.keptBack(part);
    await this.#commitPart(part, this.#pending.deadLetters, this.#pending.events, { keptBack });
    if (request) await this.#obey(request);
    return true;
  }

  /** In the middle of a part, so that whoever else is on this thread does not wait for a long commit. */
  async #commitSlice(events: readonly RecordedEvent[]): Promise<void> {
    const position = events.at(-1)?.position ?? 0n;
    const { deadLetters, events: count } = this.#pending;
    await this.#commitPart({ events: NOTHING, position, caughtUp: false }, deadLetters, count);
  }

  /** Acts on a request after all that came before it is stored, and before anything that comes after. */
  async #obey({ event, asked }: NonNullable<BatchPart['request']>): Promise<void> {
    const { position } = event;
    const projection = this.#options.projections.find(({ name }) => name === asked.data.consumer);
    if (projection && this.#checkpoints.of(projection) >= position) return;
    const { deadLetters, settled } = await this.#desk.obey(projection, asked, position);
    await this.#commitPart({ events: [], position, caughtUp: false }, deadLetters, 1, { settled });
  }

  async #commitPart(
    batch: SubscriptionBatch,
    deadLetters: readonly DeadLetter[],
    events: number,
    {
      settled = NOTHING,
      keptBack = NO_NAMES,
    }: { settled?: readonly DeadLetterId[]; keptBack?: ReadonlySet<string> } = {},
  ): Promise<void> {
    const checkpoints = this.#checkpoints.upTo(batch.position, keptBack);
    await this.#commit({ writes: this.#session.changes(keptBack), deadLetters, checkpoints, settled });
    this.#deferred.committed(keptBack, events);
    this.#checkpoints.committed(checkpoints);
    this.#session.committed((collection) => this.#writeOnce.has(collection.name), keptBack);
    this.#committed(batch, deadLetters);
    this.#eventsSeen += events;
    this.#reached = batch.position;
    this.#pending = { deadLetters: [], events: 0 };
  }

  /** At the end of the log, what waits is written: no further event may come. */
  async #writeWaiting(position: Position): Promise<void> {
    if (!this.#deferred.areWaiting) return;
    const head = (await this.#options.reader.headPosition()) ?? 0n;
    if (head <= position) await this.#commitPart({ events: NOTHING, position, caughtUp: true }, NOTHING, 0);
  }

  async #commit(changes: Omit<ReadModelChanges, 'fence'>): Promise<void> {
    const { store, fence } = this.#options;
    await store.commit(fence ? { ...changes, fence } : changes);
  }

  /** Marks the checkpoints with this leader's token before reading them: an earlier leader cannot move them any more. */
  async #claim(): Promise<void> {
    if (!this.#options.fence) return;
    await this.#commit({ writes: NOTHING, deadLetters: NOTHING, checkpoints: this.#checkpoints.atStart() });
  }

  /** The smallest checkpoint. Documents of other events are forgotten. */
  async #startingPoint(): Promise<Position> {
    const { reader, store, onProblem } = this.#options;
    const head = (await reader.headPosition()) ?? 0n;
    for (const { projection, position } of this.#checkpoints.takeUp(await store.checkpoints(), head)) {
      const reason = `its checkpoint ${position} lies beyond the end of the log at ${head}`;
      onProblem?.({ kind: 'rebuilding', projection: projection.name, reason });
      await store.clear(projection);
    }
    return this.#checkpoints.least ?? head;
  }

  #committed(batch: SubscriptionBatch, deadLetters: readonly DeadLetter[]): void {
    this.#caughtUp = batch.caughtUp;
    this.#folder.committed();
    for (const letter of deadLetters) this.#options.onProblem?.({ kind: 'dead_letter', letter });
    this.#options.onProjected?.();
  }

  /**
   * Batches are spaced out under load, which saves most of the writing. The fewer events the last one had, the shorter
   * the pause: whoever tries the bank by hand sees a deposit at once.
   */
  async #pause(events: number, startedAt: number, signal: AbortSignal): Promise<void> {
    const load = Math.min(1, events / (this.#options.fullBatchEvents ?? 250));
    const left = startedAt + load * (this.#options.intervalMs ?? 75) - Date.now();
    if (left > 0 && !this.#wakeRequested) await this.#wakeUp.wait(left, signal);
    this.#wakeRequested = false;
  }
}
