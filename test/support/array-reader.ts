/** The reading side of a store over an array of events, which counts what it gave. */
import type { ReadStreamOptions, RecordedEvent } from '../../src/event-sourcing/event-store.ts';

export class ArrayReader {
  readonly events: RecordedEvent[];
  given = 0;

  constructor(events: readonly RecordedEvent[]) {
    this.events = [...events];
  }

  async *readStream(stream: string, { from = 0, limit = Infinity }: ReadStreamOptions = {}) {
    let left = limit;
    for (const event of this.events) {
      if (event.stream !== stream || event.revision < from || left <= 0) continue;
      left -= 1;
      this.given += 1;
      yield event;
    }
  }
}
