/** Reads the embedded read models beside their writer, on a thread of its own, and keeps what was read. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  Build,
  Checkpoint,
  Collection,
  Document,
  FindOptions,
  RankOptions,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { openForReading, translated } from './database.ts';
import { SqliteReadModelReader } from './read-model-reader.ts';

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
    this.#look();
    const documents = this.#of(collection);
    if (documents.has(key)) return documents.get(key) as StoredDocument<D> | undefined;
    const version = this.#version;
    const stored = await super.get<D>(collection, key);
    // Somebody may have written meanwhile: then this document is already an old one.
    if (version === this.#version) documents.set(key, stored);
    return stored;
  }

  override async find<D extends Document>(collection: Collection, options: FindOptions) {
    this.#look();
    return super.find<D>(collection, options);
  }

  override async rank<D extends Document>(collection: Collection, options: RankOptions) {
    this.#look();
    return super.rank<D>(collection, options);
  }

  override async builds(): Promise<Build[]> {
    this.#forgetOld();
    return super.builds();
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

  #look(): void {
    if (!this.#checkedInThisTurn) this.#forgetOld();
  }

  #forgetOld(): void {
    const { data_version } = translated(this.name, () => this.#dataVersion.get()) as { data_version: number };
    if (data_version !== this.#version) {
      this.#documents.clear();
      this.forgetLive();
    }
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
