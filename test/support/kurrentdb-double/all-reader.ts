/** Reads pages of the whole log (`$all`), with a filter and a search window. */
import type { EventLog, EventRecord } from './event-log.ts';
import type { EventFilter } from './filter.ts';

/** A place in the log. A page's end has the prepare position 0, so `prepare` may be less than `commit`. */
export interface LogPosition {
  readonly commit: number;
  readonly prepare: number;
}

export const LOG_START: LogPosition = { commit: 0, prepare: 0 };

export function compare(a: LogPosition, b: LogPosition): number {
  return a.commit - b.commit || a.prepare - b.prepare;
}

export function positionOf(record: EventRecord): LogPosition {
  return { commit: record.position, prepare: record.position };
}

/** The position is within the log, but no record begins there. */
export class InvalidPosition extends Error {}

export interface AllPage {
  readonly records: readonly EventRecord[];
  readonly current: LogPosition;
  readonly next: LogPosition;
  readonly isEnd: boolean;
  /** Records looked at, wanted or not. */
  readonly considered: number;
}

export interface AllPageRequest {
  readonly from: LogPosition;
  readonly count: number;
  /** Records to look at, at most. */
  readonly searchWindow: number;
  readonly filter: EventFilter;
}

/**
 * Inclusive: gives the record that begins at `from`, too.
 * Server: src/EventStore.Core/Services/Storage/ReaderIndex/AllReader.cs (ReadAllEventsForwardInternal)
 * @throws InvalidPosition
 */
export function readAllForwards(
  log: EventLog,
  { from, count, searchWindow, filter }: AllPageRequest,
): AllPage {
  const records: EventRecord[] = [];
  let next = from;
  let considered = 0;
  if (from.commit <= log.lastIndexedPosition && !log.isBoundary(from.commit)) throw new InvalidPosition();
  let index = log.indexAt(from.commit);
  while (records.length < count && considered < searchWindow && index < log.records.length) {
    const record = log.records[index++] as EventRecord;
    if (compare(positionOf(record), from) < 0) continue;
    considered++;
    if (filter(record)) records.push(record);
    next = { commit: record.end, prepare: 0 };
  }
  const isEnd = records.length < count && considered < searchWindow;
  return { records, current: from, next, isEnd, considered };
}

/**
 * Exclusive: gives only records that end at or before `from`, so an event's own position leaves that event out.
 * Server: AllReader.cs (ReadAllEventsBackwardInternal). That a position behind the log's end reads nothing is from memory.
 * @throws InvalidPosition
 */
export function readAllBackwards(
  log: EventLog,
  { from, count, searchWindow, filter }: AllPageRequest,
): AllPage {
  const records: EventRecord[] = [];
  let next = from;
  let considered = 0;
  if (from.commit > log.writerPosition) return { records, current: from, next, isEnd: true, considered };
  if (!log.isBoundary(from.commit)) throw new InvalidPosition();
  let index = log.indexAt(from.commit) - 1;
  while (records.length < count && considered < searchWindow && index >= 0) {
    const record = log.records[index--] as EventRecord;
    if (compare({ commit: record.end, prepare: record.end }, from) > 0) continue;
    considered++;
    if (filter(record)) records.push(record);
    next = positionOf(record);
  }
  const isEnd = records.length < count && considered < searchWindow;
  return { records, current: from, next, isEnd, considered };
}
