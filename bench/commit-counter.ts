/** Counts the commits of a SQLite database from outside of the process that writes it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** `iChange` in the header of the write-ahead log's index: https://www.sqlite.org/walformat.html */
const COMMITS_AT = 8;

/** Transactions committed so far, modulo 2³². */
export function commitsOf(database: string): number {
  const file = openSync(`${database}-shm`, 'r');
  try {
    const counter = Buffer.alloc(4);
    readSync(file, counter, 0, counter.length, COMMITS_AT);
    return endianness() === 'LE' ? counter.readUInt32LE() : counter.readUInt32BE();
  } finally {
    closeSync(file);
  }
}
