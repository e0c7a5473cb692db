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
import { SqliteReadModelReader, tableOf } from './read-model-reader.ts';

const LEASES = `CREATE TABLE leases (
      name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, renewals INTEGER NOT NULL
    ) WITHOUT ROWID;`;

const READ_MODEL_FORMAT: SqliteFormat = {
  what: 'read model store',
  applicationId: 0x4f42524d, // "OBRM"
  schemaVersion: 2,
  migrations: {
    1: `ALTER TABLE checkpoints ADD COLUMN fence INTEGER NOT NULL DEFAULT 0; ${LEASES}`,
  },
  schema: `
    CREATE TABLE source (store_id TEXT NOT NULL);
    CREATE TABLE checkpoints (
      projection TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
      fence INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (projection, version)
    ) WITHOUT ROWID;
    CREATE TABLE dead_letters (
      projection TEXT NOT NULL, document_key TEXT NOT NULL, position INTEGER NOT NULL,
      stream TEXT NOT NULL, revision INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
      cause TEXT NOT NULL, attempts INTEGER NOT NULL, dead_since TEXT NOT NULL,
      PRIMARY KEY (projection, document_key, position)
    ) WITHOUT ROWID;
    ${LEASES}
  `,
};

/** The token of who needs none, because nobody else can write. */
const UNFENCED = 0;

interface WriteStatements {
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
  readonly #writes = new Map<Collection, WriteStatements>();

  constructor(db: DatabaseSync, name: string, unlock: () => void) {
    super(db, name);
    this.#unlock = unlock;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    // Changes nothing where a higher token was here before.
    this.#setCheckpoint = db.prepare(
      `INSERT INTO checkpoints VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET position = max(position, excluded.position), fence = max(fence, excluded.fence)
       WHERE fence <= excluded.fence OR excluded.fence = ${UNFENCED}`,
    );
    this.#settle = db.prepare(
      'DELETE FROM dead_letters WHERE projection = ? AND document_key = ? AND position = ?',
    );
    this.#addDeadLetter = db.prepare(
      'INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
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
      for (const collection of collections) this.db.exec(createSql(collection));
    });
  }

  async commit(changes: ReadModelChanges): Promise<void> {
    this.#transaction(() => {
      for (const { collection, document } of changes.writes) this.#write(collection, document);
      for (const letter of changes.deadLetters) this.#addDeadLetter.run(...deadLetterRow(letter));
      for (const { projection, documentKey, position } of changes.settled ?? []) {
        this.#settle.run(projection, documentKey, Number(position));
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
    const { name, version } = collection;
    this.#transaction(() => {
      this.db.exec(`DELETE FROM ${tableOf(collection)}`);
      this.db.prepare('DELETE FROM dead_letters WHERE projection = ?').run(name);
      this.db.prepare('DELETE FROM checkpoints WHERE projection = ? AND version = ?').run(name, version);
    });
  }

  async close(): Promise<void> {
    if (!this.db.isOpen) return;
    this.db.close();
    this.#unlock();
  }

  #advance({ projection, version, position }: Checkpoint, fence: Fence | undefined): void {
    const token = fence?.token ?? UNFENCED;
    if (this.#setCheckpoint.run(projection, version, Number(position), token).changes === 0) {
      throw new StoreError('fenced', `Another leader has taken over the checkpoint of ${projection}.`);
    }
  }

  #write(collection: Collection, stored: StoredDocument): void {
    const { key, sequence, position, document, blocked } = stored;
    const indexed = collection.indexes.map((field) => (document?.[field] ?? null) as SQLInputValue);
    const body = document === undefined ? null : JSON.stringify(document);
    const { update, upsert } = this.#statementsFor(collection);
    const at = Number(position);
    const row = [at, body, blocked ? 1 : 0, ...indexed];
    // Mostly only the body is new. Naming an indexed field in an update makes SQLite write its index entry anew.
    if (sequence < position && update.run(...row, key, at).changes === 1) return;
    upsert.run(key, Number(sequence), ...row);
  }

  #statementsFor(collection: Collection): WriteStatements {
    const known = this.#writes.get(collection);
    if (known) return known;
    const statements = {
      update: this.db.prepare(updateSql(collection)),
      upsert: this.db.prepare(upsertSql(collection)),
    };
    this.#writes.set(collection, statements);
    return statements;
  }

  #dropEverything(): void {
    const tables = this.db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'collection\\_%' ESCAPE '\\'",
      )
      .all() as { name: string }[];
    for (const { name } of tables) this.db.exec(`DROP TABLE ${name}`);
    this.db.exec('DELETE FROM checkpoints; DELETE FROM dead_letters');
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
    const db = openForWriting(location, READ_MODEL_FORMAT);
    // Read models can be folded again from the log, so they need no sync at every commit to be safe.
    db.exec('PRAGMA synchronous = NORMAL');
    return new SqliteReadModelStore(db, describe(location), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Lists go by `sequence`, alone or after an equality; documents of one event are few, and sorted by key as they come. */
function createSql(collection: Collection): string {
  const table = tableOf(collection);
  const columns = collection.indexes.map((field) => `, ${field} TEXT`).join('');
  const paths = collection.indexes.map((field) => [`by_${field}`, `${field}, sequence`]);
  if (collection.listed) paths.push(['by_sequence', 'sequence']);
  const indexes = paths.map(
    ([name, fields]) => `CREATE INDEX IF NOT EXISTS ${table}_${name} ON ${table} (${fields});`,
  );
  return `CREATE TABLE IF NOT EXISTS ${table} (
      key TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, position INTEGER NOT NULL,
      document TEXT, blocked INTEGER NOT NULL${columns}
    );
    ${indexes.join('\n')}`;
}

/** Replaces a document whose indexed fields stay as they are; `?4` and so on are their values. */
function updateSql(collection: Collection): string {
  const same = collection.indexes.map((field, index) => ` AND ${field} IS ?${index + 4}`).join('');
  const key = collection.indexes.length + 4;
  return `UPDATE ${tableOf(collection)} SET position = ?1, document = ?2, blocked = ?3
    WHERE key = ?${key} AND position < ?${key + 1}${same}`;
}

function upsertSql(collection: Collection): string {
  const columns = ['sequence', 'position', 'document', 'blocked', ...collection.indexes];
  const updates = columns
    .filter((column) => column !== 'sequence')
    .map((column) => `${column} = excluded.${column}`)
    .join(', ');
  return `INSERT INTO ${tableOf(collection)} (key, ${columns.join(', ')})
    VALUES (?${', ?'.repeat(columns.length)})
    ON CONFLICT (key) DO UPDATE SET ${updates} WHERE excluded.position > position`;
}

function leaseRow({ name, holder, token, renewals }: LeaseRecord): SQLInputValue[] {
  return [name, holder, token, renewals];
}

function deadLetterRow(letter: DeadLetter): SQLInputValue[] {
  return [
    letter.projection,
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
