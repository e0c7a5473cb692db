/** An event store that notes what is asked of it, and that a test can hold up, make fail, or overtake. */
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../src/event-sourcing/event-store.ts';

export interface AskedAppend {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

export interface AskedRead {
  readonly stream: string;
  readonly from: number | undefined;
  /** How many events it gave. */
  readonly given: number;
}

/** Stands in for an append; `proceed` is the store's own. */
export type AppendFault = (proceed: () => Promise<AppendResult>, asked: AskedAppend) => Promise<AppendResult>;

export class WatchedEventStore implements EventStore {
  readonly inner: EventStore;
  readonly appends: AskedAppend[] = [];
  readonly reads: AskedRead[] = [];
  onAppend: AppendFault | undefined;
  /** Called before a stream is read; may throw. */
  onRead: ((stream: string) => Promise<void>) | undefined;
  /** Passes batches on; may throw, or end the subscription. */
  onSubscribe:
    | ((
        batches: AsyncIterable<SubscriptionBatch>,
        signal: AbortSignal,
        options: SubscribeOptions,
      ) => AsyncIterable<SubscriptionBatch>)
    | undefined;
  subscriptions = 0;
  openSubscriptions = 0;

  constructor(inner: EventStore) {
    this.inner = inner;
  }

  get storeId(): string {
    return this.inner.storeId;
  }

  /** Forgets what was noted so far. */
  forget(): void {
    this.appends.length = 0;
    this.reads.length = 0;
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const asked = { stream, events, expected };
    this.appends.push(asked);
    const proceed = () => this.inner.append(stream, events, expected);
    return this.onAppend ? this.onAppend(proceed, asked) : proceed();
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    await this.onRead?.(stream);
    let given = 0;
    for await (const event of this.inner.readStream(stream, options)) {
      given += 1;
      yield event;
    }
    this.reads.push({ stream, from: options.from, given });
  }

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    return this.inner.readAll(options);
  }

  async *subscribeToAll(options: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
    this.subscriptions += 1;
    this.openSubscriptions += 1;
    try {
      const batches = this.inner.subscribeToAll(options);
      yield* this.onSubscribe ? this.onSubscribe(batches, options.signal, options) : batches;
    } finally {
      this.openSubscriptions -= 1;
    }
  }

  headPosition(): Promise<Position | undefined> {
    return this.inner.headPosition();
  }

  getStreamMetadata(stream: string): Promise<StreamMetadata> {
    return this.inner.getStreamMetadata(stream);
  }

  setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    return this.inner.setStreamMetadata(stream, metadata);
  }

  deleteStream(stream: string): Promise<void> {
    return this.inner.deleteStream(stream);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
