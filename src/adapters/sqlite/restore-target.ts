/**
 * Fills an embedded event store with events in their old places. It is written under another name, synced, and only then
 * given its own: an events file is whole, or it is not there.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { GroupState, MessageState, StreamState } from '../../event-sourcing/backup/backup-state.ts';
import type { RestoreTarget } from '../../event-sourcing/backup/restore-target.ts';
import type { Position, RecordedEvent } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { lockForThisProcess, openForWriting, translated } from './database.ts';
import { SqliteEventReader } from './event-reader.ts';
import { EVENT_STORE_FORMAT } from './event-schema.ts';

/** Rows that share a transaction: enough to hide its cost, few enough to keep the write-ahead log small. */
const TRANSACTION_ROWS = 20_000;
const PARTIAL = '.restoring';
const SUFFIXES = ['', '-wal', '-shm', '-journal'];

export interface OpenedRestoreTarget {
  readonly target: RestoreTarget;
  /** Gives the file its name. */
  publish(): void;
  /** Removes what is not published. */
  close(): void;
}

/**
 * @param path of the store, where there must be none
 * @throws StoreError `invalid_request` when there is one, `in_use` when a process holds it, `unavailable`
 */
export function openRestoreTarget(path: string): OpenedRestoreTarget {
  const unlock = lockForThisProcess({ kind: 'file', path });
  try {
    if (existsSync(path)) throw new StoreError('invalid_request', `${path} is there already.`);
    const partial = `${path}${PARTIAL}`;
    removeFiles(partial);
    const db = openForWriting({ kind: 'file', path: partial }, EVENT_STORE_FORMAT);
    // It is synced as a whole before it gets its name; until then a power cut costs nothing but the work.
    db.exec('PRAGMA synchronous = OFF');
    return {
      target: new SqliteRestoreTarget(db, partial),
      publish() {
        translated(partial, () => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
        db.close();
        sync(partial);
        renameSync(partial, path);
        sync(dirname(path));
      },
      close() {
        if (db.isOpen) db.close();
        removeFiles(partial);
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** What a restore that was interrupted left beside a store. */
export function isRestoreRest(name: string): boolean {
  return SUFFIXES.some((suffix) => name.endsWith(`${PARTIAL}${suffix}`));
}

class SqliteRestoreTarget extends SqliteEventReader implements RestoreTarget {
  readonly #streams = new Map<string, number>();
  readonly #types = new Map<string, number>();
  readonly #statements: ReturnType<typeof prepareStatements>;
  #group = 0;
  #rows = 0;
  #events = 0;

  constructor(db: DatabaseSync, name: string) {
    super(db, name);
    this.#statements = prepareStatements(db);
  }

  addEvent(event: RecordedEvent): void {
    const { position, stream, revision, type, id, recordedAt, data, metadata } = event;
    this.#write(() =>
      this.#statements.event.run(
        Number(position),
        this.#streamId(stream),
        revision,
        this.#typeId(type),
        id,
        Date.parse(recordedAt),
        JSON.stringify(data),
        JSON.stringify(metadata),
      ),
    );
    this.#events += 1;
  }

  setStream(state: StreamState): void {
    const { first_revision, last_removed_revision, stream_metadata } = state;
    this.#write(() =>
      this.#statements.setStream.run(
        JSON.stringify(stream_metadata),
        first_revision,
        last_removed_revision,
        this.#streamId(state.stream),
      ),
    );
  }

  addGroup({ name, settings, checkpoint, delivered_to }: GroupState): void {
    this.#write(() => {
      const { lastInsertRowid } = this.#statements.group.run(name, settings, checkpoint, delivered_to);
      this.#group = Number(lastInsertRowid);
    });
  }

  addMessage({ position, state, deliveries, parked_at, reason }: MessageState): void {
    this.#write(() =>
      this.#statements.message.run(this.#group, position, state, deliveries, parked_at, reason),
    );
  }

  finish(head: Position): void {
    this.#write(() => this.#statements.store.run(Number(head) - this.#events, Number(head)));
    translated(this.name, () => this.db.exec('COMMIT'));
  }

  read(): AsyncIterable<RecordedEvent> {
    return this.readAll();
  }

  /** Within a transaction, which is committed now and then. */
  #write(work: () => unknown): void {
    translated(this.name, () => {
      if (!this.db.isTransaction) this.db.exec('BEGIN IMMEDIATE');
      work();
      this.#rows += 1;
      if (this.#rows % TRANSACTION_ROWS === 0) this.db.exec('COMMIT; BEGIN IMMEDIATE');
    });
  }

  #streamId(stream: string): number {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const id = Number(this.#statements.stream.run(stream).lastInsertRowid);
    this.#streams.set(stream, id);
    return id;
  }

  #typeId(type: string): number {
    const known = this.#types.get(type);
    if (known !== undefined) return known;
    const id = Number(this.#statements.type.run(type).lastInsertRowid);
    this.#types.set(type, id);
    return id;
  }
}

function prepareStatements(db: DatabaseSync) {
  return {
    event: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    stream: db.prepare('INSERT INTO streams (name) VALUES (?)'),
    type: db.prepare('INSERT INTO types (name) VALUES (?)'),
    setStream: db.prepare(
      'UPDATE streams SET metadata = ?, first_revision = ?, last_removed_revision = ? WHERE id = ?',
    ),
    group: db.prepare(
      'INSERT INTO consumer_groups (name, settings, checkpoint, delivered_to) VALUES (?, ?, ?, ?)',
    ),
    message: db.prepare('INSERT INTO consumer_group_messages VALUES (?, ?, ?, ?, ?, ?)'),
    store: db.prepare('UPDATE store SET removed_events = ?, last_position = ?'),
  };
}

function removeFiles(path: string): void {
  for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true });
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
