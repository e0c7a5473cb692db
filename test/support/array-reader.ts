/** The reading side of a store over an array of events, which counts what it gave. */
import type { ReadStreamOptions, RecordedEvent } from '../../src/event-sourcing/event-store.ts';

export class ArrayReader {
  readonly events: RecordedEvent[];
  given = 0;

  constructor(events: readonly RecordedEvent[]) {
    this.events = [...events];
  }

  async *readStream(stream: string, { from, limit = Infinity, direction }: ReadStreamOptions = {}) {
    const backwards = direction === 'backwards';
    let left = limit;
    for (const event of backwards ? this.events.toReversed() : this.events) {
      const { revision } = event;
      const isBefore = from !== undefined && (backwards ? revision > from : revision < from);
      if (event.stream !== stream || isBefore || left <= 0) continue;
      left -= 1;
      this.given += 1;
      yield event;
    }
  }
}
