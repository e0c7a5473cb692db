/** The ArchiveStorage port: where events lie that were cut off from the store, in volumes that are written once. */
import type { Position, ReadDirection, RecordedEvent } from '../event-store.ts';
import type { Exported } from '../segments/segment-writer.ts';

/** What is known of a volume without opening it; whoever opens it holds it against this. */
export interface VolumeRecord {
  /** Its name in the storage. */
  readonly volume: string;
  /** When it was written, RFC 3339 UTC. */
  readonly created_at: string;
  readonly events: number;
  readonly streams: number;
  readonly segments: number;
  /** Of all its files. */
  readonly bytes: number;
  /** Of its first and last event; decimal strings. */
  readonly first_position: string;
  readonly last_position: string;
  /** Of all its events, see `EventDigest`. */
  readonly digest: string;
  /** SHA-256 of its index, in hex. */
  readonly index_sha256: string;
}

/** The piece of a stream that a volume holds: the revisions from `first` on that come before `cutBefore`. */
export interface ArchivedPiece {
  readonly stream: string;
  readonly first: number;
  readonly cutBefore: number;
}

/** All that it throws is a StoreError, `archive_damaged` when its files are not what was written. */
export interface ArchiveVolume {
  /** Whether what it was opened from is still the very same; a look that takes microseconds. */
  isAsOpened(): boolean;
  pieceOf(stream: string): ArchivedPiece | undefined;
  /** All pieces. */
  pieces(): AsyncIterable<ArchivedPiece>;
  /** The events of a stream with revisions from `first` up to `last`, both among them. */
  readStream(
    stream: string,
    range: { readonly first: number; readonly last: number; readonly direction: ReadDirection },
  ): AsyncIterable<RecordedEvent>;
  /** In the order of the log, from a position on; that one is among them. */
  readAll(options: {
    readonly from: Position;
    readonly direction: ReadDirection;
  }): AsyncIterable<RecordedEvent>;
  close(): void;
}

export interface ArchiveStorage {
  /** For messages. */
  readonly name: string;
  /**
   * Opens a volume for reading.
   * @throws StoreError `archive_damaged` when it is missing, or not the one that was recorded
   */
  open(record: VolumeRecord): Promise<ArchiveVolume>;
  /**
   * Takes the storage for one writer, and removes volumes that are not whole. Whole ones stay, also those that the
   * catalogue does not know: it may be that of a copy of the store.
   * @throws StoreError `in_use`, or `unavailable`
   */
  openForWriting(): Promise<ArchiveWriter>;
  /**
   * Reads all of a volume, every byte of it.
   * @throws StoreError `archive_damaged`, naming the file, for whatever is not as it was written
   */
  check(record: VolumeRecord): Promise<void>;
}

export interface ArchiveWriter {
  /**
   * Writes a volume: durable when the promise resolves, and not there at all otherwise.
   * @param storeId names the store that the events come from
   * @throws StoreError `disk_full` or `unavailable`, or whatever `events` throws
   */
  write(volume: string, storeId: string, events: AsyncGenerator<Exported>): Promise<VolumeRecord>;
  /** Takes a volume away that was not recorded. */
  discard(volume: string): Promise<void>;
  close(): Promise<void>;
}
