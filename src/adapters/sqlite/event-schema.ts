/** The tables of the embedded event store, and how a row becomes an event. */
import {
  type EventMetadata,
  type RecordedEvent,
  UNREADABLE_EVENT_TYPE,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { SqliteFormat } from './database.ts';

/**
 * A consumer group is a checkpoint, and rows for the messages of which it does not tell enough: `waiting` to be delivered
 * again, `done` before an earlier one, or `parked`. First deliveries have no row; they may reach up to `delivered_to`.
 */
const CONSUMER_GROUP_TABLES = `
    CREATE TABLE consumer_groups (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      settings TEXT NOT NULL,
      checkpoint INTEGER NOT NULL,
      delivered_to INTEGER NOT NULL
    );
    CREATE TABLE consumer_group_messages (
      consumer_group INTEGER NOT NULL,
      position INTEGER NOT NULL,
      state TEXT NOT NULL,
      deliveries INTEGER NOT NULL,
      parked_at INTEGER,
      reason TEXT
    );
    CREATE UNIQUE INDEX consumer_group_messages_by_position ON consumer_group_messages (consumer_group, position);
    CREATE INDEX parked_messages ON consumer_group_messages (consumer_group) WHERE state = 'parked';
  `;

/**
 * Streams and types are integers in `events`, which halves a row; `position` is the row id, so the log is stored in
 * commit order. There is no index on event ids: a repeated append is recognised by its place in the stream.
 * `store` counts removed events and keeps the newest position ever given, so that no position is given twice.
 */
export const EVENT_STORE_FORMAT: SqliteFormat = {
  what: 'event store',
  applicationId: 0x4f424556, // "OBEV"
  schemaVersion: 2,
  migrations: { 1: CONSUMER_GROUP_TABLES },
  schema: `
    CREATE TABLE store (id TEXT NOT NULL, removed_events INTEGER NOT NULL, last_position INTEGER NOT NULL);
    INSERT INTO store VALUES (
      lower(hex(randomblob(8))), 0, 0
    );
    CREATE TABLE streams (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      metadata TEXT NOT NULL DEFAULT '{}',
      first_revision INTEGER NOT NULL DEFAULT 0,
      last_removed_revision INTEGER NOT NULL DEFAULT -1
    );
    CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE events (
      position INTEGER PRIMARY KEY,
      stream INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      type INTEGER NOT NULL,
      id TEXT NOT NULL,
      recorded_at INTEGER NOT NULL,
      data TEXT NOT NULL,
      metadata TEXT NOT NULL
    );
    CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
    ${CONSUMER_GROUP_TABLES}
  `,
};

/** The columns of an event in the order that `toRecordedEvent` expects; rows are read as arrays. */
export const EVENT_COLUMNS = `e.position, s.name, e.revision, t.name, e.id, e.recorded_at, e.data, e.metadata
  FROM events e JOIN streams s ON s.id = e.stream JOIN types t ON t.id = e.type`;

export type EventRow = [
  position: number,
  stream: string,
  revision: number,
  type: string,
  id: string,
  recordedAt: number,
  data: string,
  metadata: string,
];

/** The same without the two joins, which are half of what it costs to read a row: the names are kept in memory. */
export const LOG_COLUMNS = `position, stream, revision, type, id, recorded_at, data, metadata FROM events`;

/** An event whose stream and type are still numbers. */
export type LogRow = [position: number, stream: number, revision: number, type: number, ...rest: string[]];

/** The events of a commit share their time, so the last one is kept as text. */
let lastTime = { ms: 0, text: '' };

function timeOf(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}

/** @throws StoreError `corrupt`, naming the place, when the row does not hold JSON objects */
export function toRecordedEvent(row: EventRow): RecordedEvent {
  try {
    return recordedEvent(row, objectIn(row[6]));
  } catch (error) {
    const [position, stream, revision] = row;
    const message = `The event at revision ${revision} of ${stream} (position ${position}) cannot be read.`;
    throw new StoreError('corrupt', message, { cause: error, place: { stream, revision } });
  }
}

/** Whoever goes on behind an event that cannot be read is told by its type, which nobody knows. */
export function toReadableEvent(row: EventRow): RecordedEvent {
  try {
    return toRecordedEvent(row);
  } catch {
    const unreadable = [...row.slice(0, 3), UNREADABLE_EVENT_TYPE, ...row.slice(4)] as EventRow;
    return isObject(row[7])
      ? recordedEvent(unreadable, {})
      : recordedEvent(unreadable.with(7, '{}') as EventRow, {});
  }
}

function isObject(text: string): boolean {
  try {
    objectIn(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error when it is anything else: no field could be asked of it */
function objectIn(text: string): object {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null) return value;
  throw new Error('It is no JSON object.');
}

function recordedEvent(row: EventRow, data: object): RecordedEvent {
  return {
    id: row[4],
    type: row[3],
    stream: row[1],
    revision: row[2],
    position: BigInt(row[0]),
    recordedAt: timeOf(row[5]),
    data,
    metadata: objectIn(row[7]) as EventMetadata,
  };
}
