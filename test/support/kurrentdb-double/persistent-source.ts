/** What a persistent subscription reads: one stream by revision, or `$all` by position. */
import { type LogPosition, positionOf, readAllForwards } from './all-reader.ts';
import type { EventLog, EventRecord } from './event-log.ts';
import { DEFAULT_ALL_FILTER, type EventFilter, toFilter } from './filter.ts';
import { ALL_STREAM, type GroupDefinition } from './persistent-settings.ts';
import { readStreamForwards } from './stream-reader.ts';

/** `skipped` counts records of a page in which nothing was wanted. */
export interface SourcePage {
  readonly records: readonly EventRecord[];
  readonly current: LogPosition;
  readonly next: LogPosition;
  readonly isEnd: boolean;
  readonly skipped: number;
}

/** Positions of either kind compare alike; those of a stream have its revision twice. */
export interface EventSource {
  /** Whether a new record is of this source at all, wanted or not. */
  includes(record: EventRecord): boolean;
  /** Whether the filter wants it. */
  wants(record: EventRecord): boolean;
  positionOf(record: EventRecord): LogPosition;
  read(log: EventLog, from: LogPosition, count: number, searchWindow: number): SourcePage;
  /** As checkpoints have it. */
  format(position: LogPosition): string;
  parse(text: string): LogPosition;
}

// Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscriptionSingleStreamEventSource.cs
function streamSource(stream: string): EventSource {
  const at = (revision: number): LogPosition => ({ commit: revision, prepare: revision });
  return {
    includes: (record) => record.stream === stream,
    wants: () => true,
    positionOf: (record) => at(record.revision),
    read: (log, from, count) => {
      const page = readStreamForwards(log, stream, from.commit, count);
      return page.result === 'success'
        ? { records: page.records, current: from, next: at(page.next), isEnd: page.isEnd, skipped: 0 }
        : { records: [], current: from, next: at(0), isEnd: true, skipped: 0 };
    },
    format: ({ commit }) => String(commit),
    parse: (text) => at(Number(text)),
  };
}

// Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscriptionAllStreamEventSource.cs
function allSource(filter: EventFilter | undefined): EventSource {
  return {
    includes: DEFAULT_ALL_FILTER,
    wants: filter ?? (() => true),
    positionOf,
    read: (log, from, count, searchWindow) => {
      const page = readAllForwards(log, {
        from,
        count,
        searchWindow: filter === undefined ? Number.POSITIVE_INFINITY : searchWindow,
        filter: filter ?? DEFAULT_ALL_FILTER,
      });
      const skipped = filter !== undefined && page.records.length === 0 ? page.considered : 0;
      return { ...page, skipped };
    },
    format: ({ commit, prepare }) => `C:${commit}/P:${prepare}`,
    parse: (text) => {
      const [, commit, prepare] = /^C:(-?\d+)\/P:(-?\d+)$/.exec(text) ?? [];
      return { commit: Number(commit), prepare: Number(prepare) };
    },
  };
}

export function toEventSource({ stream, filter }: GroupDefinition): EventSource {
  if (stream !== ALL_STREAM) return streamSource(stream);
  return allSource(filter === undefined ? undefined : toFilter(filter));
}
