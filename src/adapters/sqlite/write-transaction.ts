/** One write transaction of the embedded event store: what it has done so far stays apart until it is committed. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LRUCache } from 'lru-cache';
import type { StreamMetadata } from '../../event-sourcing/event-store.ts';

/** A stream as the writer knows it. `revision` is −1 while it has no event. */
export interface StreamHead {
  readonly id: number;
  readonly revision: number;
  /** Reads as empty: never written, or deleted. */
  readonly empty: boolean;
  readonly metadata: StreamMetadata;
}

export interface SerializedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

interface WrittenEvent {
  readonly id: string;
  readonly revision: number;
  readonly position: number;
}

type Statements = ReturnType<typeof prepareStatements>;

/** What one transaction has done so far, kept apart from the caches until it is committed. */
export class WriteTransaction {
  readonly #statements: Statements;
  readonly #heads: LRUCache<string, StreamHead>;
  readonly #typeIds: Map<string, number>;
  readonly #newHeads = new Map<string, StreamHead>();
  readonly #newTypeIds = new Map<string, number>();
  readonly #recordedAt = Date.now();
  #position: number;

  constructor(
    statements: Statements,
    heads: LRUCache<string, StreamHead>,
    typeIds: Map<string, number>,
    position: number,
  ) {
    this.#statements = statements;
    this.#heads = heads;
    this.#typeIds = typeIds;
    this.#position = position;
  }

  /** The stream's newest state, within this transaction; a stream that is not there yet gets its row. */
  head(stream: string): StreamHead {
    const known = this.#newHeads.get(stream) ?? this.#heads.get(stream);
    if (known) return known;
    const head = this.#load(stream) ?? this.#create(stream);
    this.#newHeads.set(stream, head);
    return head;
  }

  setHead(stream: string, head: StreamHead): void {
    this.#newHeads.set(stream, head);
  }

  /** The events at and after a revision, at most `limit`. */
  writtenFrom(head: StreamHead, revision: number, limit: number): WrittenEvent[] {
    return this.#statements.writtenFrom.all(head.id, revision, limit) as unknown as WrittenEvent[];
  }

  /** Writes events after the stream's newest one; answers the last one's revision and position. */
  insert(stream: string, head: StreamHead, events: readonly SerializedEvent[]) {
    let revision = head.revision;
    for (const event of events) {
      revision += 1;
      this.#position += 1;
      const type = this.#typeId(event.type);
      const { id, data, metadata } = event;
      this.#statements.insert.run(
        this.#position,
        head.id,
        revision,
        type,
        id,
        this.#recordedAt,
        data,
        metadata,
      );
    }
    const grown = { ...head, revision, empty: false };
    this.#newHeads.set(stream, grown);
    this.retain(grown);
    return { revision, position: BigInt(this.#position) };
  }

  /** Removes what `maxCount` and `maxAge` no longer keep. */
  retain(head: StreamHead): void {
    const { maxCount, maxAge } = head.metadata;
    if (maxCount !== undefined) this.cut(head, head.revision - maxCount + 1);
    if (maxAge !== undefined) {
      const youngest = this.#recordedAt - maxAge * 1000;
      const first = this.#statements.firstSince.get(head.id, youngest) as { revision: number | null };
      this.cut(head, first.revision ?? head.revision + 1);
    }
  }

  /** Removes the events before a revision, keeping count so that revisions and positions go on. */
  cut(head: StreamHead, firstKept: number): void {
    const before = Math.min(firstKept, head.revision + 1);
    const { changes: removed } = this.#statements.remove.run(head.id, before);
    if (removed === 0) return;
    this.#statements.markRemoved.run(before, before - 1, head.id);
    this.#statements.countRemoved.run(removed, this.#position);
  }

  /** The transaction is durable: from here on the caches may know. Answers the newest position. */
  remember(): number {
    for (const [stream, head] of this.#newHeads) this.#heads.set(stream, head);
    for (const [type, id] of this.#newTypeIds) this.#typeIds.set(type, id);
    return this.#position;
  }

  #load(stream: string): StreamHead | undefined {
    const row = this.#statements.loadStream.get(stream) as
      | { id: number; metadata: string; removed: number; first: number; newest: number | null }
      | undefined;
    if (!row) return undefined;
    const revision = Math.max(row.newest ?? -1, row.removed);
    const metadata = JSON.parse(row.metadata) as StreamMetadata;
    return { id: row.id, revision, empty: revision < row.first, metadata };
  }

  #create(stream: string): StreamHead {
    const { lastInsertRowid } = this.#statements.insertStream.run(stream);
    return { id: Number(lastInsertRowid), revision: -1, empty: true, metadata: {} };
  }

  #typeId(type: string): number {
    const known = this.#typeIds.get(type) ?? this.#newTypeIds.get(type);
    if (known !== undefined) return known;
    this.#statements.insertType.run(type);
    const { id } = this.#statements.findType.get(type) as { id: number };
    this.#newTypeIds.set(type, id);
    return id;
  }
}

/** Every statement that writes, prepared once. */
export function prepareStatements(db: DatabaseSync) {
  const prepare = (sql: string): StatementSync => db.prepare(sql);
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    insert: prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    loadStream: prepare(
      `SELECT id, metadata, last_removed_revision AS removed, first_revision AS first,
         (SELECT max(revision) FROM events WHERE stream = streams.id) AS newest
       FROM streams WHERE name = ?`,
    ),
    insertStream: prepare('INSERT INTO streams (name) VALUES (?)'),
    insertType: prepare('INSERT OR IGNORE INTO types (name) VALUES (?)'),
    findType: prepare('SELECT id FROM types WHERE name = ?'),
    writtenFrom: prepare(
      'SELECT id, revision, position FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?',
    ),
    firstSince: prepare('SELECT min(revision) AS revision FROM events WHERE stream = ? AND recorded_at >= ?'),
    remove: prepare('DELETE FROM events WHERE stream = ? AND revision < ?'),
    markRemoved: prepare(
      `UPDATE streams SET first_revision = max(first_revision, ?),
         last_removed_revision = max(last_removed_revision, ?) WHERE id = ?`,
    ),
    countRemoved: prepare('UPDATE store SET removed_events = removed_events + ?, last_position = ?'),
    setMetadata: prepare('UPDATE streams SET metadata = ? WHERE id = ?'),
  };
}
