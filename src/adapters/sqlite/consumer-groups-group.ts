/** One consumer group at work: hands messages to its consumers, watches the time, and takes their answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, EventSelection } from '../../event-sourcing/consumer-groups.ts';
import type { RecordedEvent } from '../../event-sourcing/event-store.ts';
import { Signal } from '../../event-sourcing/signal.ts';
import type { StoreError } from '../../event-sourcing/store-error.ts';
import { type GroupChanges, GroupQueue, type Message } from './consumer-groups-queue.ts';
import type { EventLog, GroupStorage, Scan, StoredGroup, StoredSettings } from './consumer-groups-storage.ts';

/** Positions read ahead of the consumers. */
const READ_AHEAD_MAX = 512;
/** Events that one look searches, so that a long log does not keep this thread from its other work. */
const SEARCHED_EVENTS_MAX = 5_000;
/** Least time between two looks at the log under load; what comes after a pause is seen at once. */
const LOOK_SPACING_MS = 10;
/** The safety net when a notice got lost. */
const POLL_MS = 1_000;
/** Node.js cannot sleep longer. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** One `consume` call. */
export interface Consumer {
  readonly maxInFlight: number;
  inFlight: number;
}

interface HandedOut {
  readonly consumer: Consumer;
  /** By the clock that never jumps. */
  readonly deadline: number;
}

/** What a group asks of those who keep it. */
export interface GroupCallbacks {
  /** Writes down what changed, now. @throws StoreError */
  save(): void;
  /** Something changed that should be written down soon; or only the checkpoint, which can wait. */
  changed(what: 'answers' | 'checkpoint'): void;
}

export class LiveGroup {
  readonly id: number;
  readonly #name: string;
  readonly #log: EventLog;
  readonly #storage: GroupStorage;
  readonly #callbacks: GroupCallbacks;
  readonly #consumers = new Set<Consumer>();
  /** Messages without an answer. Each delivery is an object of its own, so an answer to an older one finds nothing. */
  readonly #handedOut = new Map<Message, HandedOut>();
  /** Fires when a waiting consumer should look again. */
  readonly #wake = new Signal();
  #queue: GroupQueue;
  #scan: Scan;
  #settings: StoredSettings;
  #ended: StoreError | undefined;
  /** Waits for the next deadline. */
  #timer: { readonly timeout: NodeJS.Timeout; readonly due: number } | undefined;
  #following: AbortController | undefined;

  constructor(
    name: string,
    stored: StoredGroup,
    log: EventLog,
    storage: GroupStorage,
    callbacks: GroupCallbacks,
  ) {
    this.id = stored.id;
    this.#name = name;
    this.#log = log;
    this.#storage = storage;
    this.#callbacks = callbacks;
    this.#settings = stored.settings;
    this.#scan = storage.scan(stored.settings);
    this.#queue = new GroupQueue(stored, storage.messages(stored), log.head());
  }

  get isSaved(): boolean {
    return this.#queue.isSaved;
  }

  join(maxInFlight: number): Consumer {
    const consumer = { maxInFlight, inFlight: 0 };
    this.#consumers.add(consumer);
    if (!this.#following) void this.#followLog();
    return consumer;
  }

  /** What the consumer has in flight goes back. */
  leave(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return;
    for (const [message, { consumer: holder }] of this.#handedOut) {
      if (holder === consumer) this.#failed(message, `Its consumer left it without an answer`);
    }
    if (this.#consumers.size === 0) this.#stopFollowing();
  }

  /**
   * The next message for a consumer that has room.
   * @throws StoreError when the group has ended, or when the store failed
   */
  take(consumer: Consumer): Delivery | undefined {
    if (this.#ended) throw this.#ended;
    if (consumer.inFlight >= consumer.maxInFlight) return undefined;
    if (this.#queue.isEmpty) this.#look();
    for (let message = this.#queue.next(); message; message = this.#queue.next()) {
      const event = this.#deliverable(message);
      if (event) return this.#handOut(message, event, consumer);
    }
    return undefined;
  }

  /** Waits until there may be something for a consumer that got nothing. */
  async waitForMore(consumer: Consumer, signal: AbortSignal): Promise<void> {
    const hasRoom = consumer.inFlight < consumer.maxInFlight;
    const isBehind = !this.#queue.isFull && this.#queue.scannedTo < this.#log.head();
    // Far behind, it searches on after a turn of the event loop.
    if (hasRoom && isBehind) await new Promise(setImmediate);
    else await this.#wake.wait(POLL_MS, signal);
  }

  /** Takes other settings over and stores them. Other events mean a fresh start from what is stored. */
  change(settings: StoredSettings): void {
    const sameEvents = selects(settings, this.#settings);
    if (!sameEvents) {
      this.#takeAllBack('Its group changed while a consumer had it');
      this.#queue.forgetMark();
      this.#callbacks.save();
    }
    this.#storage.change(this.id, settings);
    this.#settings = settings;
    if (sameEvents) return;
    const stored = this.#storage.find(this.#name) as StoredGroup;
    this.#scan = this.#storage.scan(settings);
    this.#queue = new GroupQueue(stored, this.#storage.messages(stored), this.#log.head());
    this.#wake.notify();
  }

  replay(limit: number): number {
    this.#callbacks.save();
    const positions = this.#storage.replayParked(this.id, limit);
    this.#queue.replayed(positions);
    this.#wake.notify();
    return positions.length;
  }

  discard(limit: number): number {
    this.#callbacks.save();
    const positions = this.#storage.discardParked(this.id, this.#queue.checkpoint, limit);
    this.#queue.discarded(positions);
    return positions.length;
  }

  changes(): GroupChanges {
    return this.#queue.changes();
  }

  saved(changes: GroupChanges): void {
    const wasFull = this.#queue.isFull;
    this.#queue.saved(changes);
    if (wasFull) this.#wake.notify();
  }

  /** Takes back what is in flight; from now on every consumer is told why. */
  end(error: StoreError): void {
    this.#ended = error;
    this.#takeAllBack('The program was closed while a consumer had it');
    this.#queue.forgetMark();
    clearTimeout(this.#timer?.timeout);
    this.#stopFollowing();
    this.#wake.notify();
  }

  /** Searches the next part of the log for messages. */
  #look(): void {
    const { scannedTo, isFull } = this.#queue;
    const head = this.#log.head();
    if (isFull || scannedTo >= head) return;
    const upTo = Math.min(head, scannedTo + SEARCHED_EVENTS_MAX);
    const found = this.#scan(scannedTo, upTo, READ_AHEAD_MAX);
    const newest = found.length < READ_AHEAD_MAX ? upTo : (found.at(-1) ?? upTo);
    this.#queue.scanned(found, newest);
    this.#callbacks.changed('checkpoint');
  }

  /** The event of a message that may be delivered; others are settled here. */
  #deliverable(message: Message): RecordedEvent | undefined {
    const event = this.#storage.event(message.position);
    if (event && message.deliveries <= this.#settings.maxRetries) return event;
    if (event) this.#queue.park(message, `Delivered ${message.deliveries} times without success`, Date.now());
    else this.#queue.settle(message);
    this.#callbacks.changed('answers');
    return undefined;
  }

  #handOut(waiting: Message, event: RecordedEvent, consumer: Consumer): Delivery {
    const { message, mustBeSaved } = this.#queue.handOut(waiting);
    try {
      if (mustBeSaved) this.#callbacks.save();
    } catch (error) {
      this.#queue.putBack(waiting);
      throw error;
    }
    const deadline = performance.now() + this.#settings.messageTimeoutMs;
    this.#handedOut.set(message, { consumer, deadline });
    consumer.inFlight += 1;
    this.#checkDeadlinesAt(deadline);
    return {
      event,
      retries: waiting.deliveries,
      ack: async () => {
        if (!this.#takeBack(message)) return;
        this.#queue.settle(message);
        this.#callbacks.changed('answers');
      },
      nack: async (action, reason) => {
        if (!this.#handedOut.has(message)) return;
        if (action === 'retry') return this.#failed(message, reason);
        this.#takeBack(message);
        this.#queue.park(message, reason, Date.now());
        this.#callbacks.changed('answers');
      },
    };
  }

  /** A delivery came to nothing: try again while that is allowed. */
  #failed(message: Message, reason: string): void {
    this.#takeBack(message);
    if (message.deliveries > this.#settings.maxRetries) this.#queue.park(message, reason, Date.now());
    else this.#queue.requeue(message);
    this.#callbacks.changed('answers');
  }

  /** Ends a delivery; answers whether it was still open. */
  #takeBack(message: Message): boolean {
    const handedOut = this.#handedOut.get(message);
    if (!handedOut) return false;
    this.#handedOut.delete(message);
    handedOut.consumer.inFlight -= 1;
    this.#wake.notify();
    return true;
  }

  #takeAllBack(reason: string): void {
    for (const message of [...this.#handedOut.keys()]) this.#failed(message, reason);
  }

  /** Nothing to do when it looks earlier anyway: the timeout of messages seldom changes. */
  #checkDeadlinesAt(due: number): void {
    if (this.#timer && this.#timer.due <= due) return;
    clearTimeout(this.#timer?.timeout);
    const delayMs = Math.min(due - performance.now(), TIMER_MS_MAX);
    this.#timer = { timeout: setTimeout(() => this.#checkDeadlines(), delayMs).unref(), due };
  }

  #checkDeadlines(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [message, { deadline }] of this.#handedOut) {
      if (deadline <= now) this.#failed(message, 'No answer came in time');
      else this.#checkDeadlinesAt(deadline);
    }
  }

  /** Wakes the consumers when there are new events; costs an append nothing but the notice. */
  async #followLog(): Promise<void> {
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    const next = () => this.#log.appended.wait(POLL_MS, signal);
    let notice = next();
    while (!signal.aborted) {
      await notice;
      this.#wake.notify();
      // Listens before it sleeps: what is appended meanwhile must not wait for the next poll.
      notice = next();
      await sleep(LOOK_SPACING_MS);
    }
  }

  #stopFollowing(): void {
    this.#following?.abort();
    this.#following = undefined;
  }
}

/** Whether both select the same events, in the same words. */
function selects(one: EventSelection, other: EventSelection): boolean {
  const words = ({ streamPrefixes, eventTypes }: EventSelection) =>
    JSON.stringify([streamPrefixes, eventTypes]);
  return words(one) === words(other);
}
