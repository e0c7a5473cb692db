/** A consumer of a group that works in the background: a test says how it answers, and looks at what it was given. */
import type { ConsumerGroups, Delivery } from '../../src/event-sourcing/consumer-groups.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { eventually } from './eventually.ts';

/** Answers a delivery, or keeps it in flight by doing nothing. */
export type Answer = (delivery: Delivery) => Promise<void> | void;

export const acknowledge: Answer = (delivery) => delivery.ack();
export const hold: Answer = () => {};
export const park: Answer = (delivery) => delivery.nack('park', 'nobody can do this');
export const retry: Answer = (delivery) => delivery.nack('retry', 'not now');

export class GroupConsumer {
  readonly deliveries: Delivery[] = [];
  readonly #abort = new AbortController();
  readonly #consuming: Promise<void>;
  #failure: unknown;

  constructor(
    groups: ConsumerGroups,
    group: string,
    { answer = acknowledge, maxInFlight }: { answer?: Answer; maxInFlight?: number } = {},
  ) {
    const { signal } = this.#abort;
    const options = maxInFlight === undefined ? { signal } : { signal, maxInFlight };
    this.#consuming = this.#consume(groups.consume(group, options), answer);
  }

  get events(): RecordedEvent[] {
    return this.deliveries.map((delivery) => delivery.event);
  }

  get ids(): string[] {
    return this.events.map((event) => event.id);
  }

  /** Everything that it was given of one event, oldest first. */
  deliveriesOf(event: { readonly id: string }): Delivery[] {
    return this.deliveries.filter((delivery) => delivery.event.id === event.id);
  }

  /** Waits until something holds; throws what the consumption threw meanwhile. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(what, () => {
      if (this.#failure !== undefined) throw this.#failure;
      return holds();
    });
  }

  /** Waits until it was given all of these events at least once. */
  async untilGiven(events: readonly { readonly id: string }[]): Promise<void> {
    await this.until(`${events.length} deliveries`, () => {
      const given = new Set(this.ids);
      return events.every((event) => given.has(event.id));
    });
  }

  /** Waits until it was given so many messages, redeliveries too. */
  async untilDelivered(count: number): Promise<void> {
    await this.until(`${count} deliveries`, () => this.deliveries.length >= count);
  }

  /** Aborts, and waits for the end; throws what the consumption threw. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.ended();
  }

  /** Waits for the end of the consumption; throws what it threw. */
  async ended(): Promise<void> {
    await this.#consuming;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #consume(deliveries: AsyncIterable<Delivery>, answer: Answer): Promise<void> {
    try {
      for await (const delivery of deliveries) {
        this.deliveries.push(delivery);
        await answer(delivery);
      }
    } catch (error) {
      this.#failure = error;
    }
  }
}
