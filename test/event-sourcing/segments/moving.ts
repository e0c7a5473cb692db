/** What the tests of exports and imports share: stores in memory, moves with small segments, and what a store holds. */
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { EventStore, RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { type ExportResult, exportLog } from '../../../src/event-sourcing/segments/export-log.ts';
import { type ImportResult, importLog } from '../../../src/event-sourcing/segments/import-log.ts';
import { collect, mustAppend, newEvents } from '../../support/event-builders.ts';
import { MemorySegments } from '../../support/memory-segments.ts';

const SEGMENT_EVENTS = 5;
const NOW = new Date('2026-03-04T05:06:07.000Z');

export function emptyStore(): EventStore {
  return openSqliteEventStore({ kind: 'memory' });
}

/** Twelve events in three streams that take turns: three segments, the last one not full. */
export async function smallStore(): Promise<EventStore> {
  const store = emptyStore();
  for (let revision = 0; revision < 4; revision += 1) {
    for (const stream of ['person-1', 'bank-account-1', 'bank-account-2']) {
      await mustAppend(store, stream, newEvents(1), revision === 0 ? 'no_stream' : revision - 1);
    }
  }
  return store;
}

export function exported(source: EventStore, directory: MemorySegments): Promise<ExportResult> {
  return exportLog({ source, directory, now: () => NOW, segmentEvents: SEGMENT_EVENTS });
}

export async function exportOf(source: EventStore): Promise<MemorySegments> {
  const directory = new MemorySegments();
  await exported(source, directory);
  return directory;
}

export function imported(
  directory: MemorySegments,
  target: EventStore,
  keepsOrder = true,
): Promise<ImportResult> {
  return importLog({ directory, target, keepsOrder });
}

/** All that a move must keep of each event, in the order of the log. */
export async function logOf(store: EventStore): Promise<Omit<RecordedEvent, 'position' | 'recordedAt'>[]> {
  const events = await collect(store.readAll());
  return events.map(({ stream, revision, id, type, data, metadata }) => ({
    stream,
    revision,
    id,
    type,
    data,
    metadata,
  }));
}

/** The same, stream by stream. */
export async function streamsOf(
  store: EventStore,
): Promise<ReadonlyMap<string, Pick<RecordedEvent, 'id' | 'revision'>[]>> {
  const streams = new Map<string, Pick<RecordedEvent, 'id' | 'revision'>[]>();
  for await (const { stream, revision, id, type, data, metadata } of store.readAll()) {
    const event = { revision, id, type, data, metadata };
    streams.set(stream, [...(streams.get(stream) ?? []), event]);
  }
  return new Map([...streams].sort(([a], [b]) => (a < b ? -1 : 1)));
}
