/** Reads a store together with its archive, as if nothing had ever been cut off. */
import type {
  EventReader,
  EventStore,
  Position,
  ReadAllOptions,
  ReadDirection,
  ReadStreamOptions,
  RecordedEvent,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionBatch,
} from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import type { ArchiveCatalogue } from './archive-catalogue.ts';
import { ArchivedLog } from './archived-log.ts';
import { ArchivedStreams } from './archived-streams.ts';

/** What is read of the store itself. */
export type LiveReader = EventReader & Pick<EventStore, 'getStreamMetadata'>;

/** Events of the log that are looked at together, before the archive is asked for what lies between them. */
const PAGE_EVENTS = 2_000;
/** As many as an embedded store's batch has. */
const BATCH_EVENTS = 8_192;
/** Beyond every position that a store has given. */
const LAST_POSITION: Position = 2n ** 63n - 1n;

export class ArchivedEventReader implements LiveReader {
  protected readonly archived: ArchivedStreams;
  readonly #live: LiveReader;
  readonly #catalogue: ArchiveCatalogue;

  /** @param archivedPrefix of the streams that may be archived; others are read as they are */
  constructor(live: LiveReader, catalogue: ArchiveCatalogue, archivedPrefix: string) {
    this.#live = live;
    this.#catalogue = catalogue;
    this.archived = new ArchivedStreams(catalogue, archivedPrefix);
  }

  get storeId(): string {
    return this.#live.storeId;
  }

  headPosition(): Promise<Position | undefined> {
    return this.#live.headPosition();
  }

  /** Without the truncation that the archive makes up for. */
  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    const metadata = await this.#live.getStreamMetadata(stream);
    const { truncateBefore, ...others } = metadata;
    if (truncateBefore === undefined || !this.archived.mayHave(stream)) return metadata;
    const piece = await this.archived.oldestPiece(stream);
    if (!piece) return metadata;
    return piece.first === 0 ? others : { ...others, truncateBefore: piece.first };
  }

  readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    if (!this.archived.mayHave(stream)) return this.#live.readStream(stream, options);
    return options.direction === 'backwards'
      ? this.#streamBackwards(stream, options)
      : this.#streamForwards(stream, options);
  }

  /** A revision that is missing before one that is there was cut off, perhaps only while the stream is read. */
  async *#streamForwards(stream: string, options: ReadStreamOptions): AsyncGenerator<RecordedEvent> {
    const { limit = Number.POSITIVE_INFINITY } = options;
    let left = limit;
    let expected = options.from ?? 0;
    for await (const event of this.#live.readStream(stream, options)) {
      if (event.revision > expected) {
        const range = { first: expected, last: event.revision - 1, direction: 'forwards' } as const;
        for await (const cut of this.archived.read(stream, range)) {
          yield cut;
          left -= 1;
          if (left <= 0) return;
        }
      }
      yield event;
      left -= 1;
      if (left <= 0) return;
      expected = event.revision + 1;
    }
  }

  async *#streamBackwards(stream: string, options: ReadStreamOptions): AsyncGenerator<RecordedEvent> {
    const { limit = Number.POSITIVE_INFINITY } = options;
    let left = limit;
    let expected: number | undefined;
    const cutUpTo = (last: number, first: number) =>
      this.archived.read(stream, { first, last, direction: 'backwards' });
    for await (const event of this.#live.readStream(stream, options)) {
      if (expected !== undefined && event.revision < expected) {
        for await (const cut of cutUpTo(expected, event.revision + 1)) {
          yield cut;
          left -= 1;
          if (left <= 0) return;
        }
      }
      yield event;
      left -= 1;
      expected = event.revision - 1;
      if (left <= 0) return;
    }
    const last = expected ?? (await this.#lastCut(stream, options.from));
    if (last === undefined || last < 0) return;
    for await (const cut of cutUpTo(last, 0)) {
      yield cut;
      left -= 1;
      if (left <= 0) return;
    }
  }

  /** Where to begin in the archive when the store has nothing at or before `from`; a deleted stream stays empty. */
  async #lastCut(stream: string, from: number | undefined): Promise<number | undefined> {
    for await (const { revision } of this.#live.readStream(stream, { limit: 1, unreadable: 'handed_on' })) {
      return Math.min(from ?? revision - 1, revision - 1);
    }
    return undefined;
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options;
    const [first, last] = direction === 'forwards' ? [0n, LAST_POSITION] : [LAST_POSITION, 0n];
    const log = new ArchivedLog(this.#catalogue, direction, options.from ?? first);
    let left = limit;
    try {
      for await (const { events, ended } of this.#pages(direction, options.from, limit)) {
        for (const event of events) {
          // Mostly there is nothing, and to begin a loop that awaits costs more than to look.
          if (log.hasUntil(event.position)) {
            for await (const cut of log.until(event.position)) {
              // The store may go on showing what it has cut off.
              if (cut.position === event.position) continue;
              yield cut;
              left -= 1;
              if (left <= 0) return;
            }
          }
          log.skip(event.position);
          yield event;
          left -= 1;
          if (left <= 0) return;
        }
        if (!ended) continue;
        for await (const cut of log.until(last)) {
          yield cut;
          left -= 1;
          if (left <= 0) return;
        }
      }
    } finally {
      await log.close();
    }
  }

  /** Pages of the store; the catalogue is looked at behind each, so that it has all that the page misses. */
  async *#pages(direction: ReadDirection, first: Position | undefined, limit: number) {
    const size = Math.max(1, Math.min(limit, PAGE_EVENTS));
    let from = first;
    for (let behind: Position | undefined; ; behind = from) {
      const page: RecordedEvent[] = [];
      let read = 0;
      const start = from === undefined ? {} : { from };
      // One more where the page begins with the last event of the one before.
      const wanted = behind === undefined ? size : size + 1;
      for await (const event of this.#live.readAll({ direction, ...start, limit: wanted })) {
        read += 1;
        if (event.position !== behind) page.push(event);
      }
      await this.#catalogue.refresh();
      const ended = read < wanted;
      yield { events: page, ended };
      if (ended) return;
      from = page.at(-1)?.position ?? from;
    }
  }

  async *subscribeToAll(options: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
    const log = new ArchivedLog(this.#catalogue, 'forwards', (options.after ?? -1n) + 1n);
    try {
      for await (const batch of this.#live.subscribeToAll(options)) {
        // Whatever the batch misses was entered before it was cut off.
        await this.#catalogue.refresh();
        if (log.hasUntil(batch.position)) yield* merged(log, batch, options);
        else yield batch;
        log.skip(batch.position);
        if (options.signal.aborted) return;
      }
    } finally {
      await log.close();
    }
  }
}

/** A batch together with what the archive has before its end, in batches that are bounded. */
async function* merged(
  log: ArchivedLog,
  { events, position, caughtUp }: SubscriptionBatch,
  { streamPrefixes, signal }: SubscribeOptions,
): AsyncGenerator<SubscriptionBatch> {
  let gathered: RecordedEvent[] = [];
  let index = 0;
  for await (const cut of log.until(position)) {
    if (signal.aborted) return;
    for (let live = events[index]; live && live.position < cut.position; live = events[index]) {
      gathered.push(live);
      index += 1;
    }
    const isShown = events[index]?.position === cut.position;
    const isWanted =
      streamPrefixes === undefined || streamPrefixes.some((prefix) => cut.stream.startsWith(prefix));
    if (isWanted && !isShown) gathered.push(cut);
    if (gathered.length < BATCH_EVENTS) continue;
    yield { events: gathered, position: gathered.at(-1)?.position ?? cut.position, caughtUp: false };
    gathered = [];
  }
  yield { events: [...gathered, ...events.slice(index)], position, caughtUp };
}

/** A stream of which the archive holds a piece cannot be emptied: its events would come back from there. */
export function refuseArchived(stream: string): StoreError {
  return new StoreError('unsupported', `${stream} has events in the archive, so it cannot be deleted.`);
}
