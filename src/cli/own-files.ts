/** The files that OpenBank made, and nothing else: what a reset may delete. */
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config, EventStoreLocation, ReadModelLocation } from '../config.ts';
import { logFile, outputFile, pidFile } from './project.ts';

/** A file that exists. */
export interface OwnFile {
  readonly path: string;
  readonly bytes: number;
}

/** What SQLite and the store's lock put beside a database. */
const DATABASE_SUFFIXES = ['', '-wal', '-shm', '-journal', '.lock', '.lock-journal'];

/** Where SQLite's file header holds the application id, see https://www.sqlite.org/fileformat.html. */
const APPLICATION_ID_AT = 68;

/** The existing files of this configuration: databases, logs with their rotated parts, pid file. */
export function ownFiles(config: Config): readonly OwnFile[] {
  const log = logFile(config);
  const paths = new Set([
    ...databaseFiles(config.eventStore, config.dataDir),
    ...databaseFiles(config.readModels, config.dataDir),
    ...databaseFiles(config.publisherState, config.dataDir),
    log,
    ...rotatedLogs(log),
    outputFile(config),
    pidFile(config),
    ...archiveFiles(config),
    ...filesUnder(config.dataDir, PAST_PROJECTION_FILE),
  ]);
  return [...paths].flatMap((path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // A directory of that name is not ours.
    return stats?.isFile() || stats?.isSymbolicLink() ? [{ path, bytes: stats.size }] : [];
  });
}

function databaseFiles(location: EventStoreLocation | ReadModelLocation, dataDir: string): readonly string[] {
  if (location.kind !== 'file' || isForeign(location.path, dataDir)) return [];
  return DATABASE_SUFFIXES.map((suffix) => location.path + suffix);
}

/**
 * A mistyped setting can name a database of another program, which the service refuses to open and a reset must
 * not delete: ours carry an application id that begins with "OB". In the data directory a damaged one is ours too.
 */
function isForeign(path: string, dataDir: string): boolean {
  if (dirname(path) === dataDir) return false;
  try {
    const header = Buffer.alloc(APPLICATION_ID_AT + 2);
    const file = openSync(path, 'r');
    try {
      const bytes = readSync(file, header);
      return bytes > 0 && header.toString('latin1', APPLICATION_ID_AT) !== 'OB';
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** A volume's files below the directory of its store. */
const ARCHIVE_FILE = /^[0-9a-f]{16}\/(archive\.lock|\d{8}-[0-9a-f]{8}(\.partial)?\/(index\.db|segment-.+))$/;

/** What lies in the data directory; an archive in another place was named by somebody, who may share it. */
function archiveFiles({ archiveDir, dataDir }: Config): readonly string[] {
  if (archiveDir === undefined || dirname(archiveDir) !== dataDir) return [];
  return filesUnder(archiveDir, ARCHIVE_FILE);
}

/** What a service that did not come to its end has left of projections that it folded as they stood at a time. */
const PAST_PROJECTION_FILE =
  /^past-projections-[0-9a-f-]{36}(\.lock|\/[0-9a-f-]{36}\/read-models\.db(-wal|-shm|\.lock)?)$/;

function filesUnder(directory: string, own: RegExp): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((file) => own.test(file.replaceAll('\\', '/')))
      .map((file) => join(directory, file));
  } catch {
    return [];
  }
}

function rotatedLogs(log: string): readonly string[] {
  const name = basename(log);
  const rotated = (file: string) => file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1));
  try {
    return readdirSync(dirname(log))
      .filter(rotated)
      .map((file) => join(dirname(log), file));
  } catch {
    return [];
  }
}
