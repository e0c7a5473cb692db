/** Folds events into the documents of projections, in memory; what cannot be folded becomes a dead letter. */
import type { DomainEvent, EventCodec, Recorded } from './codec.ts';
import { deadLetter, NO_PROJECTION, reasonOf, WAITS_FOR_EARLIER } from './dead-letter.ts';
import type { DocumentSession } from './document-session.ts';
import type { EventReader, Position, RecordedEvent } from './event-store.ts';
import { isFiller } from './filler-event.ts';
import { foldStream } from './fold-stream.ts';
import { loadAhead } from './load-ahead.ts';
import { faultOf, type LoggedEvent } from './logged-event.ts';
import { type AnyProjection, TemporaryError } from './projection.ts';
import type { Collection, DeadLetter, Document } from './read-model-store.ts';
import { StoreError } from './store-error.ts';

export interface EventFolderOptions<E extends DomainEvent> {
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<E>;
  readonly projections: readonly AnyProjection<E>[];
  readonly session: DocumentSession;
  /** Events up to there are in the projection's documents already. */
  readonly checkpointOf: (projection: Collection) => Position;
  /** Whether the store can be asked for many documents at once. */
  readonly loadsAhead: boolean;
}

/** Tries of an event whose fold says that it may succeed later. */
const FOLD_TRIES_MAX = 3;

const NOTHING: readonly never[] = [];
const NOTHING_DECODED: ReadonlyMap<RecordedEvent, never> = new Map<RecordedEvent, never>();

export class EventFolder<E extends DomainEvent> {
  readonly #options: EventFolderOptions<E>;
  readonly #session: DocumentSession;
  readonly #tries = new Map<string, number>();
  readonly #watching: readonly AnyProjection<E>[];
  readonly #byEventType = new Map<string, readonly AnyProjection<E>[]>();
  /** Documents of the event under way that were missing, as their streams tell them, or why that failed. */
  readonly #recovered = new Map<string, { document?: Document | undefined; error?: unknown }>();

  constructor(options: EventFolderOptions<E>) {
    this.#options = options;
    this.#session = options.session;
    this.#watching = options.projections.filter((one) => one.watchesLog);
  }

  /** What was folded is committed: later tries are counted from the first again. */
  committed(): void {
    this.#tries.clear();
  }

  /**
   * Folds events into the session, in their order.
   * @returns the dead letters of those that could not be folded
   * @throws StoreError, or what a fold threw that may succeed later: then the session has to be discarded
   */
  async fold(events: readonly RecordedEvent[]): Promise<DeadLetter[]> {
    const deadLetters: DeadLetter[] = [];
    const decoded = await this.#loadAhead(events);
    for (const recorded of events) {
      if (isFiller(recorded)) continue;
      let meant: Recorded<E> | undefined;
      let logged: LoggedEvent = recorded;
      try {
        meant = decoded.get(recorded) ?? this.#options.codec.decode(recorded);
      } catch (error) {
        deadLetters.push(...(await this.#setAside(recorded, reasonOf(error))));
        logged = { ...recorded, fault: faultOf(recorded, error) };
      }
      for (const projection of meant ? this.#wanting(meant.type) : this.#watching) {
        if (recorded.position <= this.#options.checkpointOf(projection)) continue;
        const event = (projection.watchesLog ? logged : meant) as Recorded<E>;
        let keys: readonly string[] | undefined;
        try {
          // Waiting costs more than folding, and nearly always all that an event needs is known already.
          keys = this.#keysIfAllIsKnown(projection, event);
          if (!keys) await this.#loadAllFor(projection, event);
        } catch (error) {
          deadLetters.push(this.#giveUpOrRetry(projection, event, '', error));
          continue;
        }
        keys ??= this.#keysOrLetter(projection, event, deadLetters);
        this.#foldInto(projection, event, keys, deadLetters);
      }
    }
    return deadLetters;
  }

  /**
   * A store on a server is asked once for all documents that a batch is known to want, not once for each of them.
   * @returns the events that had to be decoded for that
   */
  async #loadAhead(events: readonly RecordedEvent[]): Promise<ReadonlyMap<RecordedEvent, Recorded<E>>> {
    if (!this.#options.loadsAhead) return NOTHING_DECODED;
    const { codec } = this.#options;
    const wanting = (event: Recorded<E>) =>
      this.#wanting(event.type).filter((one) => event.position > this.#options.checkpointOf(one));
    return loadAhead(this.#session, codec, events, wanting);
  }

  /** An event that nobody can read: the documents of its stream are blocked, for without it they would be wrong. */
  async #setAside(recorded: RecordedEvent, cause: string): Promise<DeadLetter[]> {
    const key = recorded.metadata.aggregate_id ?? (await this.#aggregateOf(recorded.stream));
    const ofStream = this.#options.projections.filter((one) => one.stream?.(key) === recorded.stream);
    if (ofStream.length === 0) return [deadLetter(NO_PROJECTION, recorded.stream, recorded, cause, 1)];
    const unaware = ofStream.filter((one) => this.#options.checkpointOf(one) < recorded.position);
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
    const wanting = this.#options.projections.filter(
      (one) => one.watchesLog || one.eventTypes.includes(eventType),
    );
    this.#byEventType.set(eventType, wanting);
    return wanting;
  }

  /** The documents that the event touches; nothing while they, or what they are told by, have to be loaded. */
  #keysIfAllIsKnown(projection: AnyProjection<E>, event: Recorded<E>): readonly string[] | undefined {
    for (const { from, key } of projection.lookups?.(event) ?? NOTHING)
      if (!this.#session.knows(from, key)) return undefined;
    const keys = this.#keysOf(projection, event);
    for (const key of keys ?? NOTHING) if (!this.#knows(projection, event, key)) return undefined;
    return keys;
  }

  #knows(projection: AnyProjection<E>, event: Recorded<E>, key: string): boolean {
    if (projection.writeOnce) return true;
    if (!this.#session.knows(projection, key)) return false;
    return this.#session.stored(projection, key) !== undefined || !isFoldedFromStream(projection, event);
  }

  async #loadAllFor(projection: AnyProjection<E>, event: Recorded<E>): Promise<void> {
    for (const lookup of projection.lookups?.(event) ?? NOTHING)
      await this.#session.load(lookup.from, lookup.key);
    for (const key of this.#keysOf(projection, event) ?? NOTHING) {
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

  /** Nothing when they cannot be told. */
  #keysOf(projection: AnyProjection<E>, event: Recorded<E>): readonly string[] | undefined {
    try {
      return projection.keys(event, this.#session);
    } catch {
      return undefined;
    }
  }

  /** Which documents it touches may be told by none: then none is blocked. */
  #keysOrLetter(
    projection: AnyProjection<E>,
    event: Recorded<E>,
    deadLetters: DeadLetter[],
  ): readonly string[] {
    try {
      return projection.keys(event, this.#session);
    } catch (error) {
      deadLetters.push(this.#giveUpOrRetry(projection, event, '', error));
      return NOTHING;
    }
  }

  #foldInto(
    projection: AnyProjection<E>,
    event: Recorded<E>,
    keys: readonly string[],
    deadLetters: DeadLetter[],
  ): void {
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
