/** Event store files for tests: opened, closed and reopened in a directory of their own. */
import { closeSync, openSync, readSync } from 'node:fs';
import { openSqliteEventStore, type SqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A store in a file that a test may close and open again. */
export class StoreFile {
  readonly path: string;
  readonly #directory = temporaryDirectory();
  #store: SqliteEventStore | undefined;

  constructor() {
    this.path = this.#directory.file('events.db');
  }

  get store(): SqliteEventStore {
    this.#store ??= openSqliteEventStore({ kind: 'file', path: this.path });
    return this.#store;
  }

  /** Closes the store as a restart does; the next use of `store` opens it again. */
  async restart(): Promise<SqliteEventStore> {
    await this.close();
    return this.store;
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  async dispose(): Promise<void> {
    await this.close();
    this.#directory.remove();
  }
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Counts the commits in the write-ahead log since it was last reset. Only a commit's last frame carries the size of the
 * database (https://www.sqlite.org/fileformat2.html#walformat), so the file itself tells how many there were.
 */
export function commitsInLog(path: string): number {
  const file = openSync(`${path}-wal`, 'r');
  const read = (length: number, position: number) => {
    const bytes = Buffer.alloc(length);
    return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
  };
  try {
    const header = read(HEADER_BYTES, 0);
    if (!header) return 0;
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
    const salts = header.subarray(16, 24);
    let commits = 0;
    for (let position = HEADER_BYTES; ; position += frameBytes) {
      const frame = read(FRAME_HEADER_BYTES, position);
      // Frames of an earlier use of the file have other salts; the current ones end there.
      if (!frame?.subarray(8, 16).equals(salts)) return commits;
      if (frame.readUInt32BE(4) > 0) commits += 1;
    }
  } finally {
    closeSync(file);
  }
}
