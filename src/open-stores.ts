/** Opens the stores that the configuration names. Drivers are loaded only where they are used: they are large. */
import { checkpointInBackground } from './adapters/sqlite/database.ts';
import { openSqliteEventReader, openSqliteEventStore } from './adapters/sqlite/event-store.ts';
import { openSqliteReadModelReader } from './adapters/sqlite/read-model-reader.ts';
import { openSqliteReadModelStore } from './adapters/sqlite/read-model-store.ts';
import type { EventStoreLocation, ReadModelLocation } from './config.ts';
import type { ConsumerGroups } from './event-sourcing/consumer-groups.ts';
import type { EventReader, EventStore, StreamDirectory } from './event-sourcing/event-store.ts';
import type { ReadModelReader, ReadModelStore } from './event-sourcing/read-model-store.ts';
import { Signal } from './event-sourcing/signal.ts';

/** A store that another thread can open too. */
export type PersistentEventStoreLocation = Exclude<EventStoreLocation, { kind: 'memory' }>;
export type PersistentReadModelLocation = Exclude<ReadModelLocation, { kind: 'memory' }>;

/** How often the embedded store's write-ahead log is moved into its database, on the thread that reads. */
const CHECKPOINT_INTERVAL_MS = 500;

export interface OpenedEventStore {
  readonly events: EventStore;
  readonly groups: ConsumerGroups;
  /** Missing where the server has a stream browser of its own. */
  readonly streams?: StreamDirectory;
  /** Fires after appends of this process, where another thread has to be told of them. */
  readonly appended: Signal;
}

/** @throws StoreError when it cannot be opened */
export async function openEventStore(location: EventStoreLocation): Promise<OpenedEventStore> {
  if (location.kind === 'kurrentdb') {
    const { openKurrentDbEventStore } = await import('./adapters/kurrentdb/event-store.ts');
    const events = await openKurrentDbEventStore(location.url);
    return { events, groups: events.consumerGroups, appended: new Signal() };
  }
  const events = openSqliteEventStore(location);
  return { events, groups: events.consumerGroups(), streams: events, appended: events.appended };
}

export interface OpenedEventReader {
  readonly reader: EventReader & Pick<EventStore, 'getStreamMetadata'>;
  /** There may be new events: where the store does not say so by itself, the subscriptions look now. */
  notify(): void;
  close(): Promise<void>;
}

/** A reader beside the store's writer, for another thread or process. @throws StoreError when it cannot be opened */
export async function openEventReader(location: PersistentEventStoreLocation): Promise<OpenedEventReader> {
  if (location.kind === 'kurrentdb') {
    const { openKurrentDbEventStore } = await import('./adapters/kurrentdb/event-store.ts');
    const reader = await openKurrentDbEventStore(location.url);
    return { reader, notify() {}, close: () => reader.close() };
  }
  const { reader, close } = openSqliteEventReader(location.path);
  const endCheckpoints = checkpointInBackground(location.path, CHECKPOINT_INTERVAL_MS);
  return {
    reader,
    notify: () => reader.appended.notify(),
    async close() {
      endCheckpoints();
      close();
    },
  };
}

/** @throws StoreError when it cannot be opened */
export async function openReadModelStore(location: ReadModelLocation): Promise<ReadModelStore> {
  if (location.kind !== 'mongodb') return openSqliteReadModelStore(location);
  const { openMongoReadModelStore } = await import('./adapters/mongodb/read-model-store.ts');
  return openMongoReadModelStore(location.url);
}

export interface OpenedReadModels {
  readonly readModels: ReadModelReader;
  close(): Promise<void>;
}

/** A reader beside whoever keeps the read models. @throws StoreError when it cannot be opened */
export async function openReadModelReader(location: PersistentReadModelLocation): Promise<OpenedReadModels> {
  if (location.kind === 'mongodb') {
    const readModels = await openReadModelStore(location);
    return { readModels, close: () => readModels.close() };
  }
  const { reader, close } = openSqliteReadModelReader(location.path);
  return { readModels: reader, close: async () => close() };
}

/**
 * The location as people may see it: a file's path, or a server's address. Whatever stands before the last `@`, and the
 * options, may hold a password.
 */
export function describeLocation(location: EventStoreLocation | ReadModelLocation): string {
  if (location.kind === 'memory') return ':memory:';
  return location.kind === 'file'
    ? location.path
    : location.url.replace(/\/\/.*@/, '//').replace(/\?.*$/, '');
}
