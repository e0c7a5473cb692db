/** Reads the embedded read models, over the writer's connection or over one of its own. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Document,
  FindOptions,
  LeaseRecord,
  ReadModelReader,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { openForReading, translated } from './database.ts';

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

  async listDeadLetters(options: {
    projection?: string;
    documentKey?: string;
    limit: number;
  }): Promise<DeadLetter[]> {
    const sql = `SELECT * FROM dead_letters
      WHERE (?1 IS NULL OR projection = ?1) AND (?2 IS NULL OR document_key = ?2) ORDER BY position LIMIT ?3`;
    const { projection = null, documentKey = null, limit } = options;
    const found = translated(this.name, () => this.db.prepare(sql).all(projection, documentKey, limit));
    return found.map(toDeadLetter);
  }

  async listLeases(): Promise<LeaseRecord[]> {
    return translated(this.name, () => this.leases());
  }

  protected leases(): LeaseRecord[] {
    const found = this.db.prepare('SELECT name, holder, token, renewals FROM leases').all();
    return (found as unknown as LeaseRecord[]).map((row) => ({ ...row }));
  }

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

/** Documents of a collection that a reader keeps until the writer's next commit. */
const CACHED_DOCUMENTS_MAX = 5_000;

/**
 * Reads beside the writer, and keeps what was read for as long as SQLite says that nobody wrote. It asks once in each
 * turn of the event loop, because taking and releasing SQLite's locks costs more than the answer from memory.
 */
class SqliteReadModelCache extends SqliteReadModelReader {
  readonly #documents = new Map<Collection, Map<string, StoredDocument | undefined>>();
  readonly #dataVersion: StatementSync;
  #version: unknown;
  #checkedInThisTurn = false;

  constructor(db: DatabaseSync, name: string) {
    super(db, name);
    this.#dataVersion = db.prepare('PRAGMA data_version');
  }

  override async get<D extends Document>(collection: Collection, key: string) {
    if (!this.#checkedInThisTurn) this.#forgetOld();
    const documents = this.#of(collection);
    if (documents.has(key)) return documents.get(key) as StoredDocument<D> | undefined;
    const version = this.#version;
    const stored = await super.get<D>(collection, key);
    // Somebody may have written meanwhile: then this document is already an old one.
    if (version === this.#version) documents.set(key, stored);
    return stored;
  }

  /** Whoever has seen a checkpoint must see the documents that came with it. */
  override async checkpoints(): Promise<Checkpoint[]> {
    const checkpoints = await super.checkpoints();
    this.#checkedInThisTurn = false;
    return checkpoints;
  }

  /** A collection's documents; when there are too many it starts over, which costs one read each. */
  #of(collection: Collection): Map<string, StoredDocument | undefined> {
    const known = this.#documents.get(collection);
    if (known && known.size < CACHED_DOCUMENTS_MAX) return known;
    const documents = new Map<string, StoredDocument | undefined>();
    this.#documents.set(collection, documents);
    return documents;
  }

  #forgetOld(): void {
    const { data_version } = translated(this.name, () => this.#dataVersion.get()) as { data_version: number };
    if (data_version !== this.#version) this.#documents.clear();
    this.#version = data_version;
    this.#checkedInThisTurn = true;
    setImmediate(() => {
      this.#checkedInThisTurn = false;
    });
  }
}

/** Opens the read models for queries on another thread. The caller closes them. */
export function openSqliteReadModelReader(path: string): {
  reader: SqliteReadModelReader;
  close: () => void;
} {
  const db = openForReading(path);
  return { reader: new SqliteReadModelCache(db, path), close: () => db.close() };
}

/** The table of a collection; a new version has a new one. */
export function tableOf(collection: Collection): string {
  return `collection_${collection.name}_v${collection.version}`;
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
