/** The consumers of a persistent subscription, and which of them gets the next message. */

import { originalOf } from './links.ts';
import { idOf, type Message } from './persistent-messages.ts';
import type { ConsumerStrategyName } from './persistent-settings.ts';

/** How a consumer is told. */
export interface ConsumerSink {
  deliver(message: Message): void;
  /** The group was deleted, changed or shut down. */
  drop(): void;
}

/** Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscriptionClient.cs */
export class Consumer {
  readonly name: string;
  readonly unconfirmed = new Map<string, Message>();
  totalItems = 0;
  readonly #sink: ConsumerSink;
  #slots: number;

  constructor(name: string, slots: number, sink: ConsumerSink) {
    this.name = name;
    this.#slots = slots;
    this.#sink = sink;
  }

  get availableSlots(): number {
    return this.#slots;
  }

  /** @returns whether it had a slot left */
  push(message: Message): boolean {
    if (this.#slots <= 0) return false;
    this.#slots--;
    this.totalItems++;
    if (!this.unconfirmed.has(idOf(message))) this.unconfirmed.set(idOf(message), message);
    this.#sink.deliver(message);
    return true;
  }

  confirm(id: string): void {
    if (this.unconfirmed.delete(id)) this.#slots++;
  }

  drop(): void {
    this.#sink.drop();
  }
}

export type PushResult = 'sent' | 'skipped' | 'no_capacity';

/** Server: ConsumerStrategy/RoundRobinPersistentSubscriptionConsumerStrategy.cs and its siblings */
export class Consumers {
  readonly #strategy: ConsumerStrategyName;
  /** In turn: the first is asked first. */
  readonly #queue: Consumer[] = [];

  constructor(strategy: ConsumerStrategyName) {
    this.#strategy = strategy;
  }

  get all(): readonly Consumer[] {
    return this.#queue;
  }

  add(consumer: Consumer): void {
    this.#queue.push(consumer);
  }

  /** @returns whether it was among them */
  remove(consumer: Consumer): boolean {
    const index = this.#queue.indexOf(consumer);
    if (index !== -1) this.#queue.splice(index, 1);
    return index !== -1;
  }

  confirm(id: string): void {
    for (const consumer of this.#queue) consumer.confirm(id);
  }

  push(message: Message): PushResult {
    if (this.#strategy === 'Pinned') return this.#pushPinned(message);
    for (let turn = 0; turn < this.#queue.length; turn++) {
      const [first] = this.#queue;
      const isSent = first?.push(message) ?? false;
      // Round robin moves on after every message, dispatch to single only when a consumer has no slot left.
      if (this.#strategy === 'RoundRobin' || !isSent) this.#queue.push(...this.#queue.splice(0, 1));
      if (isSent) return 'sent';
    }
    return 'no_capacity';
  }

  // Simpler than the server's 1,024 buckets (PinnedPersistentSubscriptionConsumerStrategy.cs), but a stream keeps its consumer.
  #pushPinned(message: Message): PushResult {
    if (this.#queue.every(({ availableSlots }) => availableSlots <= 0)) return 'no_capacity';
    const { stream } = originalOf(message.resolved);
    const hash = [...stream].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 0);
    return this.#queue[hash % this.#queue.length]?.push(message) === true ? 'sent' : 'skipped';
  }
}
