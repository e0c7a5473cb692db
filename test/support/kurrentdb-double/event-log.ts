/** The transaction log of the double: every record of every stream in commit order, at positions like the server's. */
import type { Journal } from './journal.ts';

/** An event as a writer hands it in. */
export interface ProposedEvent {
  /** UUID, lower case. */
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** A record of the log. `position` is where it begins, `end` where the next one begins; both count bytes. */
export interface EventRecord extends ProposedEvent {
  readonly stream: string;
  /** Counts from 0 in its stream; a tombstone has `DELETED_STREAM`. */
  readonly revision: number;
  readonly position: number;
  readonly end: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

// Server: src/EventStore.Core/Data/EventNumber.cs, ExpectedVersion.cs
export const NO_STREAM = -1;
export const ANY = -2;
export const STREAM_EXISTS = -4;
/** Stands for the server's `long.MaxValue`, which a JavaScript number cannot hold. */
export const DELETED_STREAM = Number.MAX_SAFE_INTEGER;

export const METADATA_TYPE = '$metadata';
export const STREAM_DELETED_TYPE = '$streamDeleted';
export const LINK_TYPE = '$>';

/** What a write leaves in the log, before it has its place there. */
export interface Transaction {
  readonly stream: string;
  /** The revision of its first event; the others follow. */
  readonly firstRevision: number;
  readonly events: readonly ProposedEvent[];
  readonly created: number;
}

const FIXED_RECORD_BYTES = 106;

/**
 * Bytes that a record takes on disk, so that positions grow by gaps as irregular as the server's.
 * Server: src/EventStore.Core/TransactionLog/LogRecords/PrepareLogRecord.cs (WriteTo), with eight bytes of length around it.
 */
function sizeOf(stream: string, event: ProposedEvent): number {
  return (
    FIXED_RECORD_BYTES +
    Buffer.byteLength(stream) +
    Buffer.byteLength(event.type) +
    event.data.length +
    event.metadata.length
  );
}

/** Only what is committed is in here; whoever writes has checked it before. */
export class EventLog {
  readonly records: EventRecord[] = [];
  readonly #streams = new Map<string, EventRecord[]>();
  readonly #followers = new Set<(record: EventRecord) => void>();
  readonly #journal: Journal | undefined;
  readonly #announcements: EventRecord[] = [];
  /** Where records began that are gone: the server maps such positions to what stands behind them. */
  readonly #scavenged = new Set<number>();
  #isAnnouncing = false;

  constructor(journal?: Journal) {
    this.#journal = journal;
    for (const transaction of journal?.load() ?? []) this.#insert(transaction);
  }

  /** Where the next record will begin. */
  get writerPosition(): number {
    return this.records.at(-1)?.end ?? 0;
  }

  /** Where the last record begins; -1 while there is none. */
  get lastIndexedPosition(): number {
    return this.records.at(-1)?.position ?? -1;
  }

  /** The records of a stream by revision, whatever its metadata hides. */
  recordsOf(stream: string): readonly EventRecord[] {
    return this.#streams.get(stream) ?? [];
  }

  /**
   * The newest revision of a stream; a metastream is deleted when its stream is.
   * Server: src/EventStore.Core/Services/Storage/ReaderIndex/IndexReader.cs (GetStreamLastEventNumberCached)
   */
  lastRevision(stream: string): number {
    if (stream.startsWith('$$') && this.lastRevision(stream.slice(2)) === DELETED_STREAM)
      return DELETED_STREAM;
    return this.recordsOf(stream).at(-1)?.revision ?? NO_STREAM;
  }

  /** Index in `records` of the first record that begins at or after a position. */
  indexAt(position: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.records[middle] as EventRecord).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a record begins here, or the log ends here. */
  isBoundary(position: number): boolean {
    if (position === this.writerPosition || this.#scavenged.has(position)) return true;
    return this.records[this.indexAt(position)]?.position === position;
  }

  /**
   * Takes records out of the log for good; a process that is started again has them back.
   * Server: src/EventStore.Core/TransactionLog/Scavenging
   */
  scavenge(isGone: (record: EventRecord) => boolean): number {
    const kept = this.records.filter((record) => {
      if (!isGone(record)) return true;
      this.#scavenged.add(record.position);
      return false;
    });
    const removed = this.records.length - kept.length;
    // In place: readers hold the array.
    this.records.splice(0, this.records.length, ...kept);
    return removed;
  }

  /** Journals and appends, then tells the followers, who may append in their turn and still hear of all in order. */
  append(transaction: Transaction): EventRecord[] {
    this.#journal?.write(transaction);
    const added = this.#insert(transaction);
    this.#announcements.push(...added);
    if (!this.#isAnnouncing) this.#announce();
    return added;
  }

  /** Hears of every record from now on. @returns how to stop */
  follow(follower: (record: EventRecord) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #announce(): void {
    this.#isAnnouncing = true;
    for (
      let record = this.#announcements.shift();
      record !== undefined;
      record = this.#announcements.shift()
    ) {
      for (const follower of [...this.#followers]) follower(record);
    }
    this.#isAnnouncing = false;
  }

  #insert({ stream, firstRevision, events, created }: Transaction): EventRecord[] {
    const ofStream = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, ofStream);
    return events.map((event, offset) => {
      const position = this.writerPosition;
      const record: EventRecord = {
        ...event,
        stream,
        revision: firstRevision === DELETED_STREAM ? DELETED_STREAM : firstRevision + offset,
        position,
        end: position + sizeOf(stream, event),
        created,
      };
      this.records.push(record);
      ofStream.push(record);
      return record;
    });
  }
}
