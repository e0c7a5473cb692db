/**
 * Keeps read models up to date: one supervised loop that reads the log in batches, folds them in memory and commits
 * documents and checkpoints together. Every way of failing ends in a retry or in a stored dead letter.
 */
import { backoff } from './backoff.ts';
import type { DomainEvent, EventCodec, Recorded } from './codec.ts';
import { deadLetter, reasonOf, WAITS_FOR_EARLIER } from './dead-letter.ts';
import { DocumentSession } from './document-session.ts';
import type { EventReader, Position, RecordedEvent, SubscriptionBatch } from './event-store.ts';
import { isFiller } from './filler-event.ts';
import { foldStream } from './fold-stream.ts';
import { loadAhead } from './load-ahead.ts';
import { type AnyProjection, TemporaryError } from './projection.ts';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Document,
  Fence,
  ReadModelChanges,
  ReadModelStore,
} from './read-model-store.ts';
import { Signal } from './signal.ts';
import { StoreError } from './store-error.ts';

export interface ProjectorOptions<E extends DomainEvent> {
  readonly reader: EventReader;
  readonly store: ReadModelStore;
  readonly codec: EventCodec<E>;
  /** In the order in which an event passes them: a projection may look up the ones before it. */
  readonly projections: readonly AnyProjection<E>[];
  readonly streamPrefixes: readonly string[];
  /** Proof of leadership, where several workers share the projections. */
  readonly fence?: Fence;
  /** Called after every commit. */
  readonly onProjected?: () => void;
  readonly onProblem?: (problem: ProjectorProblem) => void;
  /** Time between two batches at the end of the log under full load; a waiting reader skips it. Default 75. */
  readonly intervalMs?: number;
  /** Events folded into one commit when far behind; their documents wait in memory until then. Default 65,536. */
  readonly commitEvents?: number;
  /** Events in a batch from which on the log counts as fully loaded. Default 250. */
  readonly fullBatchEvents?: number;
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

/** Tries of an event whose fold says that it may succeed later. */
const FOLD_TRIES_MAX = 3;
/** Documents of each collection kept in memory between batches. */
const CACHED_DOCUMENTS_MAX = 12_000;

const NOTHING: readonly never[] = [];
const NOTHING_DECODED: ReadonlyMap<RecordedEvent, never> = new Map<RecordedEvent, never>();

export class Projector<E extends DomainEvent> {
  readonly #options: ProjectorOptions<E>;
  readonly #session: DocumentSession;
  readonly #checkpoints = new Map<string, Position>();
  readonly #wakeUp = new Signal();
  readonly #tries = new Map<string, number>();
  readonly #writeOnce: ReadonlySet<string>;
  readonly #byEventType = new Map<string, readonly AnyProjection<E>[]>();
  /** Documents of the event under way that were missing, as their streams tell them, or why that failed. */
  readonly #recovered = new Map<string, { document?: Document | undefined; error?: unknown }>();
  #state: ProjectorState = 'stopped';
  #wakeRequested = false;

  constructor(options: ProjectorOptions<E>) {
    this.#options = options;
    this.#session = new DocumentSession(options.store, CACHED_DOCUMENTS_MAX);
    this.#writeOnce = new Set(options.projections.filter((one) => one.writeOnce).map((one) => one.name));
  }

  get state(): ProjectorState {
    return this.#state;
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
    this.#state = 'running';
    let deadLetters: DeadLetter[] = [];
    let folded = 0;
    for await (const batch of reader.subscribeToAll({ after, streamPrefixes, signal })) {
      const startedAt = Date.now();
      deadLetters.push(...(await this.#fold(batch.events)));
      folded += batch.events.length;
      // Far behind, one commit takes several batches: a document that many events touch is written once.
      if (!batch.caughtUp && batch.events.length > 0 && folded < (this.#options.commitEvents ?? 65_536))
        continue;
      const checkpoints = this.#advanceTo(batch);
      await this.#commit({ writes: this.#session.changes(), deadLetters, checkpoints });
      this.#committed(batch, deadLetters);
      deadLetters = [];
      folded = 0;
      succeeded();
      if (batch.caughtUp) await this.#pause(batch.events.length, startedAt, signal);
    }
    // Without this, a store that keeps ending its subscriptions would be asked again without a pause.
    if (!signal.aborted) throw new StoreError('unavailable', 'The subscription to the log ended by itself.');
  }

  async #commit(changes: Omit<ReadModelChanges, 'fence'>): Promise<void> {
    const { store, fence } = this.#options;
    await store.commit(fence ? { ...changes, fence } : changes);
  }

  /** Marks the checkpoints with this leader's token before reading them: an earlier leader cannot move them any more. */
  async #claim(): Promise<void> {
    if (!this.#options.fence) return;
    const checkpoints = this.#options.projections.map((one) => checkpointAt(one, 0n));
    await this.#commit({ writes: NOTHING, deadLetters: NOTHING, checkpoints });
  }

  /** The smallest checkpoint; one that lies beyond the end of the log belongs to other events, and starts over. */
  async #startingPoint(): Promise<Position> {
    const { reader, store, projections } = this.#options;
    const head = (await reader.headPosition()) ?? 0n;
    const stored = await store.checkpoints();
    this.#checkpoints.clear();
    for (const projection of projections) {
      const position = stored.find((one) => isOf(one, projection))?.position ?? 0n;
      if (position <= head) {
        this.#checkpoints.set(projection.name, position);
        continue;
      }
      const reason = `its checkpoint ${position} lies beyond the end of the log at ${head}`;
      this.#options.onProblem?.({ kind: 'rebuilding', projection: projection.name, reason });
      await store.clear(projection);
      this.#checkpoints.set(projection.name, 0n);
    }
    return [...this.#checkpoints.values()].reduce((least, one) => (one < least ? one : least), head);
  }

  #advanceTo(batch: SubscriptionBatch): Checkpoint[] {
    return this.#options.projections
      .filter((one) => this.#checkpointOf(one) < batch.position)
      .map((one) => checkpointAt(one, batch.position));
  }

  #checkpointOf(projection: Collection): Position {
    return this.#checkpoints.get(projection.name) ?? 0n;
  }

  #committed(batch: SubscriptionBatch, deadLetters: readonly DeadLetter[]): void {
    for (const one of this.#advanceTo(batch)) this.#checkpoints.set(one.projection, one.position);
    this.#session.committed((collection) => this.#writeOnce.has(collection.name));
    this.#tries.clear();
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

  async #fold(events: readonly RecordedEvent[]): Promise<DeadLetter[]> {
    const deadLetters: DeadLetter[] = [];
    const decoded = await this.#loadAhead(events);
    for (const recorded of events) {
      if (isFiller(recorded)) continue;
      let event: Recorded<E>;
      try {
        event = decoded.get(recorded) ?? this.#options.codec.decode(recorded);
      } catch (error) {
        deadLetters.push(...(await this.#setAside(recorded, reasonOf(error))));
        continue;
      }
      for (const projection of this.#wanting(event.type)) {
        if (event.position <= this.#checkpointOf(projection)) continue;
        try {
          // Waiting costs more than folding, and nearly always all that an event needs is known already.
          if (!this.#knowsAllFor(projection, event)) await this.#loadAllFor(projection, event);
        } catch (error) {
          deadLetters.push(this.#giveUpOrRetry(projection, event, '', error));
          continue;
        }
        this.#foldInto(projection, event, deadLetters);
      }
    }
    return deadLetters;
  }

  /**
   * A store on a server is asked once for all documents that a batch is known to want, not once for each of them.
   * @returns the events that had to be decoded for that
   */
  async #loadAhead(events: readonly RecordedEvent[]): Promise<ReadonlyMap<RecordedEvent, Recorded<E>>> {
    if (!this.#options.store.getMany) return NOTHING_DECODED;
    const { codec } = this.#options;
    const wanting = (event: Recorded<E>) =>
      this.#wanting(event.type).filter((one) => event.position > this.#checkpointOf(one));
    return loadAhead(this.#session, codec, events, wanting);
  }

  /** An event that nobody can read: the documents of its stream are blocked, for without it they would be wrong. */
  async #setAside(recorded: RecordedEvent, cause: string): Promise<DeadLetter[]> {
    const key = recorded.metadata.aggregate_id ?? (await this.#aggregateOf(recorded.stream));
    const ofStream = this.#options.projections.filter((one) => one.stream?.(key) === recorded.stream);
    if (ofStream.length === 0) return [deadLetter('*', recorded.stream, recorded, cause, 1)];
    const unaware = ofStream.filter((one) => this.#checkpointOf(one) < recorded.position);
    for (const projection of unaware) {
      await this.#session.load(projection, key);
      this.#block(projection, recorded, key);
    }
    return unaware.map(({ name }) => deadLetter(name, key, recorded, cause, 1));
  }

  /** The id that the first event of a stream gives; empty where nobody can read that either. */
  async #aggregateOf(stream: string): Promise<string> {
    try {
      for await (const { metadata } of this.#options.reader.readStream(stream, { limit: 1 }))
        return metadata.aggregate_id ?? '';
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
    }
    return '';
  }

  /** The projections that want this type of event, in their order. */
  #wanting(eventType: E['type']): readonly AnyProjection<E>[] {
    const known = this.#byEventType.get(eventType);
    if (known) return known;
    const wanting = this.#options.projections.filter((one) => one.eventTypes.includes(eventType));
    this.#byEventType.set(eventType, wanting);
    return wanting;
  }

  #knowsAllFor(projection: AnyProjection<E>, event: Recorded<E>): boolean {
    const lookups = projection.lookups?.(event) ?? NOTHING;
    if (!lookups.every(({ from, key }) => this.#session.knows(from, key))) return false;
    return this.#keysOf(projection, event).every((key) => this.#knows(projection, event, key));
  }

  #knows(projection: AnyProjection<E>, event: Recorded<E>, key: string): boolean {
    if (projection.writeOnce) return true;
    if (!this.#session.knows(projection, key)) return false;
    return this.#session.stored(projection, key) !== undefined || !isFoldedFromStream(projection, event);
  }

  async #loadAllFor(projection: AnyProjection<E>, event: Recorded<E>): Promise<void> {
    for (const lookup of projection.lookups?.(event) ?? NOTHING)
      await this.#session.load(lookup.from, lookup.key);
    for (const key of this.#keysOf(projection, event)) {
      if (projection.writeOnce) continue;
      await this.#session.load(projection, key);
      if (!this.#knows(projection, event, key)) await this.#recover(projection, event, key);
    }
  }

  /** A document that should be there but is not is folded from its stream, up to the event before this one. */
  async #recover(projection: AnyProjection<E>, event: Recorded<E>, key: string): Promise<void> {
    const { reader, codec } = this.#options;
    const id = `${projection.name}/${key}`;
    try {
      const document = await foldStream(reader, codec, projection, key, this.#session, event.revision - 1);
      this.#recovered.set(id, { document });
    } catch (error) {
      this.#recovered.set(id, { error });
    }
  }

  /** The keys, or none when they cannot be told: then `#foldInto` meets the same error and deals with it. */
  #keysOf(projection: AnyProjection<E>, event: Recorded<E>): readonly string[] {
    try {
      return projection.keys(event, this.#session);
    } catch {
      return NOTHING;
    }
  }

  #foldInto(projection: AnyProjection<E>, event: Recorded<E>, deadLetters: DeadLetter[]): void {
    let keys: readonly string[];
    try {
      keys = projection.keys(event, this.#session);
    } catch (error) {
      // Which documents it touches is not known, so none is blocked.
      deadLetters.push(this.#giveUpOrRetry(projection, event, '', error));
      return;
    }
    for (const key of keys) {
      try {
        const letter = this.#foldDocument(projection, event, key);
        if (letter) deadLetters.push(letter);
      } catch (error) {
        deadLetters.push(this.#giveUpOrRetry(projection, event, key, error));
        this.#block(projection, event, key);
      }
    }
    if (this.#recovered.size > 0) this.#recovered.clear();
  }

  /** Folds one event into one document; answers a dead letter when the document is blocked already. */
  #foldDocument(projection: AnyProjection<E>, event: Recorded<E>, key: string): DeadLetter | undefined {
    const stored = this.#session.stored(projection, key);
    if (stored && stored.position >= event.position) return undefined;
    if (stored?.blocked) return deadLetter(projection.name, key, event, WAITS_FOR_EARLIER, 0);
    const recovered = stored ? undefined : this.#recovered.get(`${projection.name}/${key}`);
    if (recovered?.error !== undefined) throw recovered.error;
    const before = stored ? stored.document : recovered?.document;
    this.#session.change(projection, {
      key,
      sequence: stored?.sequence ?? event.position,
      position: event.position,
      document: projection.fold(before, event, this.#session, key),
      blocked: false,
    });
    return undefined;
  }

  #block(projection: AnyProjection<E>, event: Pick<RecordedEvent, 'position'>, key: string): void {
    const stored = this.#session.stored(projection, key);
    this.#session.change(projection, {
      sequence: event.position,
      ...stored,
      key,
      position: event.position,
      blocked: true,
    });
  }

  /** Throws for the loop to try again while there is hope; answers the dead letter when there is none. */
  #giveUpOrRetry(projection: AnyProjection<E>, event: Recorded<E>, key: string, error: unknown): DeadLetter {
    // What is corrupt stays so however often it is read: an older event of the stream that nobody can decode.
    if (error instanceof StoreError && error.code !== 'corrupt') throw error;
    let tries = 1;
    if (error instanceof TemporaryError) {
      const id = `${projection.name}/${key}/${event.id}`;
      tries += this.#tries.get(id) ?? 0;
      if (tries < FOLD_TRIES_MAX) {
        this.#tries.set(id, tries);
        throw error;
      }
    }
    return deadLetter(projection.name, key, event, reasonOf(error), tries);
  }
}

/** Whether a document of this projection should be there before this event, and can be had from its stream. */
function isFoldedFromStream<E extends DomainEvent>(
  projection: AnyProjection<E>,
  event: Recorded<E>,
): boolean {
  return projection.stream !== undefined && event.revision > 0;
}

function checkpointAt({ name, version }: Collection, position: Position): Checkpoint {
  return { projection: name, version, position };
}

function isOf(checkpoint: Checkpoint, projection: Collection): boolean {
  return checkpoint.projection === projection.name && checkpoint.version === projection.version;
}
