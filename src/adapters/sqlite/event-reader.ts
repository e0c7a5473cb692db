/** Reads the embedded event store: pages of rows, never a cursor that stays open while a consumer works. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  EventReader,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StreamDirectory,
  StreamMetadata,
  StreamSummary,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../event-sourcing/event-store.ts';
import { Signal } from '../../event-sourcing/signal.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { translated } from './database.ts';
import {
  EVENT_COLUMNS,
  type EventRow,
  LOG_COLUMNS,
  type LogRow,
  toReadableEvent,
  toRecordedEvent,
} from './event-schema.ts';
import { NamesById } from './names-by-id.ts';

/** Events per page: enough to hide the cost of a query, few enough to keep memory flat. */
const PAGE_EVENTS = 512;
/** A subscription batch is larger: a projector folds it in memory and writes once. */
const SUBSCRIPTION_BATCH_EVENTS = 8_192;
/** The safety net when a notice of new events got lost. */
const POLL_MS = 1_000;

const NEWEST = Number.MAX_SAFE_INTEGER;

export class SqliteEventReader implements EventReader, StreamDirectory {
  readonly storeId: string;
  /** Fires when there may be new events; the writer's side calls `notify`. */
  readonly appended = new Signal();
  protected readonly db: DatabaseSync;
  protected readonly name: string;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;
  readonly #allForwards: StatementSync;
  readonly #log: StatementSync;
  readonly #names: NamesById;
  readonly #allBackwards: StatementSync;
  readonly #head: StatementSync;
  readonly #streamBounds: StatementSync;

  constructor(db: DatabaseSync, name: string) {
    this.db = db;
    this.name = name;
    this.storeId = (db.prepare('SELECT id FROM store').get() as { id: string }).id;
    const inStream = `SELECT ${EVENT_COLUMNS} WHERE e.stream = ? AND e.recorded_at >= ?`;
    this.#forwards = rows(db, `${inStream} AND e.revision >= ? ORDER BY e.revision LIMIT ?`);
    this.#backwards = rows(
      db,
      `${inStream} AND e.revision <= ? AND e.revision >= ? ORDER BY e.revision DESC LIMIT ?`,
    );
    this.#allForwards = rows(db, `SELECT ${EVENT_COLUMNS} WHERE e.position >= ? ORDER BY e.position LIMIT ?`);
    this.#log = rows(db, `SELECT ${LOG_COLUMNS} WHERE position >= ? ORDER BY position LIMIT ?`);
    this.#names = new NamesById(db);
    this.#allBackwards = rows(
      db,
      `SELECT ${EVENT_COLUMNS} WHERE e.position <= ? ORDER BY e.position DESC LIMIT ?`,
    );
    this.#head = db.prepare(
      `SELECT max(last_position, (SELECT coalesce(max(position), 0) FROM events)) AS head, removed_events AS removed
       FROM store`,
    );
    this.#streamBounds = db.prepare('SELECT id, metadata, first_revision FROM streams WHERE name = ?');
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const backwards = options.direction === 'backwards';
    let from = options.from ?? (backwards ? NEWEST : 0);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const toEvent = options.unreadable ? toReadableEvent : toRecordedEvent;
    while (left > 0) {
      const size = Math.min(left, PAGE_EVENTS);
      const page = this.#page(stream, backwards, from, size);
      for (const row of page) yield toEvent(row);
      if (page.length < size) return;
      left -= page.length;
      from = (page.at(-1) as EventRow)[2] + (backwards ? -1 : 1);
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const backwards = options.direction === 'backwards';
    const statement = backwards ? this.#allBackwards : this.#allForwards;
    let from = options.from === undefined ? (backwards ? NEWEST : 0) : Number(options.from);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      const size = Math.min(left, PAGE_EVENTS);
      const page = this.#query(statement, from, size);
      for (const row of page) yield toRecordedEvent(row);
      if (page.length < size) return;
      left -= page.length;
      from = (page.at(-1) as EventRow)[0] + (backwards ? -1 : 1);
    }
  }

  async *subscribeToAll(options: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
    const { signal, streamPrefixes } = options;
    let position = options.after ?? 0n;
    let caughtUp = false;
    while (!signal.aborted) {
      // Read before the page: nothing up to here can appear later, so a removed newest event is stepped over.
      const head = BigInt(this.head().position);
      const page = this.#logPage(Number(position) + 1);
      if (page.length === 0 && caughtUp && head <= position) {
        await this.appended.wait(POLL_MS, signal);
        continue;
      }
      caughtUp = page.length < SUBSCRIPTION_BATCH_EVENTS;
      const last = BigInt(page.at(-1)?.[0] ?? position);
      position = caughtUp && head > last ? head : last;
      const wanted = page.filter((row) => isWanted(row[1], streamPrefixes));
      yield { events: wanted.map(toReadableEvent), position, caughtUp };
    }
  }

  async headPosition(): Promise<Position | undefined> {
    const { position } = this.head();
    return position === 0 ? undefined : BigInt(position);
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    return this.#bounds(stream)?.metadata ?? {};
  }

  async listStreams(options: Parameters<StreamDirectory['listStreams']>[0]): Promise<StreamSummary[]> {
    const { prefix = '', except = '' } = options;
    const found = this.#checked(() =>
      this.db
        .prepare(
          `SELECT s.name AS stream,
             (SELECT min(revision) FROM events e WHERE e.stream = s.id AND e.revision >= s.first_revision) AS first,
             (SELECT max(revision) FROM events e WHERE e.stream = s.id AND e.revision >= s.first_revision) AS last,
             (SELECT recorded_at FROM events e WHERE e.stream = s.id ORDER BY revision DESC LIMIT 1) AS recorded_at
           FROM streams s WHERE s.name >= max(?1, ?2) AND s.name <> ?2 AND s.name < ?1 || char(0x10ffff)
             AND (?4 = '' OR s.name < ?4 OR s.name >= ?4 || char(0x10ffff))
             AND EXISTS (SELECT 1 FROM events e WHERE e.stream = s.id AND e.revision >= s.first_revision)
           ORDER BY s.name LIMIT ?3`,
        )
        .all(prefix, options.after ?? '', options.limit, except),
    ) as { stream: string; first: number; last: number; recorded_at: number }[];
    return found.map((row) => ({
      stream: row.stream,
      firstRevision: row.first,
      lastRevision: row.last,
      lastRecordedAt: new Date(row.recorded_at).toISOString(),
    }));
  }

  /** Positions have no gaps but those of removed events, which are counted as they go: no table scan is needed. */
  async countEvents(except = ''): Promise<number> {
    const { position, removed } = this.head();
    return position - removed - (except === '' ? 0 : this.#countIn(except));
  }

  /** The newest position ever given, and how many events were removed since the beginning. */
  protected head(): { position: number; removed: number } {
    const row = this.#checked(() => this.#head.get()) as { head: number; removed: number };
    return { position: row.head, removed: row.removed };
  }

  /** Events of the streams that begin so; it looks at an index entry for each of them. */
  #countIn(prefix: string): number {
    const row = this.#checked(() =>
      this.db
        .prepare(
          `SELECT count(*) AS events FROM streams s JOIN events e ON e.stream = s.id
           WHERE s.name >= ?1 AND s.name < ?1 || char(0x10ffff)`,
        )
        .get(prefix),
    ) as { events: number };
    return row.events;
  }

  #page(stream: string, backwards: boolean, from: number, size: number): EventRow[] {
    const bounds = this.#bounds(stream);
    if (!bounds) return [];
    const { id, first, youngest } = bounds;
    return backwards
      ? this.#query(this.#backwards, id, youngest, from, first, size)
      : this.#query(this.#forwards, id, youngest, Math.max(from, first), size);
  }

  /** What `maxCount`, `maxAge` and `truncateBefore` leave readable. */
  #bounds(stream: string) {
    const row = this.#checked(() => this.#streamBounds.get(stream)) as
      | { id: number; metadata: string; first_revision: number }
      | undefined;
    if (!row) return undefined;
    const metadata = JSON.parse(row.metadata) as StreamMetadata;
    const youngest = metadata.maxAge === undefined ? 0 : Date.now() - metadata.maxAge * 1000;
    return { id: row.id, metadata, first: row.first_revision, youngest };
  }

  #query(statement: StatementSync, ...parameters: number[]): EventRow[] {
    return this.#checked(() => statement.all(...parameters)) as unknown as EventRow[];
  }

  /** The next page of a subscription, which meets the same streams again and again. */
  #logPage(from: number): EventRow[] {
    const page = this.#checked(() => this.#log.all(from, SUBSCRIPTION_BATCH_EVENTS)) as unknown as LogRow[];
    return this.#checked(() => this.#names.fillIn(page));
  }

  /** A closed store says so, instead of what SQLite says of a closed file. */
  #checked<T>(work: () => T): T {
    if (!this.db.isOpen) throw new StoreError('closed', `${this.name} is closed.`);
    return translated(this.name, work);
  }
}

/** Rows as arrays: building an object per row costs more than the query itself. */
function rows(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

function isWanted(stream: string, prefixes: readonly string[] | undefined): boolean {
  return prefixes === undefined || prefixes.some((prefix) => stream.startsWith(prefix));
}
