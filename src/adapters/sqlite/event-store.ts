/** The embedded event store's writer: concurrent appends share one durable commit (group commit). */
import type { DatabaseSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { ConsumerGroups } from '../../event-sourcing/consumer-groups.ts';
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  StreamMetadata,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { SqliteConsumerGroups } from './consumer-groups.ts';
import {
  describe,
  lockForThisProcess,
  openForReading,
  openForWriting,
  type SqliteLocation,
  translated,
} from './database.ts';
import { SqliteEventReader } from './event-reader.ts';
import { EVENT_STORE_FORMAT } from './event-schema.ts';
import {
  prepareStatements,
  type SerializedEvent,
  type StreamHead,
  WriteTransaction,
} from './write-transaction.ts';

/** Appends that may wait at once; one more is refused as `busy`, so memory stays bounded under overload. */
const WAITING_APPENDS_MAX = 20_000;
/** Appends that share one commit; the rest waits for the next. */
const COMMIT_APPENDS_MAX = 2_000;
/** Turns of the event loop that a commit waits for further appends; an idle turn takes some ten microseconds. */
const COMMIT_TURNS_MAX = 4;
/** Streams whose newest revision is remembered; others are looked up in the index. */
const REMEMBERED_STREAMS_MAX = 20_000;
const EVENTS_PER_APPEND_MAX = 10_000;

interface WaitingAppend {
  readonly stream: string;
  readonly events: readonly SerializedEvent[];
  readonly expected: ExpectedRevision;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Opens the store for its one writer, creating it when missing.
 * @throws StoreError `in_use`, `unavailable` or `corrupt`.
 */
export function openSqliteEventStore(location: SqliteLocation): SqliteEventStore {
  const unlock = lockForThisProcess(location);
  try {
    return new SqliteEventStore(openForWriting(location, EVENT_STORE_FORMAT), describe(location), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Opens the store for reading on another thread, beside its writer. The caller closes the returned store. */
export function openSqliteEventReader(path: string): { reader: SqliteEventReader; close: () => void } {
  const db = openForReading(path);
  try {
    return { reader: translated(path, () => new SqliteEventReader(db, path)), close: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
}

export class SqliteEventStore extends SqliteEventReader implements EventStore {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #unlock: () => void;
  readonly #heads = new LRUCache<string, StreamHead>({ max: REMEMBERED_STREAMS_MAX });
  readonly #typeIds = new Map<string, number>();
  /** The newest position ever given; this process is the only one that gives them. */
  #position: number;
  #waiting: WaitingAppend[] = [];
  #flushScheduled = false;
  #groups: SqliteConsumerGroups | undefined;
  #closed = false;

  constructor(db: DatabaseSync, name: string, unlock: () => void) {
    super(db, name);
    this.#statements = prepareStatements(db);
    this.#unlock = unlock;
    this.#position = this.head().position;
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#refuseUnusable(stream, events);
      this.#waiting.push({ stream, events: events.map(serialize), expected, resolve, reject });
      this.#scheduleFlush();
    });
  }

  async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    if (!isUsableMetadata(metadata)) {
      throw new StoreError(
        'invalid_request',
        'maxCount and maxAge are whole numbers from 1, truncateBefore from 0.',
      );
    }
    this.#transaction((changes) => {
      const head = changes.head(stream);
      this.#statements.setMetadata.run(JSON.stringify(metadata), head.id);
      changes.setHead(stream, { ...head, metadata });
      if (metadata.truncateBefore !== undefined) changes.cut(head, metadata.truncateBefore);
      changes.retain({ ...head, metadata });
    });
    // It may have cut everything off: the next append looks again, as after a restart.
    this.#heads.delete(stream);
  }

  async deleteStream(stream: string): Promise<void> {
    this.#transaction((changes) => {
      const head = changes.head(stream);
      changes.cut(head, head.revision + 1);
      changes.setHead(stream, { ...head, empty: true });
    });
  }

  /** The competing consumers of this log, the same object for all of them; it is closed with the store. */
  consumerGroups(): ConsumerGroups {
    if (this.#closed) throw new StoreError('closed', `${this.name} is closed.`);
    this.#groups ??= new SqliteConsumerGroups({
      db: this.db,
      name: this.name,
      appended: this.appended,
      head: () => this.#position,
      atomically: (work) => this.#atomically(work),
    });
    return this.#groups;
  }

  /** Commits what was accepted, then closes the file; later calls answer `closed`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#waiting.length > 0) this.#flush();
    this.#groups?.close();
    this.#closed = true;
    this.db.close();
    this.#unlock();
    this.appended.notify();
  }

  #refuseUnusable(stream: string, events: readonly NewEvent[]): void {
    if (this.#closed) throw new StoreError('closed', `${this.name} is closed.`);
    // Ill-formed names would become one name in the file, but several in the caches.
    if (stream === '' || !stream.isWellFormed()) {
      throw new StoreError('invalid_request', 'A stream name is not empty and is well-formed Unicode.');
    }
    if (events.length === 0 || events.length > EVENTS_PER_APPEND_MAX) {
      throw new StoreError('invalid_request', `An append takes 1 to ${EVENTS_PER_APPEND_MAX} events.`);
    }
    if (this.#waiting.length >= WAITING_APPENDS_MAX) {
      throw new StoreError('busy', `${this.name} has ${WAITING_APPENDS_MAX} appends waiting.`);
    }
  }

  /**
   * Commits after the sockets of this turn of the event loop have been read, so that their appends share the commit.
   * While every turn brings more appends it waits for another: one larger commit is cheaper than two.
   */
  #scheduleFlush(seenBefore = 0, turns = 0): void {
    if (turns === 0 && this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      const waiting = this.#waiting.length;
      if (waiting > seenBefore && waiting < COMMIT_APPENDS_MAX && turns < COMMIT_TURNS_MAX) {
        return this.#scheduleFlush(waiting, turns + 1);
      }
      this.#flushScheduled = false;
      if (!this.#closed) this.#flush();
    });
  }

  /** One transaction for all; a conflict fails only its own append; no answer goes out before the commit returned. */
  #flush(): void {
    const group = this.#waiting.slice(0, COMMIT_APPENDS_MAX);
    this.#waiting = this.#waiting.slice(COMMIT_APPENDS_MAX);
    if (this.#waiting.length > 0) this.#scheduleFlush();
    try {
      const results = this.#transaction((changes) => group.map((append) => appendOne(append, changes)));
      group.forEach((append, index) => {
        append.resolve(results[index] as AppendResult);
      });
      this.appended.notify();
    } catch (error) {
      for (const append of group) append.reject(error as StoreError);
    }
  }

  /** Commits what `work` did, then lets the caches see it; on any error nothing happened and nothing is remembered. */
  #transaction<T>(work: (changes: WriteTransaction) => T): T {
    const changes = new WriteTransaction(this.#statements, this.#heads, this.#typeIds, this.#position);
    const result = this.#atomically(() => work(changes));
    this.#position = changes.remember();
    return result;
  }

  #atomically<T>(work: () => T): T {
    if (this.#closed) throw new StoreError('closed', `${this.name} is closed.`);
    return translated(this.name, () => {
      this.#statements.begin.run();
      try {
        const result = work();
        this.#statements.commit.run();
        return result;
      } catch (error) {
        // A failed commit may have rolled back by itself; a second rollback would hide the real error.
        if (this.db.isTransaction) this.#statements.rollback.run();
        throw error;
      }
    });
  }
}

function appendOne(append: WaitingAppend, changes: WriteTransaction): AppendResult {
  const { stream, events, expected } = append;
  const head = changes.head(stream);
  if (meets(expected, head)) return { ok: true, ...changes.insert(stream, head, events) };
  return (
    answerAgain(append, head, changes) ?? {
      ok: false,
      conflict: { actual: head.empty ? 'no_stream' : head.revision },
    }
  );
}

function meets(expected: ExpectedRevision, head: StreamHead): boolean {
  if (expected === 'any') return true;
  if (expected === 'no_stream') return head.empty;
  if (expected === 'stream_exists') return !head.empty;
  return !head.empty && expected === head.revision;
}

/** The same ids at the same place were written before: this is a retry, and it gets the first answer. */
function answerAgain(
  append: WaitingAppend,
  head: StreamHead,
  changes: WriteTransaction,
): AppendResult | undefined {
  const { events, expected } = append;
  if (expected === 'any' || expected === 'stream_exists') return undefined;
  const first = expected === 'no_stream' ? 0 : expected + 1;
  const written = changes.writtenFrom(head, first, events.length);
  const last = written[events.length - 1];
  if (!last || events.some((event, index) => event.id !== written[index]?.id)) return undefined;
  // A stream that was deleted and created again begins later than at 0; a concrete revision means just that one.
  if (expected !== 'no_stream' && written[0]?.revision !== first) return undefined;
  return { ok: true, revision: last.revision, position: BigInt(last.position) };
}

function serialize(event: NewEvent): SerializedEvent {
  return {
    id: event.id,
    type: event.type,
    data: toJson(event.data),
    metadata: toJson(event.metadata),
  };
}

/** What has no JSON is refused here, where it fails its own append only, and not in the shared transaction. */
function toJson(value: object): string {
  try {
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined) return json;
  } catch (cause) {
    throw new StoreError('invalid_request', `An event cannot be written as JSON (${cause}).`, { cause });
  }
  throw new StoreError('invalid_request', 'An event cannot be written as JSON.');
}

function isUsableMetadata({ maxCount = 1, maxAge = 1, truncateBefore = 0 }: StreamMetadata): boolean {
  return [maxCount - 1, maxAge - 1, truncateBefore].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  );
}
