/** The events of all volumes in the order of the log, each once; it follows volumes that come while it is read. */
import type { Position, ReadDirection, RecordedEvent } from '../event-store.ts';
import type { ArchiveCatalogue, CataloguedVolume } from './archive-catalogue.ts';

/** A volume that is being read; `next` is the event that comes next in it. */
interface Cursor {
  readonly events: AsyncIterator<RecordedEvent>;
  next: RecordedEvent | undefined;
}

export class ArchivedLog {
  readonly #catalogue: ArchiveCatalogue;
  readonly #direction: ReadDirection;
  readonly #cursors = new Map<string, Cursor>();
  /** Where to go on: this position has not been given yet. */
  #place: Position;

  /** @param from the first position to give */
  constructor(catalogue: ArchiveCatalogue, direction: ReadDirection, from: Position) {
    this.#catalogue = catalogue;
    this.#direction = direction;
    this.#place = from;
  }

  /** Whether there may be an event at or before the bound, seen from where the reading is. */
  hasUntil(bound: Position): boolean {
    return this.#catalogue.volumes.some((one) => this.#mayHave(one, bound));
  }

  /**
   * What comes up to a bound, which is among it.
   * @throws StoreError `archive_damaged` when a volume is not there, or not as it was written
   */
  async *until(bound: Position): AsyncGenerator<RecordedEvent> {
    if (!this.hasUntil(bound)) return;
    for (const volume of this.#catalogue.volumes) {
      if (this.#mayHave(volume, bound)) await this.#cursorOf(volume);
    }
    for (;;) {
      const first = this.#first();
      const event = first?.next;
      if (!first || !event || !this.#isUntil(event.position, bound)) return;
      await advance(first);
      if (!this.#isUntil(this.#place, event.position)) continue;
      this.skip(event.position);
      yield event;
    }
  }

  /** Goes on behind a position: what stands there was found in the store. */
  skip(position: Position): void {
    this.#place = this.#direction === 'forwards' ? position + 1n : position - 1n;
  }

  async close(): Promise<void> {
    for (const { events } of this.#cursors.values()) await events.return?.();
    this.#cursors.clear();
  }

  #mayHave({ firstPosition, lastPosition }: CataloguedVolume, bound: Position): boolean {
    return this.#direction === 'forwards'
      ? lastPosition >= this.#place && firstPosition <= bound
      : firstPosition <= this.#place && lastPosition >= bound;
  }

  #isUntil(position: Position, bound: Position): boolean {
    return this.#direction === 'forwards' ? position <= bound : position >= bound;
  }

  async #cursorOf({ record, open }: CataloguedVolume): Promise<void> {
    if (this.#cursors.has(record.volume)) return;
    const volume = await open();
    const events = volume.readAll({ from: this.#place, direction: this.#direction })[Symbol.asyncIterator]();
    const cursor: Cursor = { events, next: undefined };
    await advance(cursor);
    this.#cursors.set(record.volume, cursor);
  }

  #first(): Cursor | undefined {
    let first: Cursor | undefined;
    for (const cursor of this.#cursors.values()) {
      if (!cursor.next) continue;
      if (!first?.next || this.#isUntil(cursor.next.position, first.next.position)) first = cursor;
    }
    return first;
  }
}

async function advance(cursor: Cursor): Promise<void> {
  const { done, value } = await cursor.events.next();
  cursor.next = done ? undefined : value;
}
