/** The messages of a persistent subscription: those that wait to be pushed, and those in the hands of consumers. */
import { compare, type LogPosition } from './all-reader.ts';
import { originalOf, type ResolvedEvent } from './links.ts';

/** Server: src/EventStore.Core/Services/PersistentSubscription/OutstandingMessage.cs */
export interface Message {
  readonly resolved: ResolvedEvent;
  readonly retryCount: number;
  /** Set when it is first pushed; replayed messages have neither this nor a position. */
  readonly sequence: number | undefined;
  readonly position: LogPosition | undefined;
  /** What the group had pushed before it, which a checkpoint may name while this one is unfinished. */
  readonly previous: LogPosition | undefined;
  /** Whether it comes from the parked ones. */
  readonly isReplayed: boolean;
}

export function idOf({ resolved }: Message): string {
  return originalOf(resolved).id;
}

export function newMessage(resolved: ResolvedEvent, position: LogPosition): Message {
  return { resolved, retryCount: 0, sequence: undefined, position, previous: undefined, isReplayed: false };
}

export function replayedMessage(resolved: ResolvedEvent): Message {
  return {
    resolved,
    retryCount: 0,
    sequence: undefined,
    position: undefined,
    previous: undefined,
    isReplayed: true,
  };
}

/**
 * What waits to be pushed: first what is to be retried, then what was read, and aside what is live but comes too early.
 * Server: src/EventStore.Core/Services/PersistentSubscription/StreamBuffer.cs
 */
export class StreamBuffer {
  readonly retry: Message[] = [];
  readonly read: Message[] = [];
  readonly live: Message[] = [];
  readonly #maxSize: number;
  readonly #maxLiveSize: number;
  readonly #after: LogPosition | undefined;
  #isLive: boolean;

  constructor(
    maxSize: number,
    maxLiveSize: number,
    after: LogPosition | undefined,
    startsInHistory: boolean,
  ) {
    this.#maxSize = maxSize;
    this.#maxLiveSize = maxLiveSize;
    this.#after = after;
    this.#isLive = !startsInHistory;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  canAccept(count: number): boolean {
    return this.#maxSize - this.retry.length - this.read.length > count;
  }

  /** Goes before what comes later in the log, so that order is kept as well as it can be. */
  addRetry(message: Message): void {
    const { position } = message;
    const index =
      position === undefined
        ? -1
        : this.retry.findIndex(
            (other) => other.position !== undefined && compare(position, other.position) < 0,
          );
    this.retry.splice(index === -1 ? this.retry.length : index, 0, message);
  }

  addLive(message: Message): void {
    if (this.#isLive) {
      if (this.read.length < this.#maxSize) this.read.push(message);
      else this.#isLive = false;
    }
    this.live.push(message);
    if (this.live.length > this.#maxLiveSize) this.live.shift();
  }

  addRead(message: Message): void {
    const position = message.position as LogPosition;
    if (this.#isLive || (this.#after !== undefined && compare(position, this.#after) <= 0)) return;
    const oldestLive = this.live[0]?.position;
    if (oldestLive === undefined || compare(position, oldestLive) < 0) {
      this.read.push(message);
      return;
    }
    while (this.live[0]?.position !== undefined && compare(this.live[0].position, position) < 0)
      this.live.shift();
    this.#switchToLive();
  }

  /** @returns whether there was nothing live left to wait for */
  tryMoveToLive(): boolean {
    if (this.live.length > 0) return false;
    this.#isLive = true;
    return true;
  }

  /** The one to be retried that was pushed first. */
  lowestRetry(): Message | undefined {
    return lowest(this.retry);
  }

  #switchToLive(): void {
    this.read.push(...this.live.splice(0));
    this.#isLive = true;
  }
}

function lowest(messages: Iterable<Message>): Message | undefined {
  let found: Message | undefined;
  for (const message of messages) {
    if (message.sequence === undefined) continue;
    if (found?.sequence === undefined || message.sequence < found.sequence) found = message;
  }
  return found;
}

/** Server: src/EventStore.Core/Services/PersistentSubscription/OutstandingMessageCache.cs */
export class OutstandingMessages {
  readonly #messages = new Map<string, { readonly message: Message; readonly expires: number }>();

  get count(): number {
    return this.#messages.size;
  }

  /** A second message with the same event id is not kept. */
  start(message: Message, expires: number): void {
    if (!this.#messages.has(idOf(message))) this.#messages.set(idOf(message), { message, expires });
  }

  get(id: string): Message | undefined {
    return this.#messages.get(id)?.message;
  }

  remove(id: string): void {
    this.#messages.delete(id);
  }

  takeExpired(now: number): Message[] {
    const expired = [...this.#messages.values()].filter(({ expires }) => expires <= now);
    expired.sort((a, b) => a.expires - b.expires);
    for (const { message } of expired) this.remove(idOf(message));
    return expired.map(({ message }) => message);
  }

  /** The one that was pushed first. */
  lowest(): Message | undefined {
    return lowest([...this.#messages.values()].map(({ message }) => message));
  }
}
