/** Follows a store in the background, so that a test can write meanwhile and look at what arrived. */
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EventReader,
  Position,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../src/event-sourcing/event-store.ts';

const PATIENCE_MS = 15_000;

export class SubscriptionFollower {
  readonly batches: SubscriptionBatch[] = [];
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;
  #failure: unknown;

  constructor(reader: EventReader, options: Omit<SubscribeOptions, 'signal'> = {}) {
    this.#following = this.#follow(reader.subscribeToAll({ ...options, signal: this.#abort.signal }));
  }

  get events(): RecordedEvent[] {
    return this.batches.flatMap((batch) => batch.events);
  }

  get position(): Position | undefined {
    return this.batches.at(-1)?.position;
  }

  /** Whether it has looked at everything up to `position`. */
  hasReached(position: Position): boolean {
    return this.position !== undefined && this.position >= position;
  }

  /** Whether a batch has said that the log ended there. */
  get hasCaughtUp(): boolean {
    return this.batches.some((batch) => batch.caughtUp);
  }

  /** Waits until something holds; says what was missing when it does not come. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.#failure !== undefined) throw this.#failure;
      if (Date.now() > deadline) throw new Error(`The subscription never got there: ${what}.`);
      await sleep(5);
    }
  }

  /** Aborts, and waits for the end of the subscription. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.ended();
  }

  /** Waits for the end of the subscription; throws what it threw. */
  async ended(): Promise<void> {
    await this.#following;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #follow(subscription: AsyncIterable<SubscriptionBatch>): Promise<void> {
    try {
      for await (const batch of subscription) this.batches.push(batch);
    } catch (error) {
      this.#failure = error;
    }
  }
}
