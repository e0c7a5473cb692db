/**
 * Loads aggregates, decides on their newest state and appends what was decided.
 *
 * Commands to one stream wait in a queue and are folded into one append, so a hot aggregate is as fast as a cold one.
 * State is cached at its revision; a conflict reads only the tail and decides again.
 */
import { LRUCache } from 'lru-cache';
import type { Aggregate, AggregateType, CommandContext, Committed, Outcome, Refusal } from './aggregate.ts';
import type { DomainEvent, EventCodec } from './codec.ts';
import { decideAll, firstRevisionOf, type Known, type Tentative, type Undecided } from './decide-all.ts';
import type {
  AppendResult,
  EventMetadata,
  EventReader,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
} from './event-store.ts';
import { findForgotten } from './forgotten-operations.ts';
import { type FoldSource, movedTip, NOTHING_KNOWN, readOn } from './load-aggregate.ts';
import {
  type OperationArchive,
  OperationLog,
  operationMetadata,
  type RecordedOperation,
} from './operation-log.ts';
import { OperationMemory } from './operation-memory.ts';
import { recallOperation } from './recall-operation.ts';
import { recallOperations } from './recall-operations.ts';
import { loadCold } from './snapshots/load-cold.ts';
import type { Snapshot } from './snapshots/snapshot.ts';
import type { SnapshotKeeper } from './snapshots/snapshot-keeper.ts';
import { StoreError } from './store-error.ts';

export type {
  Aggregate,
  AggregateType,
  CommandContext,
  Committed,
  Outcome,
  Refusal,
  RevisionMismatch,
  SnapshotType,
  StreamSumming,
} from './aggregate.ts';

/** Hears what a repository does. It is called on the way of every command, so it must be quick, and must not throw. */
export interface RepositoryObserver {
  /** An append was answered after `seconds`; `error` means that the store threw, so its outcome may be unknown. */
  onAppend(outcome: 'ok' | 'conflict' | 'error', events: number, seconds: number): void;
  /** Whether the state was in memory when it was asked for: once for commands that are folded into one append. */
  onLookup(cached: boolean): void;
}

export interface RepositoryOptions<S = unknown> {
  readonly store: EventStore;
  /** Has the whole streams, also where the store itself has only what follows a summary; default: the store. */
  readonly history?: Pick<EventReader, 'readStream'>;
  readonly newId: () => string;
  readonly now: () => Date;
  /** Aggregates kept in memory; default 10,000. */
  readonly cachedAggregatesMax?: number;
  /** Operations that those remember together, some 200 bytes each; default 250,000. */
  readonly rememberedOperationsMax?: number;
  readonly observer?: RepositoryObserver;
  /** Without it, operations that an aggregate has forgotten are not recognised any more. */
  readonly archive?: OperationArchive;
  /** Without it, every load begins with the first event. */
  readonly snapshots?: SnapshotKeeper<S> | undefined;
}

/** What became of the wish for a snapshot. */
export interface TakenSnapshot {
  readonly revision: number;
  /** False when there is one of this revision already. */
  readonly written: boolean;
}

/** Commands that may wait for one stream; one more is refused as `busy`. */
const WAITING_COMMANDS_MAX = 5_000;
/** Commands folded into one append. */
const FOLDED_COMMANDS_MAX = 500;
/** How often a group decides anew after another writer was faster. */
const TRIES_MAX = 8;

interface WaitingCommand<S, E, R> extends Undecided<S, E, R> {
  readonly creates: boolean;
  readonly resolve: (outcome: Outcome<Committed<S, E>, Refusal<R>>) => void;
  readonly reject: (error: unknown) => void;
}

/** A command whose operation was done before. */
interface Repeated<S, E, R> {
  readonly command: WaitingCommand<S, E, R>;
  readonly operation: RecordedOperation;
}

export class Repository<S, E extends DomainEvent, R> {
  readonly #aggregate: AggregateType<S, E>;
  readonly #codec: EventCodec<E>;
  readonly #options: RepositoryOptions<S>;
  readonly #source: FoldSource<S, E>;
  /** For what was done long ago. */
  readonly #history: FoldSource<S, E>;
  readonly #cache: LRUCache<string, Known<S>>;
  readonly #memory: OperationMemory;
  readonly #queues = new Map<string, WaitingCommand<S, E, R>[]>();
  /** Counts how often a state in memory turned out to be wrong. */
  #distrusted = 0;

  constructor(aggregate: AggregateType<S, E>, codec: EventCodec<E>, options: RepositoryOptions<S>) {
    this.#aggregate = aggregate;
    this.#codec = codec;
    this.#options = options;
    this.#source = { store: options.store, codec, aggregate };
    this.#history = { ...this.#source, store: options.history ?? options.store };
    this.#memory = new OperationMemory(options.rememberedOperationsMax ?? 250_000);
    this.#cache = new LRUCache({
      max: options.cachedAggregatesMax ?? 10_000,
      dispose: (_known, id, reason) => {
        if (reason !== 'set') this.#memory.drop(id);
      },
    });
    options.snapshots?.whenWrong((id) => {
      this.#distrusted += 1;
      this.#cache.delete(id);
    });
  }

  /** The newest state, or nothing when there is no such aggregate. */
  async load(id: string): Promise<Aggregate<S> | undefined> {
    this.#lookUp(id);
    const { state, revision } = await this.#refresh(id);
    return state === undefined ? undefined : { state, revision };
  }

  /** Whether the aggregate was ever created; cheap when it is cached. */
  async exists(id: string): Promise<boolean> {
    return (await this.recent(id)) !== undefined;
  }

  /** The state as it is remembered, which other writers may have changed since; it is read when it is not in memory. */
  async recent(id: string): Promise<S | undefined> {
    return (this.#lookUp(id) ?? (await this.#refresh(id))).state;
  }

  /**
   * Takes a snapshot of the newest state.
   * @returns nothing when there is no such aggregate
   * @throws StoreError when the store fails, or `unsupported` where no snapshots are kept
   */
  async takeSnapshot(id: string): Promise<TakenSnapshot | undefined> {
    const { snapshots } = this.#options;
    if (!snapshots)
      throw new StoreError('unsupported', `No snapshots of a ${this.#aggregate.name} are kept.`);
    const known = await this.#refresh(id);
    if (known.state === undefined) return undefined;
    return { revision: known.revision, written: await snapshots.take(id, known) };
  }

  /**
   * Decides on the newest state and appends the events; answers only when they are durable. An operation that was done
   * before is not decided again, and not held against the expected revision.
   * @param decide also gets the business time that its events will carry
   * @param expectedRevision the revision that the client saw (If-Match); another one answers `revision_mismatch`.
   * @throws StoreError when the store failed, or `busy` when too many commands wait for this stream.
   */
  execute(
    id: string,
    decide: (state: S | undefined, now: string) => Outcome<E[], R>,
    context: CommandContext,
    expectedRevision?: number,
  ): Promise<Outcome<Committed<S, E>, Refusal<R>>> {
    return this.#enqueue(id, { decide, context, expectedRevision, creates: false });
  }

  /**
   * As `execute`, for what most likely does not exist yet: nothing is read first, because the append finds out. Where
   * there is something after all, the command is decided anew on that.
   */
  create(
    id: string,
    decide: (state: S | undefined, now: string) => Outcome<E[], R>,
    context: CommandContext,
  ): Promise<Outcome<Committed<S, E>, Refusal<R>>> {
    return this.#enqueue(id, { decide, context, expectedRevision: undefined, creates: true });
  }

  #enqueue(
    id: string,
    wanted: Omit<WaitingCommand<S, E, R>, 'resolve' | 'reject'>,
  ): Promise<Outcome<Committed<S, E>, Refusal<R>>> {
    return new Promise((resolve, reject) => {
      const command = { ...wanted, resolve, reject };
      const queue = this.#queues.get(id);
      if (!queue) {
        this.#queues.set(id, [command]);
        // Not at once: what the other sockets of this turn ask of the same stream joins the append.
        setImmediate(() => void this.#drain(id));
      } else if (queue.length < WAITING_COMMANDS_MAX) {
        queue.push(command);
      } else {
        reject(new StoreError('busy', `Too many commands are waiting for ${this.#aggregate.stream(id)}.`));
      }
    });
  }

  async #drain(id: string): Promise<void> {
    const queue = this.#queues.get(id) ?? [];
    while (queue.length > 0) {
      const group = queue.splice(0, FOLDED_COMMANDS_MAX);
      try {
        await this.#commitGroup(id, group);
      } catch (error) {
        for (const command of group) command.reject(error);
      }
    }
    this.#queues.delete(id);
  }

  async #commitGroup(id: string, group: readonly WaitingCommand<S, E, R>[]): Promise<void> {
    const { name } = this.#aggregate;
    const { archive } = this.#options;
    const distrusted = this.#distrusted;
    const isNew = group.every(({ creates }) => creates);
    let known = this.#lookUp(id) ?? (isNew ? NOTHING_KNOWN : await this.#refresh(id));
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const now = this.#options.now().toISOString();
      const forgotten = await findForgotten(archive, { name, id }, known.operations, group);
      const tentative = decideAll(this.#aggregate, known, group, now, forgotten);
      const events = this.#encode(id, group, tentative, now);
      if (events.length === 0) {
        // Nothing will be appended that could prove the state current, so a refusal is checked against the store.
        const newest = await this.#refresh(id);
        if (newest.revision === known.revision) return this.#settle(id, group, tentative, now);
        known = newest;
        continue;
      }
      const expected = known.revision === NOTHING_KNOWN.revision ? 'no_stream' : known.revision;
      const result = await this.#append(this.#aggregate.stream(id), events, expected);
      if (result.ok) {
        const [last] = events.slice(-1) as [NewEvent];
        // What was decided on a state that proved wrong meanwhile must not come back into memory.
        if (distrusted === this.#distrusted) this.#remember(id, group, known, tentative, last);
        return this.#settle(id, group, tentative, now, result.position);
      }
      known = await this.#refresh(id);
    }
    throw new StoreError('busy', `Other writers kept changing ${this.#aggregate.stream(id)}.`);
  }

  #lookUp(id: string): Known<S> | undefined {
    const cached = this.#cache.get(id);
    this.#options.observer?.onLookup(cached !== undefined);
    return cached;
  }

  async #append(stream: string, events: NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const { store, observer } = this.#options;
    if (!observer) return store.append(stream, events, expected);
    const startedAt = performance.now();
    let outcome: 'ok' | 'conflict' | 'error' = 'error';
    try {
      const result = await store.append(stream, events, expected);
      outcome = result.ok ? 'ok' : 'conflict';
      return result;
    } finally {
      observer.onAppend(outcome, events.length, (performance.now() - startedAt) / 1000);
    }
  }

  /** Reads what the cache does not have yet, which is usually nothing. What came into it meanwhile may be newer still. */
  async #refresh(id: string): Promise<Known<S>> {
    const distrusted = this.#distrusted;
    const cached = this.#cache.get(id);
    const known = await (cached
      ? readOn(this.#source, this.#aggregate.stream(id), cached)
      : loadCold(this.#source, id, this.#options.snapshots));
    const meanwhile = this.#cache.get(id);
    if (meanwhile && meanwhile.revision > known.revision) return meanwhile;
    if (known.state !== undefined && distrusted === this.#distrusted) this.#keep(id, known);
    return known;
  }

  #keep(id: string, known: Known<S>): void {
    this.#cache.set(id, known);
    this.#memory.note(id, known.operations);
    this.#memory.relieve((other) => !this.#queues.has(other));
    while (this.#memory.isOverfull && this.#cache.size > 1) this.#cache.pop();
  }

  #encode(
    id: string,
    group: readonly WaitingCommand<S, E, R>[],
    tentative: readonly Tentative<S, E, R>[],
    timestamp: string,
  ): NewEvent[] {
    return tentative.flatMap((outcome, index) => {
      if (outcome.kind !== 'accepted') return [];
      const { operation, ...ids } = (group[index] as WaitingCommand<S, E, R>).context;
      const metadata: EventMetadata = {
        aggregate_type: this.#aggregate.name,
        aggregate_id: id,
        timestamp,
        ...ids,
        ...operationMetadata(operation),
      };
      return outcome.events.map((event) => ({
        id: this.#options.newId(),
        ...this.#codec.encode(event),
        metadata,
      }));
    });
  }

  #remember(
    id: string,
    group: readonly WaitingCommand<S, E, R>[],
    before: Known<S>,
    tentative: readonly Tentative<S, E, R>[],
    lastEvent: NewEvent,
  ): void {
    const last = tentative.findLast((outcome) => outcome.kind === 'accepted');
    const cached = this.#cache.get(id);
    if (!last || (cached && cached.revision > before.revision)) return;
    // A load that ended late may have left what is older, and does not know of the operations since.
    const newest = cached?.revision === before.revision ? cached : before;
    let operations = newest.operations ?? before.operations;
    for (const [index, outcome] of tentative.entries()) {
      const operation = group[index]?.context.operation;
      if (!operation || outcome.kind !== 'accepted' || outcome.events.length === 0) continue;
      operations ??= new OperationLog();
      operations.note(operation, firstRevisionOf(outcome), outcome.revision);
    }
    const tip = movedTip(newest.tip, lastEvent.id, lastEvent.metadata.timestamp);
    const known = { state: last.state, revision: last.revision, operations, tip };
    this.#keep(id, this.#options.snapshots?.consider(id, known) ?? known);
  }

  #settle(
    id: string,
    group: readonly WaitingCommand<S, E, R>[],
    tentative: readonly Tentative<S, E, R>[],
    timestamp: string,
    position?: Position,
  ): void {
    const stream = this.#aggregate.stream(id);
    const repeated: Repeated<S, E, R>[] = [];
    for (const [index, command] of group.entries()) {
      const outcome = tentative[index] as Tentative<S, E, R>;
      if (outcome.kind === 'failed') {
        command.reject(outcome.error);
      } else if (outcome.kind === 'rejected') {
        command.resolve({ ok: false, rejection: outcome.rejection });
      } else if (outcome.kind === 'repeated') {
        repeated.push({ command, operation: outcome.operation });
      } else {
        const { state, revision, events } = outcome;
        const where = position === undefined || events.length === 0 ? {} : { position };
        command.resolve({ ok: true, value: { state, revision, events, stream, timestamp, ...where } });
      }
    }
    if (repeated.length > 0) void this.#answerRepeated(id, repeated);
  }

  /** One operation is recalled for all who asked for it; several are found by reading the stream once. */
  async #answerRepeated(id: string, repeated: readonly Repeated<S, E, R>[]): Promise<void> {
    try {
      const [first] = repeated;
      const ends = new Set(repeated.map(({ operation }) => operation.lastRevision));
      const answers =
        first && ends.size === 1
          ? new Map([[first.operation.lastRevision, await this.#recall(id, first.operation)]])
          : await recallOperations(
              this.#history,
              this.#aggregate.stream(id),
              repeated.map(({ operation }) => operation),
            );
      for (const { command, operation } of repeated) {
        const value = answers.get(operation.lastRevision);
        if (value) command.resolve({ ok: true, value });
        else command.reject(new StoreError('corrupt', `Events of ${this.#aggregate.stream(id)} are gone.`));
      }
    } catch (error) {
      for (const { command } of repeated) command.reject(error);
    }
  }

  /** What an operation came to when it was done. */
  async #recall(id: string, operation: RecordedOperation) {
    const stream = this.#aggregate.stream(id);
    const cached = this.#cache.get(id);
    // Mostly it was the newest one, tried again because its answer got lost: then the state is at hand.
    const state = cached?.revision === operation.lastRevision ? cached.state : undefined;
    const start = state === undefined ? await this.#snapshotBefore(id, operation) : undefined;
    return recallOperation(this.#history, stream, operation, { state, start });
  }

  async #snapshotBefore(id: string, { firstRevision }: RecordedOperation): Promise<Snapshot<S> | undefined> {
    // It saves work, and nothing else: without it the stream is read from its beginning.
    const found = this.#options.snapshots?.history.atOrBefore(id, firstRevision - 1);
    return found?.catch(() => undefined);
  }
}
