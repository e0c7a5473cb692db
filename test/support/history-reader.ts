/** A log that is all there is: its events come in batches cut where a test wants them. */
import type {
  EventReader,
  Position,
  ReadStreamOptions,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../src/event-sourcing/event-store.ts';

export class HistoryReader implements EventReader {
  readonly storeId = 'history';
  readonly #events: readonly RecordedEvent[];
  readonly #cuts: ReadonlySet<number>;

  /** @param cuts indexes at which a new batch begins */
  constructor(events: readonly RecordedEvent[], cuts: readonly number[] = []) {
    this.#events = events;
    this.#cuts = new Set(cuts);
  }

  async *readStream(stream: string, { limit }: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    yield* this.#events.filter((event) => event.stream === stream).slice(0, limit);
  }

  async *readAll(): AsyncGenerator<RecordedEvent> {
    yield* this.#events;
  }

  async *subscribeToAll({ after = 0n, signal }: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
    const batches: RecordedEvent[][] = [[]];
    for (const [index, event] of this.#events.entries()) {
      if (this.#cuts.has(index)) batches.push([]);
      if (event.position > after) batches.at(-1)?.push(event);
    }
    for (const [index, events] of batches.entries()) {
      const position = events.at(-1)?.position;
      if (position !== undefined) yield { events, position, caughtUp: index === batches.length - 1 };
    }
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  async headPosition(): Promise<Position | undefined> {
    return this.#events.at(-1)?.position;
  }
}
