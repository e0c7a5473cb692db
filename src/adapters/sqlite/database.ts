/** Opens SQLite files safely: ours and no one else's, one process at a time, with errors in the ports' words. */
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError, type StoreErrorCode } from '../../event-sourcing/store-error.ts';
import { makeDirectory } from '../files/make-directory.ts';

/**
 * Pages in the write-ahead log (64 MiB) before a writer copies them into the database itself. The longer the log, the
 * more often a page that many commits touch is copied only once.
 */
const AUTO_CHECKPOINT_PAGES = 16_000;

/** Pages that a writer keeps, in KiB: a group of rows spread over many accounts must not read its index back from disk. */
const CACHE_KIB = 24 * 1024;

/** A file, or memory that is gone when the connection closes. */
export type SqliteLocation = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'memory' };

export interface SqliteFormat {
  /** What the file holds, for messages: `event store`. */
  readonly what: string;
  /** Written into the file's header, so that a foreign database is never touched. */
  readonly applicationId: number;
  readonly schemaVersion: number;
  /** Statements that create the tables of an empty database. */
  readonly schema: string;
  /** Statements that lead from one format to the next, by the format they start from; older files go through them all. */
  readonly migrations: Readonly<Record<number, string>>;
}

/**
 * Opens a store for writing, creating it when missing.
 * @throws StoreError `unavailable` (path not usable), `corrupt` (not a database, or not of this format).
 */
export function openForWriting(location: SqliteLocation, format: SqliteFormat): DatabaseSync {
  return translated(describe(location), () => {
    if (location.kind === 'file') makeParent(location.path);
    const db = new DatabaseSync(location.kind === 'file' ? location.path : ':memory:');
    try {
      verifyOrCreate(db, location, format);
      // An acknowledged event must survive power loss: FULL syncs the write-ahead log at every commit.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
      db.exec(`PRAGMA wal_autocheckpoint = ${AUTO_CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * Opens an existing store for reading beside its writer.
 * @throws StoreError `unavailable` or `corrupt`.
 */
export function openForReading(path: string): DatabaseSync {
  return translated(path, () => {
    const db = new DatabaseSync(path, { readOnly: true });
    db.exec('PRAGMA busy_timeout = 5000');
    return db;
  });
}

/**
 * Copies the write-ahead log into the database every now and then, on the calling thread, so that the writer on another
 * thread does not have to.
 * @returns a function that ends it
 */
export function checkpointInBackground(path: string, intervalMs: number): () => void {
  const db = translated(path, () => new DatabaseSync(path));
  // Without this, closing the last connection but one could wait for the writer.
  db.exec('PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 0');
  const timer = setInterval(() => {
    try {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // A full or failing disk: the writer meets it too, and says so to whoever asked it to write.
    }
  }, intervalMs);
  return () => {
    clearInterval(timer);
    db.close();
  };
}

/**
 * Takes the exclusive lock of a store; the operating system releases it however the process ends.
 * @returns a function that releases it.
 * @throws StoreError `in_use` when another process holds it.
 */
export function lockForThisProcess(location: SqliteLocation): () => void {
  if (location.kind === 'memory') return () => {};
  return translated(location.path, () => {
    makeParent(location.path);
    const lock = new DatabaseSync(`${location.path}.lock`);
    try {
      // The lock file stays empty; without this it would get a journal beside it.
      lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      if (primaryCode(error) !== SQLITE_BUSY) throw error;
      throw new StoreError('in_use', `${location.path} is in use by another OpenBank process.`);
    }
    return () => lock.close();
  });
}

/** Runs `work`, turning what SQLite or the file system throws into a StoreError that names the store. */
export function translated<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStoreError(name, error);
  }
}

export function describe(location: SqliteLocation): string {
  return location.kind === 'file' ? location.path : 'the in-memory store';
}

/** Result codes from https://www.sqlite.org/rescode.html; the low byte is the primary code. */
const SQLITE_BUSY = 5;
const CODES: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  5: ['unavailable', 'is locked by another process'],
  6: ['unavailable', 'is locked'],
  8: ['unavailable', 'cannot be written'],
  10: ['unavailable', 'had a disk error'],
  11: ['corrupt', 'is damaged'],
  13: ['disk_full', 'has no room: the disk is full'],
  14: ['unavailable', 'cannot be opened'],
  26: ['corrupt', 'is not a database'],
};

function primaryCode(error: unknown): number | undefined {
  const errcode = (error as { errcode?: unknown }).errcode;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function toStoreError(name: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const [code, words] = CODES[primaryCode(error) ?? -1] ?? ['unavailable', 'failed'];
  const cause = error instanceof Error ? error.message : String(error);
  return new StoreError(code, `${name} ${words} (${cause}).`, { cause: error });
}

function makeParent(path: string): void {
  const directory = dirname(path);
  try {
    makeDirectory(directory);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StoreError('unavailable', `The directory ${directory} cannot be used (${cause}).`, {
      cause: error,
    });
  }
}

function verifyOrCreate(db: DatabaseSync, location: SqliteLocation, format: SqliteFormat): void {
  const tables = numberOf(db, 'SELECT count(*) AS value FROM sqlite_schema');
  const applicationId = numberOf(db, 'SELECT application_id AS value FROM pragma_application_id');
  const version = numberOf(db, 'SELECT user_version AS value FROM pragma_user_version');
  if (tables === 0 && applicationId === 0 && version === 0) {
    db.exec(`BEGIN IMMEDIATE;
      PRAGMA application_id = ${format.applicationId};
      PRAGMA user_version = ${format.schemaVersion};
      ${format.schema};
      COMMIT`);
    return;
  }
  const name = describe(location);
  if (applicationId !== format.applicationId) {
    throw new StoreError('corrupt', `${name} is a database, but not an OpenBank ${format.what}.`);
  }
  migrate(db, name, version, format);
}

function migrate(db: DatabaseSync, name: string, from: number, format: SqliteFormat): void {
  for (let version = from; version !== format.schemaVersion; version += 1) {
    const migration = format.migrations[version];
    if (migration === undefined) {
      const detail = `it has format ${from}, and this program reads format ${format.schemaVersion}`;
      throw new StoreError('corrupt', `${name} cannot be read: ${detail}.`);
    }
    db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number((db.prepare(sql).get() as { value: number | bigint }).value);
}
