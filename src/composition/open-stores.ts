/** Opens the stores that the configuration names. Drivers are loaded only where they are used: they are large. */
import { join } from 'node:path';
import { fileArchive } from '../adapters/files/archive/file-archive.ts';
import { checkpointInBackground } from '../adapters/sqlite/database.ts';
import { openSqliteEventReader, openSqliteEventStore } from '../adapters/sqlite/event-store.ts';
import { openSqliteReadModelReader } from '../adapters/sqlite/read-model-cache.ts';
import { openSqliteReadModelStore } from '../adapters/sqlite/read-model-store.ts';
import type { Config, EventStoreLocation, ReadModelLocation } from '../config.ts';
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import { ArchiveCatalogue } from '../event-sourcing/archive/archive-catalogue.ts';
import type { ArchiveStorage } from '../event-sourcing/archive/archive-storage.ts';
import { ArchivedEventReader, type LiveReader } from '../event-sourcing/archive/archived-event-reader.ts';
import { ArchivedEventStore } from '../event-sourcing/archive/archived-event-store.ts';
import type { ConsumerGroups } from '../event-sourcing/consumer-groups.ts';
import type { EventStore, StreamDirectory } from '../event-sourcing/event-store.ts';
import type { ReadModelReader, ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { Signal } from '../event-sourcing/signal.ts';
import { StoreError } from '../event-sourcing/store-error.ts';

/** A store that another thread can open too. */
export type PersistentEventStoreLocation = Exclude<EventStoreLocation, { kind: 'memory' }>;
export type PersistentReadModelLocation = Exclude<ReadModelLocation, { kind: 'memory' }>;

/** How often the embedded store's write-ahead log is moved into its database, on the thread that reads. */
const CHECKPOINT_INTERVAL_MS = 500;

/** Where the events are: those that were cut off from the store lie in the archive. */
export type EventLocations = Pick<Config, 'eventStore' | 'archiveDir'>;
export type PersistentEventLocations = EventLocations & { readonly eventStore: PersistentEventStoreLocation };

export interface OpenedEventStore {
  /** Reads through the archive. */
  readonly events: EventStore;
  /** The store without its archive. */
  readonly live: EventStore;
  readonly archive: OpenedArchive;
  readonly groups: ConsumerGroups;
  /** Missing where the server has a stream browser of its own. */
  readonly streams?: StreamDirectory;
  /** Fires after appends of this process, where another thread has to be told of them. */
  readonly appended: Signal;
}

export interface OpenedArchive {
  readonly catalogue: ArchiveCatalogue;
  /** Missing where no directory was named. */
  readonly storage?: ArchiveStorage;
}

/** @throws StoreError when it cannot be opened */
export async function openEventStore({ eventStore, archiveDir }: EventLocations): Promise<OpenedEventStore> {
  if (eventStore.kind === 'kurrentdb') {
    const { openKurrentDbEventStore } = await import('../adapters/kurrentdb/event-store.ts');
    const live = await openKurrentDbEventStore(eventStore.url);
    return { ...withArchive(live, archiveDir), groups: live.consumerGroups, appended: new Signal() };
  }
  const live = openSqliteEventStore(eventStore);
  return {
    ...withArchive(live, archiveDir),
    groups: live.consumerGroups(),
    streams: live,
    appended: live.appended,
  };
}

function withArchive(live: EventStore, archiveDir: string | undefined) {
  const { catalogue, storage } = archiveOf(live, archiveDir);
  const events = new ArchivedEventStore(live, catalogue, BANK_ACCOUNT_STREAM_PREFIX);
  return { events, live, archive: { catalogue, ...(storage && { storage }) } };
}

/** Each store has an archive of its own, so that several may share a directory. */
function archiveOf(live: LiveReader, archiveDir: string | undefined) {
  const storage = archiveDir === undefined ? undefined : fileArchive(join(archiveDir, live.storeId));
  return { catalogue: new ArchiveCatalogue(live, storage ?? noDirectory), storage };
}

/** An archive that this process was not told of must not be passed over in silence. */
const noDirectory: Pick<ArchiveStorage, 'open'> = {
  async open() {
    throw new StoreError(
      'archive_damaged',
      'Events are in an archive, and OPENBANK_ARCHIVE_DIR does not name it.',
    );
  },
};

export interface OpenedEventReader {
  /** Reads through the archive. */
  readonly reader: LiveReader;
  /** The store alone. */
  readonly live: LiveReader;
  readonly archive: OpenedArchive;
  /** There may be new events: where the store does not say so by itself, the subscriptions look now. */
  notify(): void;
  close(): Promise<void>;
}

/** A reader beside the store's writer, for another thread or process. @throws StoreError when it cannot be opened */
export async function openEventReader(locations: PersistentEventLocations): Promise<OpenedEventReader> {
  const { eventStore, archiveDir } = locations;
  if (eventStore.kind === 'kurrentdb') {
    const { openKurrentDbEventStore } = await import('../adapters/kurrentdb/event-store.ts');
    const live = await openKurrentDbEventStore(eventStore.url);
    const reading = readThroughArchive(live, archiveDir);
    const close = async () => {
      await live.close();
      await reading.archive.catalogue.close();
    };
    return { ...reading, notify() {}, close };
  }
  const { reader: live, close } = openSqliteEventReader(eventStore.path);
  const endCheckpoints = checkpointInBackground(eventStore.path, CHECKPOINT_INTERVAL_MS);
  const reading = readThroughArchive(live, archiveDir);
  return {
    ...reading,
    notify: () => live.appended.notify(),
    async close() {
      endCheckpoints();
      close();
      await reading.archive.catalogue.close();
    },
  };
}

/** What a reader of the store alone becomes together with the archive. */
export function readThroughArchive(live: LiveReader, archiveDir: string | undefined) {
  const { catalogue, storage } = archiveOf(live, archiveDir);
  const reader = new ArchivedEventReader(live, catalogue, BANK_ACCOUNT_STREAM_PREFIX);
  return { reader, live, archive: { catalogue, ...(storage && { storage }) } };
}

/** @throws StoreError when it cannot be opened */
export async function openReadModelStore(location: ReadModelLocation): Promise<ReadModelStore> {
  if (location.kind !== 'mongodb') return openSqliteReadModelStore(location);
  const { openMongoReadModelStore } = await import('../adapters/mongodb/read-model-store.ts');
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
