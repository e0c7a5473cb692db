/** The log as far as it goes now, or as it stood at a time: for projections that are folded once and looked at. */
import { LRUCache } from 'lru-cache';
import type {
  EventReader,
  Position,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionBatch,
} from './event-store.ts';

/** Streams of which it is remembered where they end. */
const STREAMS_MAX = 50_000;

/** Where a stream goes beyond the time, as far as it was looked at. */
interface Horizon {
  readonly lookedAt: number;
  /** The first revision that is later than the time; missing while there is none. */
  readonly endsAt?: number;
}

/** Told after each batch how many events were read so far, and how far that is. What it throws breaks the reading off. */
export type ReadingReport = (events: number, position: Position) => void;

/**
 * A reader whose subscription ends where the log ends. With a time, each stream is there up to, and without, its first
 * event later than that: the same that temporal replay shows of one stream.
 */
export class LogUntil implements EventReader {
  readonly #reader: EventReader;
  readonly #time: number;
  readonly #horizons = new LRUCache<string, Horizon>({ max: STREAMS_MAX });
  readonly #onRead: ReadingReport | undefined;
  /** Until the first event later than the time, every event counts. */
  #sawLater = false;
  #eventsRead = 0;

  /** @param time RFC 3339; without it, all events count */
  constructor(reader: EventReader, time?: string, onRead?: ReadingReport) {
    this.#reader = reader;
    this.#time = time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time);
    this.#onRead = onRead;
  }

  get storeId(): string {
    return this.#reader.storeId;
  }

  /** As it is, whatever the time: who reads a stream says up to which revision. */
  readStream(...options: Parameters<EventReader['readStream']>): AsyncIterable<RecordedEvent> {
    return this.#reader.readStream(...options);
  }

  readAll(...options: Parameters<EventReader['readAll']>): AsyncIterable<RecordedEvent> {
    return this.#reader.readAll(...options);
  }

  headPosition(): ReturnType<EventReader['headPosition']> {
    return this.#reader.headPosition();
  }

  async *subscribeToAll(options: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
    for await (const batch of this.#reader.subscribeToAll(options)) {
      const events: RecordedEvent[] = [];
      for (const event of batch.events) if (await this.#counts(event)) events.push(event);
      this.#eventsRead += batch.events.length;
      this.#onRead?.(this.#eventsRead, batch.position);
      yield { ...batch, events };
    }
  }

  async #counts(event: RecordedEvent): Promise<boolean> {
    if (Date.parse(event.metadata.timestamp) > this.#time) {
      this.#sawLater = true;
      return false;
    }
    return !this.#sawLater || event.revision < (await this.#endOf(event));
  }

  /** Looks whether an event before this one is later than the time; mostly only what is new has to be looked at. */
  async #endOf({ stream, revision }: RecordedEvent): Promise<number> {
    const known = this.#horizons.get(stream);
    if (known?.endsAt !== undefined) return known.endsAt;
    const from = (known?.lookedAt ?? -1) + 1;
    for await (const event of this.#reader.readStream(stream, {
      from,
      limit: Math.max(0, revision - from),
    })) {
      if (event.revision >= revision) break;
      if (!(Date.parse(event.metadata.timestamp) > this.#time)) continue;
      this.#horizons.set(stream, { lookedAt: event.revision, endsAt: event.revision });
      return event.revision;
    }
    this.#horizons.set(stream, { lookedAt: Math.max(revision - 1, known?.lookedAt ?? -1) });
    return Number.POSITIVE_INFINITY;
  }
}
