/** The ReadModelStore port: documents that projections keep and queries read. Every adapter passes `test/contract/read-model-store`. */
import type { Position } from './event-store.ts';

/** A read model's body: plain JSON; amounts are decimal strings. */
export type Document = Readonly<Record<string, unknown>>;

/** Where a projection keeps its documents. A new version is a new collection, filled from the first event. */
export interface Collection {
  readonly name: string;
  readonly version: number;
  /** String fields of the document that `find` may ask for. */
  readonly indexes: readonly string[];
  /** Whether `find` may be asked for all documents; an index that nobody reads would slow every write. */
  readonly listed: boolean;
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
  readonly position: Position;
}

/** One step of the projector: everything in it becomes visible together. */
export interface ReadModelChanges {
  readonly writes: readonly { readonly collection: Collection; readonly document: StoredDocument }[];
  readonly deadLetters: readonly DeadLetter[];
  readonly checkpoints: readonly Checkpoint[];
}

export interface FindOptions {
  /** Equality on indexed fields. */
  readonly where?: Readonly<Record<string, string>>;
  readonly order: 'oldest_first' | 'newest_first';
  /** Exclusive start: the `sequence` and `key` of the last document seen. */
  readonly after?: { readonly sequence: Position; readonly key: string };
  readonly limit: number;
}

export interface ReadModelReader {
  get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined>;
  find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]>;
  checkpoints(): Promise<Checkpoint[]>;
  countDeadLetters(): Promise<number>;
  listDeadLetters(options: { projection?: string; limit: number }): Promise<DeadLetter[]>;
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
   * Applies all of it or nothing; a document is replaced only where its stored position is smaller.
   * @throws StoreError when the store could not do it; repeating it is safe.
   */
  commit(changes: ReadModelChanges): Promise<void>;
  /** Forgets a collection's documents, dead letters and checkpoint, so that it is filled anew. */
  clear(collection: Collection): Promise<void>;
  close(): Promise<void>;
}
