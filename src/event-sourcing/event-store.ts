/** The EventStore port: what the rest of the program may expect of any store of events. Every adapter passes `test/contract/event-store`. */

/** What every event carries beside its data. Times are RFC 3339 UTC, ids are UUIDs where the bank makes them. */
export interface EventMetadata {
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  /** Business time of the decision; the store's own `recordedAt` changes when a stream is imported, this does not. */
  readonly timestamp: string;
  readonly correlation_id: string;
  readonly causation_id: string;
  readonly actor?: string;
  /** Names the operation that the event belongs to; a second one of the same id is not done again. */
  readonly idempotency_key?: string;
  /** Hash of what that operation asked for. */
  readonly idempotency_hash?: string;
  /** The second name of that operation, where it has two, and the hash of what it stands for. */
  readonly idempotency_alias?: string;
  readonly idempotency_alias_hash?: string;
  readonly traceparent?: string;
}

/** Fields of the metadata that every event has, as texts. */
export const REQUIRED_METADATA = [
  'aggregate_type',
  'aggregate_id',
  'timestamp',
  'correlation_id',
  'causation_id',
] as const satisfies readonly (keyof EventMetadata)[];

/** An event on its way into a store. `data` is plain JSON. */
export interface NewEvent {
  /** UUID; appending the same ids again at the same expected revision answers as the first time. */
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: EventMetadata;
}

/** The type under which an event is handed on that cannot be read, so that nothing passes in silence. */
export const UNREADABLE_EVENT_TYPE = 'Unreadable';

/** Place of an event in the whole log: opaque, totally ordered, never reused. A string in JSON. */
export type Position = bigint;

/** An event as a store gives it back. `revision` counts from 0 within its stream. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  /** RFC 3339 UTC, the store's clock. */
  readonly recordedAt: string;
}

/** What the writer believes about the stream: its newest revision, that it is missing, that it exists, or nothing. */
export type ExpectedRevision = number | 'no_stream' | 'stream_exists' | 'any';

/** `revision` and `position` are those of the append's last event; a conflict names the stream's true state. */
export type AppendResult =
  | { readonly ok: true; readonly revision: number; readonly position: Position }
  | { readonly ok: false; readonly conflict: { readonly actual: number | 'no_stream' } };

export type ReadDirection = 'forwards' | 'backwards';

export interface ReadStreamOptions {
  readonly direction?: ReadDirection;
  /** First revision to give; default: the start forwards, the end backwards. */
  readonly from?: number;
  readonly limit?: number;
  /** Hands an event that cannot be read on, as one of `UNREADABLE_EVENT_TYPE` without data, and reads on behind it. */
  readonly unreadable?: 'handed_on';
}

export interface ReadAllOptions {
  readonly direction?: ReadDirection;
  /** First position to give; default: the start forwards, the end backwards. */
  readonly from?: Position;
  readonly limit?: number;
}

export interface SubscribeOptions {
  /** Exclusive start; nothing means from the first event. */
  readonly after?: Position;
  /** Only streams whose names begin with one of these; nothing means all. */
  readonly streamPrefixes?: readonly string[];
  /** Ends the subscription. */
  readonly signal: AbortSignal;
}

/** One step of a subscription. It may hold no event: then it only moves the position past filtered-out events. */
export interface SubscriptionBatch {
  readonly events: readonly RecordedEvent[];
  /** Everything up to here has been looked at, wanted or not. */
  readonly position: Position;
  /** Whether the log ended here when the batch was read. */
  readonly caughtUp: boolean;
}

/** `maxAge` is in seconds. What they cut off is no longer read from the stream. */
export interface StreamMetadata {
  readonly maxCount?: number;
  readonly maxAge?: number;
  /** The first revision to keep. */
  readonly truncateBefore?: number;
}

/** The reading half of a store; a projection worker has only this. */
export interface EventReader {
  /** Names this very store; a consistency token of another one is refused. */
  readonly storeId: string;
  /**
   * Reads one stream with back-pressure; a missing or deleted stream gives nothing.
   * @throws StoreError `corrupt` at an event that cannot be read, unless `unreadable` says otherwise
   */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /** Reads the whole log with back-pressure. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;
  /** Follows the log for ever: from the start to live without a gap or a duplicate, one batch at a time. */
  subscribeToAll(options: SubscribeOptions): AsyncIterable<SubscriptionBatch>;
  /** A position that no event so far lies behind; `undefined` while no event was ever appended. */
  headPosition(): Promise<Position | undefined>;
}

export interface EventStore extends EventReader {
  /**
   * Appends all events or none; acknowledged means durable.
   * @throws StoreError when the store could not do it; with stable event ids a retry is safe.
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  getStreamMetadata(stream: string): Promise<StreamMetadata>;
  setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void>;
  /** Empties a stream; it may be written again, and its revisions go on from where they were. */
  deleteStream(stream: string): Promise<void>;
  close(): Promise<void>;
}

/** One line of the stream browser. */
export interface StreamSummary {
  readonly stream: string;
  readonly firstRevision: number;
  readonly lastRevision: number;
  readonly lastRecordedAt: string;
}

/** What a store without a user interface of its own offers for browsing. Names come in byte order, after `after`. */
export interface StreamDirectory {
  /** @param options.except leaves streams out that begin so */
  listStreams(options: {
    prefix?: string;
    except?: string;
    after?: string;
    limit: number;
  }): Promise<StreamSummary[]>;
  /** @param except counts nothing of streams that begin so */
  countEvents(except?: string): Promise<number>;
}
