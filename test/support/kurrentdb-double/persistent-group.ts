/**
 * One persistent subscription: what it has read, what is in whose hands, and how far its checkpoint is.
 * Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscription.cs, whose checkpoints do not look at
 * messages that wait to be pushed: while nobody consumes, records that the filter leaves out move the checkpoint past them.
 */
import { compare, InvalidPosition, type LogPosition } from './all-reader.ts';
import type { EventRecord } from './event-log.ts';
import { originalOf, resolve } from './links.ts';
import { GroupCheckpoints, type Progress } from './persistent-checkpoints.ts';
import { Consumer, type ConsumerSink, Consumers } from './persistent-consumers.ts';
import {
  idOf,
  type Message,
  newMessage,
  OutstandingMessages,
  replayedMessage,
  StreamBuffer,
} from './persistent-messages.ts';
import type { GroupDefinition } from './persistent-settings.ts';
import { type EventSource, toEventSource } from './persistent-source.ts';
import { CheckpointStream, ParkedStream } from './persistent-streams.ts';
import type { Store } from './store.ts';
import { readStreamForwards } from './stream-reader.ts';

export type NackAction = 'unknown' | 'park' | 'retry' | 'skip' | 'stop';

// Server: PersistentSubscriptionStreamReader.cs (BeginReadEventsInternal, GetBatchSize)
const LEAST_READ = 10;
const DEFAULT_READ = 20;
const MOST_READ = 500;

const LOG_START: LogPosition = { commit: 0, prepare: 0 };

export class PersistentGroup {
  readonly definition: GroupDefinition;
  readonly key: string;
  readonly source: EventSource;
  readonly consumers: Consumers;
  readonly outstanding = new OutstandingMessages();
  readonly parked: ParkedStream;
  readonly buffer: StreamBuffer;
  totalItems = 0;
  lastKnownPosition: LogPosition | undefined;
  readonly #store: Store;
  readonly #checkpoints: GroupCheckpoints;
  #isReading = false;
  #isOver = false;
  #skipsFirst = false;
  #nextToRead: LogPosition;
  #nextSequence = 0;
  /** The newest message that was pushed, or record that was skipped. */
  #lastPushed: { sequence: number; position: LogPosition | undefined } = {
    sequence: -1,
    position: undefined,
  };

  /** @throws Error for buffers that the server refuses */
  constructor(store: Store, definition: GroupDefinition) {
    const { settings } = definition;
    if (settings.readBatchSize >= settings.bufferSize) {
      throw new Error('ReadBatchSize may not be greater than or equal to BufferSize');
    }
    this.definition = definition;
    this.key = keyOf(definition);
    this.source = toEventSource(definition);
    this.consumers = new Consumers(settings.strategy);
    this.#store = store;
    this.#checkpoints = new GroupCheckpoints(new CheckpointStream(store, this.key), this.source, settings);
    this.parked = new ParkedStream(store, this.key);
    const checkpoint = this.#checkpoints.load();
    const isLive = settings.startFrom.commit < 0;
    if (checkpoint === undefined) {
      this.#nextToRead = isLive ? LOG_START : settings.startFrom;
      this.buffer = new StreamBuffer(settings.bufferSize, settings.liveBufferSize, undefined, !isLive);
    } else {
      this.#nextToRead = checkpoint;
      this.#skipsFirst = true;
      this.#nextSequence = 1;
      this.#lastPushed = { sequence: 0, position: checkpoint };
      this.buffer = new StreamBuffer(settings.bufferSize, settings.liveBufferSize, checkpoint, true);
      this.parked.loadCount();
    }
    this.#readMore();
  }

  get status(): string {
    return this.buffer.isLive ? 'Live' : 'Behind';
  }

  get lastCheckpoint(): LogPosition | undefined {
    return this.#checkpoints.last;
  }

  get hasMostConsumers(): boolean {
    const { maxSubscriberCount } = this.definition.settings;
    return maxSubscriberCount !== 0 && this.consumers.all.length >= maxSubscriberCount;
  }

  connect(name: string, slots: number, sink: ConsumerSink): Consumer {
    const consumer = new Consumer(name, slots, sink);
    this.consumers.add(consumer);
    this.#push();
    return consumer;
  }

  /** What the consumer had is retried; that counts, but parks nothing. (RemoveClientByCorrelationId) */
  disconnect(consumer: Consumer): void {
    if (!this.consumers.remove(consumer)) return;
    const lost = [...consumer.unconfirmed.values()].sort(
      (a, b) => originalOf(a.resolved).revision - originalOf(b.resolved).revision,
    );
    for (const message of lost) this.#retry(message);
    this.#push();
  }

  /** A record was committed. (NotifyLiveSubscriptionMessage) */
  notify(record: EventRecord): void {
    if (this.#isOver || !this.source.includes(record)) return;
    const position = this.source.positionOf(record);
    if (compare(position, this.definition.settings.startFrom) < 0) return;
    if (!this.source.wants(record)) {
      this.#skip(position, 1);
      return;
    }
    this.#noteKnown(position);
    const wasLive = this.buffer.isLive;
    const resolved = resolve(this.#store.log, record, this.definition.settings.resolveLinks);
    this.buffer.addLive(newMessage(resolved, position));
    if (wasLive && !this.buffer.isLive) this.#nextToRead = position;
    this.#push();
  }

  ack(ids: readonly string[]): void {
    this.#finish(ids);
  }

  nack(action: NackAction, reason: string, ids: readonly string[]): void {
    for (const id of ids) {
      const message = this.outstanding.get(id);
      if (message === undefined) continue;
      if (action === 'park') this.#park(message, `Client explicitly NAK'ed message.\n${reason}`);
      if ((action === 'retry' || action === 'unknown') && !this.#parkExhausted(message)) this.#retry(message);
    }
    this.#finish(ids);
  }

  /** Once a second. (NotifyClockTick) */
  tick(now: number): void {
    if (this.#isOver) return;
    for (const message of this.outstanding.takeExpired(now)) {
      if (!this.#parkExhausted(message)) this.#retry(message);
    }
    this.#push();
    this.#markCheckpoint(true);
    this.#readMore();
  }

  /** Delivers parked messages again, those before revision `stopAt` only. (RetryParkedMessages) */
  replayParked(stopAt: number | undefined): void {
    const last = this.parked.lastRevision();
    if (last === undefined) return;
    const stop = Math.min(stopAt ?? last + 1, last + 1);
    const page = readStreamForwards(this.#store.log, this.parked.name, 0, Number.POSITIVE_INFINITY);
    for (const link of page.result === 'success' ? page.records : []) {
      const resolved = resolve(this.#store.log, link, true);
      if (link.revision < stop && resolved.event !== undefined)
        this.buffer.addRetry(replayedMessage(resolved));
    }
    this.#push();
    this.parked.truncate(stop);
  }

  /** No more messages; its consumers are dropped. */
  shutDown(): void {
    this.#isOver = true;
    for (const consumer of [...this.consumers.all]) {
      this.consumers.remove(consumer);
      consumer.drop();
    }
  }

  deleteStreams(): void {
    this.#checkpoints.delete();
    this.parked.delete();
  }

  #finish(ids: readonly string[]): void {
    for (const id of ids) this.#release(id);
    this.#markCheckpoint(false);
    this.#readMore();
    this.#push();
  }

  #release(id: string): void {
    this.consumers.confirm(id);
    this.outstanding.remove(id);
  }

  #retry(message: Message): void {
    this.#release(idOf(message));
    this.buffer.addRetry({ ...message, retryCount: message.retryCount + 1 });
  }

  /** @returns whether the message had been retried often enough, and was parked */
  #parkExhausted(message: Message): boolean {
    const { maxRetryCount } = this.definition.settings;
    if (message.retryCount < maxRetryCount) return false;
    this.#park(message, `Reached retry count of ${maxRetryCount}`);
    return true;
  }

  #park(message: Message, reason: string): void {
    this.parked.park(message.resolved, reason);
    this.#release(idOf(message));
  }

  // (TryPushingMessagesToClients)
  #push(): void {
    for (const list of [this.buffer.retry, this.buffer.read]) {
      for (let index = 0; index < list.length; ) {
        const waiting = list[index] as Message;
        const message = this.#withSequence(waiting);
        const result = this.consumers.push(message);
        if (result === 'no_capacity') return;
        if (result === 'skipped') index++;
        else {
          list.splice(index, 1);
          this.#noteSent(message, message !== waiting);
        }
      }
    }
  }

  #withSequence(message: Message): Message {
    if (message.isReplayed || message.sequence !== undefined) return message;
    return { ...message, sequence: this.#nextSequence, previous: this.#lastPushed.position };
  }

  #noteSent(message: Message, hasNewSequence: boolean): void {
    if (hasNewSequence) this.#nextSequence++;
    this.totalItems++;
    if (message.sequence !== undefined && message.sequence > this.#lastPushed.sequence) {
      this.#lastPushed = { sequence: message.sequence, position: message.position };
    }
    this.outstanding.start(message, Date.now() + this.definition.settings.messageTimeoutMs);
  }

  // (HandleSkippedEvents)
  #skip(position: LogPosition, count: number): void {
    this.#nextSequence += count;
    this.#lastPushed = { sequence: this.#nextSequence - 1, position };
    this.#markCheckpoint(false);
  }

  #noteKnown(position: LogPosition): void {
    if (this.lastKnownPosition === undefined || compare(this.lastKnownPosition, position) < 0) {
      this.lastKnownPosition = position;
    }
  }

  // (TryReadingNewBatch) The server reads elsewhere and hears of it later, so does this.
  #readMore(): void {
    const { readBatchSize } = this.definition.settings;
    if (this.#isReading || this.#isOver || this.buffer.isLive || !this.buffer.canAccept(readBatchSize))
      return;
    this.#isReading = true;
    setImmediate(() => this.#readPage());
  }

  #readPage(): void {
    this.#isReading = false;
    if (this.#isOver || this.buffer.isLive) return;
    const { readBatchSize, maxCheckpointCount } = this.definition.settings;
    const batch = Math.min(readBatchSize === 0 ? DEFAULT_READ : readBatchSize, MOST_READ);
    const count = Math.min(Math.max(readBatchSize, LEAST_READ), batch);
    const page = this.#read(count, Math.max(batch, maxCheckpointCount));
    if (page === undefined) return;
    if (page.skipped > 0) this.#skip(page.current, page.skipped);
    const records = this.#skipsFirst ? page.records.slice(1) : page.records;
    this.#skipsFirst = false;
    for (const record of records) {
      const resolved = resolve(this.#store.log, record, this.definition.settings.resolveLinks);
      this.buffer.addRead(newMessage(resolved, this.source.positionOf(record)));
      this.#noteKnown(this.source.positionOf(record));
    }
    if (page.isEnd && this.buffer.tryMoveToLive()) {
      this.#push();
      return;
    }
    this.#nextToRead = page.next;
    this.#readMore();
    this.#push();
  }

  // (HandleReadError) A group that cannot be read drops its consumers.
  #read(count: number, searchWindow: number): ReturnType<EventSource['read']> | undefined {
    try {
      return this.source.read(this.#store.log, this.#nextToRead, count, searchWindow);
    } catch (error) {
      if (!(error instanceof InvalidPosition)) throw error;
      this.shutDown();
      return undefined;
    }
  }

  #markCheckpoint(isTimeCheck: boolean): void {
    this.#checkpoints.mark(this.#safeToForget(), isTimeCheck);
  }

  /** What lies before the oldest unfinished message, or everything that was pushed or skipped. */
  #safeToForget(): Progress {
    const candidates = [this.outstanding.lowest(), this.buffer.lowestRetry()];
    let oldest: Message | undefined;
    for (const message of candidates) {
      if (message?.sequence === undefined) continue;
      if (oldest?.sequence === undefined || message.sequence < oldest.sequence) oldest = message;
    }
    if (oldest?.sequence === undefined) return this.#lastPushed;
    return { sequence: oldest.sequence - 1, position: oldest.previous };
  }
}

/** Server: PersistentSubscriptionService.cs (BuildSubscriptionGroupKey) */
export function keyOf({ stream, group }: Pick<GroupDefinition, 'stream' | 'group'>): string {
  return `${stream}::${group}`;
}
