/** The ReadModelStore port: documents that projections keep and queries read. Every adapter passes `test/contract/read-model-store`. */
import type { Position } from './event-store.ts';

/** A read model's body: plain JSON; amounts are decimal strings. */
export type Document = Readonly<Record<string, unknown>>;

/** Where a projection keeps its documents. */
export interface Collection {
  readonly name: string;
  readonly version: number;
  /**
   * Which of several fillings that lie beside each other, counted from 1. Without it: the one that is served, whatever
   * its version; where none was ever promoted, the one filling that each version has then.
   */
  readonly build?: number;
  /** String fields of the document that `find` may ask for. */
  readonly indexes: readonly string[];
  /** Whether `find` may be asked for all documents; an index that nobody reads would slow every write. */
  readonly listed: boolean;
  /** What `rank` may be asked for. */
  readonly rankings?: readonly Ranking[];
  /**
   * The amounts of a document in minor units, under the names of its fields. A store whose documents people look at
   * keeps them beside the decimals, as 64-bit integers in `FIELD_minor`, so that they can be summed there.
   */
  minorUnits?(document: Document): MinorUnits;
}

/** An order of documents by a number of theirs, among those that share a text. Without the number, one is in no order. */
export interface Ranking {
  /** The field with the number, a whole one. It is the name of the ranking, too. */
  readonly by: string;
  /** The field with the text. */
  readonly within: string;
}

export interface MinorUnits {
  readonly [field: string]: bigint | MinorUnits;
}

export interface StoredDocument<D extends Document = Document> {
  readonly key: string;
  /** Position of the event that made the document; lists are ordered and paged by it. */
  readonly sequence: Position;
  /** Position of the last event folded into it; an older one never replaces it. */
  readonly position: Position;
  /** Missing when the very first event of the document could not be folded. */
  readonly document?: D;
  /** An event of this document is among the dead letters, so what is here is not the truth. */
  readonly blocked: boolean;
}

/** An event that a projection could not apply, kept until someone decides about it. */
export interface DeadLetter {
  readonly projection: string;
  /** The build that it was folded into; missing where there are none, and in answers. */
  readonly build?: number;
  readonly documentKey: string;
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly eventType: string;
  /** What went wrong, in the words of the error; later events of the same document wait with `waits_for_earlier`. */
  readonly cause: string;
  readonly attempts: number;
  readonly deadSince: string;
}

export interface Checkpoint {
  readonly projection: string;
  readonly version: number;
  /** As with collections; missing in answers. */
  readonly build?: number;
  readonly position: Position;
}

/** One filling of a projection's documents. */
export interface Build {
  readonly projection: string;
  /** Of the code that filled it. */
  readonly version: number;
  /** 0 for the filling that a version has without a build. */
  readonly build: number;
  /** Whether this one is served; at most one of each projection is. */
  readonly live: boolean;
  readonly position: Position;
}

export type DeadLetterId = Pick<DeadLetter, 'projection' | 'documentKey' | 'position' | 'build'>;

/** Who leads a piece of work. It is written by compare and swap, so two never lead by the same record. */
export interface LeaseRecord {
  readonly name: string;
  /** Empty after it was given back. */
  readonly holder: string;
  /** Raised whenever the holder changes: the fencing token. */
  readonly token: number;
  /** Raised by the holder every now and then; one that stands still tells of a dead holder. */
  readonly renewals: number;
}

/** Proves leadership to a store: checkpoints that a higher token has touched refuse a lower one. */
export interface Fence {
  readonly lease: string;
  readonly token: number;
}

/** One step of the projector: everything in it becomes visible together. */
export interface ReadModelChanges {
  readonly writes: readonly { readonly collection: Collection; readonly document: StoredDocument }[];
  readonly deadLetters: readonly DeadLetter[];
  /** They only ever move forwards: one that is behind the stored one changes nothing but the fence. */
  readonly checkpoints: readonly Checkpoint[];
  /** Dead letters that were dealt with and are no more. */
  readonly settled?: readonly DeadLetterId[];
  readonly fence?: Fence;
}

export interface FindOptions {
  /** Equality on indexed fields. */
  readonly where?: Readonly<Record<string, string>>;
  readonly order: 'oldest_first' | 'newest_first';
  /** Exclusive start: the `sequence` and `key` of the last document seen. */
  readonly after?: { readonly sequence: Position; readonly key: string };
  readonly limit: number;
}

export interface RankOptions {
  /** The number's field. */
  readonly by: string;
  /** The text that they share. */
  readonly within: string;
  readonly order: 'largest_first' | 'smallest_first';
  /** Exclusive start: the number and `key` of the last document seen. */
  readonly after?: { readonly value: number; readonly key: string };
  readonly limit: number;
}

export interface ReadModelReader {
  get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined>;
  /**
   * Several documents in one request, in any order and without those that are not there. A store that answers from this
   * process has none: there, asking for one at a time costs nothing more.
   */
  getMany?(collection: Collection, keys: readonly string[]): Promise<StoredDocument[]>;
  find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]>;
  /** Documents of one ranking; those with the same number go by key, in the same direction. */
  rank<D extends Document>(collection: Collection, options: RankOptions): Promise<StoredDocument<D>[]>;
  /** How far that has come which is served. */
  checkpoints(): Promise<Checkpoint[]>;
  /** Every filling that has a checkpoint or is served. */
  builds(): Promise<Build[]>;
  /** Those of what is served. */
  countDeadLetters(): Promise<number>;
  /** Those of what is served, oldest first; or those of one build. */
  listDeadLetters(options: DeadLetterFilter): Promise<DeadLetter[]>;
  listLeases(): Promise<LeaseRecord[]>;
}

export interface DeadLetterFilter {
  readonly projection?: string;
  readonly documentKey?: string;
  readonly build?: number;
  /** Exclusive start: the last one seen. */
  readonly after?: Pick<DeadLetter, 'projection' | 'documentKey' | 'position'>;
  readonly limit: number;
}

export interface ReadModelStore extends ReadModelReader {
  /**
   * Creates what is missing: collections, indexes, checkpoints. Safe to repeat.
   * Documents that were filled from another event store than `sourceStoreId` are dropped: they describe other events.
   * @param mayReplace whether they may; an event store that is empty beside full read models was probably lost
   * @throws StoreError `corrupt` when they would have to be dropped but may not
   */
  prepare(collections: readonly Collection[], sourceStoreId: string, mayReplace?: boolean): Promise<void>;
  /**
   * A document is replaced only where its stored position is smaller. Applies all of it or nothing; a store without
   * transactions writes the checkpoints last, so that what a broken commit left out is done again.
   * @throws StoreError when the store could not do it; repeating it is safe. `fenced` when a checkpoint was already
   * touched with a higher token: then none of them has moved.
   */
  commit(changes: ReadModelChanges): Promise<void>;
  /**
   * Compare and swap of a lease: `after` replaces it only where `before` is what is stored; `undefined` is no record.
   * @returns whether it did
   */
  swapLease(before: LeaseRecord | undefined, after: LeaseRecord | undefined): Promise<boolean>;
  /** Forgets a collection's documents, dead letters and checkpoint, so that it is filled anew. */
  clear(collection: Collection): Promise<void>;
  /**
   * Serves these builds from now on instead of those of the same projections that were served before. Readers see the
   * one or the other, never a mixture within a collection; repeating it is safe.
   * @throws StoreError `fenced` when one of the checkpoints was already touched with a higher token
   */
  promote(builds: readonly Collection[], fence?: Fence): Promise<void>;
  /** Removes builds that are not served, with all that belongs to them. What is not there is no error. */
  drop(builds: readonly Collection[]): Promise<void>;
  close(): Promise<void>;
}
