/** The embedded read models: one table per collection, documents as JSON, all changes of a batch in one transaction. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Document,
  FindOptions,
  ReadModelChanges,
  ReadModelReader,
  ReadModelStore,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import {
  describe,
  lockForThisProcess,
  openForReading,
  openForWriting,
  type SqliteFormat,
  type SqliteLocation,
  translated,
} from './database.ts';

const READ_MODEL_FORMAT: SqliteFormat = {
  what: 'read model store',
  applicationId: 0x4f42524d, // "OBRM"
  schemaVersion: 1,
  schema: `
    CREATE TABLE source (store_id TEXT NOT NULL);
    CREATE TABLE checkpoints (
      projection TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
      PRIMARY KEY (projection, version)
    ) WITHOUT ROWID;
    CREATE TABLE dead_letters (
      projection TEXT NOT NULL, document_key TEXT NOT NULL, position INTEGER NOT NULL,
      stream TEXT NOT NULL, revision INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
      cause TEXT NOT NULL, attempts INTEGER NOT NULL, dead_since TEXT NOT NULL,
      PRIMARY KEY (projection, document_key, position)
    ) WITHOUT ROWID;
  `,
};

type DocumentRow = [
  key: string,
  sequence: number,
  position: number,
  document: string | null,
  blocked: number,
];

/** Reads documents over the connection of the writer, or over one of its own beside it. */
export class SqliteReadModelReader implements ReadModelReader {
  protected readonly db: DatabaseSync;
  protected readonly name: string;
  readonly #gets = new Map<string, StatementSync>();
  readonly #finds = new Map<string, StatementSync>();
  readonly #checkpoints: StatementSync;

  constructor(db: DatabaseSync, name: string) {
    this.db = db;
    this.name = name;
    this.#checkpoints = db.prepare('SELECT projection, version, position FROM checkpoints');
  }

  async get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    const statement = this.#get(collection);
    this.beforeRead();
    const row = translated(this.name, () => statement.get(key)) as DocumentRow | undefined;
    return row && toStored<D>(row);
  }

  async find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]> {
    const fields = Object.keys(options.where ?? {});
    const unknown = fields.find((field) => !collection.indexes.includes(field));
    if (unknown) throw new Error(`${collection.name} has no index on ${unknown}`);
    if (fields.length === 0 && !collection.listed)
      throw new Error(`${collection.name} cannot be listed as a whole`);
    const parameters: SQLInputValue[] = fields.map((field) => options.where?.[field] as string);
    if (options.after) parameters.push(Number(options.after.sequence), options.after.key);
    const statement = this.#find(collection, fields, options);
    this.beforeRead();
    const found = translated(this.name, () => statement.all(...parameters, options.limit));
    return (found as unknown as DocumentRow[]).map(toStored<D>);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const found = translated(this.name, () => this.#checkpoints.all());
    return (found as { projection: string; version: number; position: number }[]).map((row) => ({
      ...row,
      position: BigInt(row.position),
    }));
  }

  async countDeadLetters(): Promise<number> {
    const row = translated(this.name, () => this.db.prepare('SELECT count(*) AS n FROM dead_letters').get());
    return (row as { n: number }).n;
  }

  async listDeadLetters(options: { projection?: string; limit: number }): Promise<DeadLetter[]> {
    const sql = `SELECT * FROM dead_letters WHERE ?1 IS NULL OR projection = ?1 ORDER BY position LIMIT ?2`;
    const found = translated(this.name, () =>
      this.db.prepare(sql).all(options.projection ?? null, options.limit),
    );
    return found.map(toDeadLetter);
  }

  /** Called before documents are read; a connection of its own may start a shared snapshot here. */
  protected beforeRead(): void {}

  #get(collection: Collection): StatementSync {
    const table = tableOf(collection);
    const known = this.#gets.get(table);
    if (known) return known;
    const statement = this.#rows(
      `SELECT key, sequence, position, document, blocked FROM ${table} WHERE key = ?`,
    );
    this.#gets.set(table, statement);
    return statement;
  }

  #rows(sql: string): StatementSync {
    return translated(this.name, () => {
      const statement = this.db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    });
  }

  #find(collection: Collection, fields: readonly string[], options: FindOptions): StatementSync {
    const [order, beyond] = options.order === 'newest_first' ? ['DESC', '<'] : ['ASC', '>'];
    const conditions = fields.map((field) => `${field} = ?`);
    if (options.after) conditions.push(`(sequence, key) ${beyond} (?, ?)`);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const sql = `SELECT key, sequence, position, document, blocked FROM ${tableOf(collection)} ${where}
      ORDER BY sequence ${order}, key ${order} LIMIT ?`;
    const known = this.#finds.get(sql);
    if (known) return known;
    const statement = this.#rows(sql);
    this.#finds.set(sql, statement);
    return statement;
  }
}

/** Documents that a reader keeps until the writer's next commit. */
const CACHED_DOCUMENTS_MAX = 5_000;

/**
 * Reads beside the writer. All reads of one turn of the event loop share a snapshot: taking and releasing SQLite's
 * locks for each would cost more than the reads. What was read is kept for as long as SQLite says that nobody wrote.
 */
class SqliteReadModelSnapshots extends SqliteReadModelReader {
  readonly #cache = new LRUCache<string, { stored: StoredDocument | undefined }>({
    max: CACHED_DOCUMENTS_MAX,
  });
  readonly #dataVersion: StatementSync;
  #version: unknown;
  #open = false;

  constructor(db: DatabaseSync, name: string) {
    super(db, name);
    this.#dataVersion = db.prepare('PRAGMA data_version');
  }

  override async get<D extends Document>(collection: Collection, key: string) {
    this.beforeRead();
    const id = `${tableOf(collection)}/${key}`;
    const cached = this.#cache.get(id);
    if (cached) return cached.stored as StoredDocument<D> | undefined;
    const stored = await super.get<D>(collection, key);
    this.#cache.set(id, { stored });
    return stored;
  }

  protected override beforeRead(): void {
    if (this.#open) return;
    translated(this.name, () => this.#openSnapshot());
    setImmediate(() => {
      this.#open = false;
      if (this.db.isOpen) this.db.exec('COMMIT');
    });
  }

  #openSnapshot(): void {
    this.db.exec('BEGIN');
    this.#open = true;
    const { data_version } = this.#dataVersion.get() as { data_version: number };
    if (data_version !== this.#version) this.#cache.clear();
    this.#version = data_version;
  }
}

export class SqliteReadModelStore extends SqliteReadModelReader implements ReadModelStore {
  readonly #unlock: () => void;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #setCheckpoint: StatementSync;
  readonly #addDeadLetter: StatementSync;
  readonly #upserts = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, name: string, unlock: () => void) {
    super(db, name);
    this.#unlock = unlock;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#setCheckpoint = db.prepare(
      `INSERT INTO checkpoints VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
    );
    this.#addDeadLetter = db.prepare(
      'INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  async prepare(collections: readonly Collection[], sourceStoreId: string): Promise<void> {
    this.#transaction(() => {
      const source = this.db.prepare('SELECT store_id FROM source').get() as { store_id: string } | undefined;
      if (source && source.store_id !== sourceStoreId) this.#dropEverything();
      this.db.prepare('DELETE FROM source').run();
      this.db.prepare('INSERT INTO source VALUES (?)').run(sourceStoreId);
      for (const collection of collections) this.db.exec(createSql(collection));
    });
  }

  async commit(changes: ReadModelChanges): Promise<void> {
    this.#transaction(() => {
      for (const { collection, document } of changes.writes) this.#write(collection, document);
      for (const letter of changes.deadLetters) this.#addDeadLetter.run(...deadLetterRow(letter));
      for (const { projection, version, position } of changes.checkpoints) {
        this.#setCheckpoint.run(projection, version, Number(position));
      }
    });
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

  #write(collection: Collection, stored: StoredDocument): void {
    const { key, sequence, position, document, blocked } = stored;
    const indexed = collection.indexes.map((field) => (document?.[field] ?? null) as SQLInputValue);
    const body = document === undefined ? null : JSON.stringify(document);
    this.#upsert(collection).run(key, Number(sequence), Number(position), body, blocked ? 1 : 0, ...indexed);
  }

  #upsert(collection: Collection): StatementSync {
    const table = tableOf(collection);
    const statement = this.#upserts.get(table) ?? this.db.prepare(upsertSql(collection));
    this.#upserts.set(table, statement);
    return statement;
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
    // Read models can be folded again from the log, so they need no sync at every commit to be safe. A long write-ahead
    // log spares a rebuild from copying the same page again and again.
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16000');
    return new SqliteReadModelStore(db, describe(location), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Opens the read models for queries on another thread. The caller closes them. */
export function openSqliteReadModelReader(path: string): {
  reader: SqliteReadModelReader;
  close: () => void;
} {
  const db = openForReading(path);
  return { reader: new SqliteReadModelSnapshots(db, path), close: () => db.close() };
}

function tableOf(collection: Collection): string {
  return `collection_${collection.name}_v${collection.version}`;
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

function toStored<D extends Document>(row: DocumentRow): StoredDocument<D> {
  const [key, sequence, position, document, blocked] = row;
  return {
    key,
    sequence: BigInt(sequence),
    position: BigInt(position),
    blocked: blocked === 1,
    ...(document === null ? {} : { document: JSON.parse(document) as D }),
  };
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

function toDeadLetter(row: Record<string, unknown>): DeadLetter {
  return {
    projection: row.projection as string,
    documentKey: row.document_key as string,
    position: BigInt(row.position as number),
    stream: row.stream as string,
    revision: row.revision as number,
    eventId: row.event_id as string,
    eventType: row.event_type as string,
    cause: row.cause as string,
    attempts: row.attempts as number,
    deadSince: row.dead_since as string,
  };
}
