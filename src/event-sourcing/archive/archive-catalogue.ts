/**
 * The catalogue of the archive: a stream of the store itself, so that every process sees the same volumes. A volume is
 * entered before the first of its events is cut off, so whoever misses an event in the store finds it here.
 */
import type { EventReader, EventStore, NewEvent, Position, RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import type { ArchiveStorage, ArchiveVolume, VolumeRecord } from './archive-storage.ts';

/** Streams that begin so are the archive's own, and in no export: what is in the archive is exported with the rest. */
export const ARCHIVE_STREAM_PREFIX = 'archive-';
const CATALOGUE_STREAM = `${ARCHIVE_STREAM_PREFIX}catalogue`;

const RECORDED = 'ArchiveVolumeRecordedV1';
const CUT = 'ArchiveVolumeCutV1';

/** A volume of the catalogue. */
export interface CataloguedVolume {
  readonly record: VolumeRecord;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  /** Whether all of its events have been cut off from the store. */
  readonly cut: boolean;
  /** @throws StoreError `archive_damaged` when it is not there as it was recorded */
  open(): Promise<ArchiveVolume>;
}

/** Who puts a volume on record, and when. */
export interface CatalogueWriting {
  readonly store: Pick<EventStore, 'append'>;
  readonly newId: () => string;
  readonly now: () => Date;
}

interface Entry extends CataloguedVolume {
  cut: boolean;
  opened?: Promise<ArchiveVolume>;
}

export class ArchiveCatalogue {
  readonly #live: Pick<EventReader, 'readStream'>;
  readonly #storage: Pick<ArchiveStorage, 'open'>;
  readonly #entries: Entry[] = [];
  /** Were opened, and are others by now; rarely any. */
  readonly #replaced: ArchiveVolume[] = [];
  /** Of the newest entry that was read. */
  #revision = -1;
  #refreshing: Promise<void> | undefined;

  constructor(live: Pick<EventReader, 'readStream'>, storage: Pick<ArchiveStorage, 'open'>) {
    this.#live = live;
    this.#storage = storage;
  }

  /** In the order in which they were recorded, as of the last refresh. */
  get volumes(): readonly CataloguedVolume[] {
    return this.#entries;
  }

  /**
   * Reads what is new. What begins to be read after the call has begun is seen: a look that is under way is not enough.
   * @throws StoreError when the store cannot be read, or `corrupt` when an entry is none
   */
  async refresh(): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
    const refreshing = this.#readOn();
    this.#refreshing = refreshing;
    await refreshing;
  }

  /** @throws StoreError `busy` when somebody else has recorded a volume meanwhile */
  async record(record: VolumeRecord, writing: CatalogueWriting): Promise<void> {
    await this.#append(RECORDED, record, writing);
  }

  /** @throws StoreError `busy` when somebody else has written to the catalogue meanwhile */
  async recordCut(volume: string, writing: CatalogueWriting): Promise<void> {
    await this.#append(CUT, { volume }, writing);
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    const opened = this.#entries.flatMap((entry) => entry.opened ?? []);
    for (const one of await Promise.allSettled(opened)) if (one.status === 'fulfilled') one.value.close();
    for (const one of this.#replaced.splice(0)) one.close();
  }

  async #append(type: string, data: object, { store, newId, now }: CatalogueWriting): Promise<void> {
    const id = newId();
    const metadata = {
      aggregate_type: 'Archive',
      aggregate_id: CATALOGUE_STREAM,
      timestamp: now().toISOString(),
      correlation_id: id,
      causation_id: id,
    };
    const event: NewEvent = { id, type, data, metadata };
    const expected = this.#revision < 0 ? 'no_stream' : this.#revision;
    const result = await store.append(CATALOGUE_STREAM, [event], expected);
    if (!result.ok) throw new StoreError('busy', 'Another process writes to the archive.');
    await this.refresh();
  }

  async #readOn(): Promise<void> {
    for await (const event of this.#live.readStream(CATALOGUE_STREAM, { from: this.#revision + 1 })) {
      // Two looks may overlap; the second one brings nothing new.
      if (event.revision <= this.#revision) continue;
      this.#note(event);
      this.#revision = event.revision;
    }
  }

  #note(event: RecordedEvent): void {
    const record = event.data as VolumeRecord;
    const known = this.#entries.find((entry) => entry.record.volume === record.volume);
    if (event.type === CUT && known) {
      known.cut = true;
      return;
    }
    if (event.type !== RECORDED || typeof record.volume !== 'string' || known) {
      const place = `revision ${event.revision} of ${event.stream}`;
      throw new StoreError('corrupt', `The archive's catalogue cannot be read: ${place} is no entry of it.`);
    }
    const entry: Entry = {
      record,
      firstPosition: BigInt(record.first_position),
      lastPosition: BigInt(record.last_position),
      cut: false,
      open: () => this.#open(entry),
    };
    this.#entries.push(entry);
  }

  /**
   * What could not be opened is tried again the next time: somebody may have put it back. What has changed since it was
   * opened is looked at anew, as if it had never been.
   */
  async #open(entry: Entry): Promise<ArchiveVolume> {
    const before = entry.opened;
    const known = await before;
    if (known?.isAsOpened()) return known;
    if (entry.opened === before) {
      delete entry.opened;
      // Somebody may be reading it.
      if (known) this.#replaced.push(known);
    }
    entry.opened ??= this.#storage.open(entry.record).catch((error: unknown) => {
      delete entry.opened;
      throw error;
    });
    return entry.opened;
  }
}
