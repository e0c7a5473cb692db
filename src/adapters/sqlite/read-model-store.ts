/** The embedded read models: one table per collection, documents as JSON, all changes of a batch in one transaction. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Fence,
  LeaseRecord,
  ReadModelChanges,
  ReadModelStore,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import {
  describe,
  lockForThisProcess,
  openForWriting,
  type SqliteFormat,
  type SqliteLocation,
  translated,
} from './database.ts';
import { columnsOf, indexSql, tableSql, updateSql, upsertSql } from './document-tables.ts';
import { SqliteReadModelReader, tableOf } from './read-model-reader.ts';

const LEASES = `CREATE TABLE leases (
      name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, renewals INTEGER NOT NULL
    ) WITHOUT ROWID;`;

/** Which build of a projection is served; build 0 is the table of a version that has none. */
const BUILDS = `
    CREATE TABLE live_builds (
      projection TEXT PRIMARY KEY, version INTEGER NOT NULL, build INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE checkpoints (
      projection TEXT NOT NULL, version INTEGER NOT NULL, build INTEGER NOT NULL,
      position INTEGER NOT NULL, fence INTEGER NOT NULL,
      PRIMARY KEY (projection, version, build)
    ) WITHOUT ROWID;
    CREATE TABLE dead_letters (
      projection TEXT NOT NULL, build INTEGER NOT NULL, document_key TEXT NOT NULL, position INTEGER NOT NULL,
      stream TEXT NOT NULL, revision INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
      cause TEXT NOT NULL, attempts INTEGER NOT NULL, dead_since TEXT NOT NULL,
      PRIMARY KEY (projection, build, document_key, position)
    ) WITHOUT ROWID;`;

const READ_MODEL_FORMAT: SqliteFormat = {
  what: 'read model store',
  applicationId: 0x4f42524d, // "OBRM"
  schemaVersion: 3,
  migrations: {
    1: `ALTER TABLE checkpoints ADD COLUMN fence INTEGER NOT NULL DEFAULT 0; ${LEASES}`,
    2: `ALTER TABLE checkpoints RENAME TO old_checkpoints; ALTER TABLE dead_letters RENAME TO old_dead_letters;
      ${BUILDS}
      INSERT INTO checkpoints SELECT projection, version, 0, position, fence FROM old_checkpoints;
      INSERT INTO dead_letters SELECT projection, 0, document_key, position, stream, revision, event_id, event_type,
        cause, attempts, dead_since FROM old_dead_letters;
      DROP TABLE old_checkpoints; DROP TABLE old_dead_letters`,
  },
  schema: `
    CREATE TABLE source (store_id TEXT NOT NULL);
    ${BUILDS}
    ${LEASES}
  `,
};

/** How long one writer waits for the commit of the other: that of a rebuild holds many thousands of documents. */
const COMMIT_WAIT_MS_MAX = 30_000;

/** The token of who needs none, because nobody else can write. */
const UNFENCED = 0;

interface WriteStatements {
  readonly columns: readonly string[];
  readonly update: StatementSync;
  readonly upsert: StatementSync;
}

const LOST_EVENTS =
  'was filled from another event store, and the one configured now is empty: is it the right one? ' +
  'If the old events are meant to be gone, delete this file too.';

export class SqliteReadModelStore extends SqliteReadModelReader implements ReadModelStore {
  readonly #unlock: () => void;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #setCheckpoint: StatementSync;
  readonly #addDeadLetter: StatementSync;
  readonly #settle: StatementSync;
  /** By the object that names a collection; they are made anew when the tables change. */
  #writes = new WeakMap<Collection, WriteStatements>();

  constructor(db: DatabaseSync, name: string, unlock: () => void) {
    super(db, name);
    this.#unlock = unlock;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    // Changes nothing where a higher token was here before.
    this.#setCheckpoint = db.prepare(
      `INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET position = max(position, excluded.position), fence = max(fence, excluded.fence)
       WHERE fence <= excluded.fence OR excluded.fence = ${UNFENCED}`,
    );
    this.#settle = db.prepare(
      'DELETE FROM dead_letters WHERE projection = ? AND build = ? AND document_key = ? AND position = ?',
    );
    // One that was tried again says what came of it; the same try told twice changes nothing.
    this.#addDeadLetter = db.prepare(
      `INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET cause = excluded.cause, attempts = excluded.attempts
       WHERE excluded.attempts > attempts`,
    );
  }

  async prepare(collections: readonly Collection[], sourceStoreId: string, mayReplace = true): Promise<void> {
    this.#transaction(() => {
      const source = this.db.prepare('SELECT store_id FROM source').get() as { store_id: string } | undefined;
      if (source && source.store_id !== sourceStoreId) {
        if (!mayReplace) throw new StoreError('corrupt', `${this.name} ${LOST_EVENTS}`);
        this.#dropEverything();
      }
      this.db.prepare('DELETE FROM source').run();
      this.db.prepare('INSERT INTO source VALUES (?)').run(sourceStoreId);
      for (const collection of collections) this.#create(collection);
    });
  }

  async commit(changes: ReadModelChanges): Promise<void> {
    this.#transaction(() => {
      for (const { collection, document } of changes.writes) this.#write(collection, document);
      for (const letter of changes.deadLetters) this.#addDeadLetter.run(...deadLetterRow(letter));
      for (const { projection, build = 0, documentKey, position } of changes.settled ?? []) {
        this.#settle.run(projection, build, documentKey, Number(position));
      }
      for (const one of changes.checkpoints) this.#advance(one, changes.fence);
    });
  }

  async swapLease(before: LeaseRecord | undefined, after: LeaseRecord | undefined): Promise<boolean> {
    const name = (before ?? after)?.name;
    if (name === undefined) return true;
    let swapped = false;
    this.#transaction(() => {
      const stored = this.leases().find((one) => one.name === name);
      swapped = isDeepStrictEqual(stored, before);
      if (!swapped) return;
      this.db.prepare('DELETE FROM leases WHERE name = ?').run(name);
      if (after) this.db.prepare('INSERT INTO leases VALUES (?, ?, ?, ?)').run(...leaseRow(after));
    });
    return swapped;
  }

  async clear(collection: Collection): Promise<void> {
    this.#transaction(() => {
      this.db.exec(`DELETE FROM ${tableOf(collection)}`);
      this.#forget(collection);
    });
  }

  async promote(builds: readonly Collection[], fence?: Fence): Promise<void> {
    this.#transaction(() => {
      for (const collection of builds) {
        const { name, version, build = 0 } = collection;
        this.db.exec(indexSql(collection));
        this.#advance({ projection: name, version, build, position: 0n }, fence);
        this.db.prepare('INSERT OR REPLACE INTO live_builds VALUES (?, ?, ?)').run(name, version, build);
      }
    });
    this.#tablesChanged();
  }

  /** One at a time: a large table takes a moment, and the writer has other things to do in between. */
  async drop(builds: readonly Collection[]): Promise<void> {
    for (const collection of builds) {
      this.#transaction(() => {
        this.db.exec(`DROP TABLE IF EXISTS ${tableOf(collection)}`);
        this.#forget(collection);
      });
    }
    this.#tablesChanged();
  }

  async close(): Promise<void> {
    if (!this.db.isOpen) return;
    this.db.close();
    this.#unlock();
  }

  /** A build has a checkpoint from its beginning, so that one that is left behind is found. */
  #create(collection: Collection): void {
    const { name, version, build } = collection;
    this.db.exec(tableSql(collection));
    // What nobody reads yet gets its indexes at once in the end, which is cheaper than one entry at a time.
    if (!build || this.live().get(name)?.build === build) this.db.exec(indexSql(collection));
    if (!build) return;
    this.db.prepare('INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?, 0, 0)').run(name, version, build);
  }

  #forget({ name, version, build = 0 }: Collection): void {
    this.db.prepare('DELETE FROM dead_letters WHERE projection = ? AND build = ?').run(name, build);
    this.db
      .prepare('DELETE FROM checkpoints WHERE projection = ? AND version = ? AND build = ?')
      .run(name, version, build);
  }

  #advance({ projection, version, build = 0, position }: Checkpoint, fence: Fence | undefined): void {
    const token = fence?.token ?? UNFENCED;
    if (this.#setCheckpoint.run(projection, version, build, Number(position), token).changes === 0) {
      throw new StoreError('fenced', `Another leader has taken over the checkpoint of ${projection}.`);
    }
  }

  #write(collection: Collection, stored: StoredDocument): void {
    const { key, sequence, position, document, blocked } = stored;
    const { columns, update, upsert } = this.#statementsFor(collection);
    const indexed = columns.map((field) => (document?.[field] ?? null) as SQLInputValue);
    const body = document === undefined ? null : JSON.stringify(document);
    const at = Number(position);
    const row = [at, body, blocked ? 1 : 0, ...indexed];
    // Mostly only the body is new. Naming an indexed field in an update makes SQLite write its index entry anew.
    if (sequence < position && update.run(...row, key, at).changes === 1) return;
    upsert.run(key, Number(sequence), ...row);
  }

  #statementsFor(collection: Collection): WriteStatements {
    const known = this.#writes.get(collection);
    if (known) return known;
    const place = this.placeOf(collection);
    const statements = {
      columns: columnsOf(place),
      update: this.db.prepare(updateSql(place)),
      upsert: this.db.prepare(upsertSql(place)),
    };
    this.#writes.set(collection, statements);
    return statements;
  }

  #tablesChanged(): void {
    this.#writes = new WeakMap();
    this.forgetLive();
  }

  #dropEverything(): void {
    const tables = this.db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'collection\\_%' ESCAPE '\\'",
      )
      .all() as { name: string }[];
    for (const { name } of tables) this.db.exec(`DROP TABLE ${name}`);
    this.db.exec('DELETE FROM checkpoints; DELETE FROM dead_letters; DELETE FROM live_builds');
    this.#tablesChanged();
  }

  #transaction(work: () => void): void {
    translated(this.name, () => {
      this.#begin.run();
      try {
        work();
        this.#commit.run();
      } catch (error) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

/**
 * Opens the read models for their one writer, creating them when missing.
 * @throws StoreError `in_use`, `unavailable` or `corrupt`.
 */
export function openSqliteReadModelStore(location: SqliteLocation): SqliteReadModelStore {
  const unlock = lockForThisProcess(location);
  try {
    return openStore(location, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * Opens them once more in the process that has them open already, for a thread that fills builds beside their writer.
 * Each of the two waits while the other commits.
 * @throws StoreError `unavailable` or `corrupt`.
 */
export function openSqliteReadModelStoreBeside(path: string): SqliteReadModelStore {
  return openStore({ kind: 'file', path }, () => {});
}

function openStore(location: SqliteLocation, unlock: () => void): SqliteReadModelStore {
  const db = openForWriting(location, READ_MODEL_FORMAT);
  // Read models can be folded again from the log, so they need no sync at every commit to be safe.
  db.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${COMMIT_WAIT_MS_MAX}`);
  return new SqliteReadModelStore(db, describe(location), unlock);
}

function leaseRow({ name, holder, token, renewals }: LeaseRecord): SQLInputValue[] {
  return [name, holder, token, renewals];
}

function deadLetterRow(letter: DeadLetter): SQLInputValue[] {
  return [
    letter.projection,
    letter.build ?? 0,
    letter.documentKey,
    Number(letter.position),
    letter.stream,
    letter.revision,
    letter.eventId,
    letter.eventType,
    letter.cause,
    letter.attempts,
    letter.deadSince,
  ];
}
