/** What temporal replay remembers of the streams it was asked about, so that a later question reads a short tail only. */
import { LRUCache } from 'lru-cache';

/** A state, the event that it stands on, and the latest business time (milliseconds since the epoch) up to there. */
export interface ReplayMark<S> {
  readonly revision: number;
  readonly eventId: string;
  readonly latest: number;
  readonly state: S;
}

/** A mark is made after every so many events, so this is the longest tail. */
export const MARK_EVERY_EVENTS = 500;
/** Marks of one stream; beyond it every other one is dropped, and so on. */
const MARKS_PER_STREAM_MAX = 1_000;
/** Units of memory of all marks together: each is one, and what the caller says of its state. */
const UNITS_MAX = 50_000;

export class ReplayMarks<S> {
  readonly #streams: LRUCache<string, ReplayMark<S>[]>;

  /** @param sizeOf how much larger than the smallest one a state is, in units of some hundred bytes */
  constructor(sizeOf: (state: S) => number = () => 0) {
    this.#streams = new LRUCache<string, ReplayMark<S>[]>({
      maxSize: UNITS_MAX,
      sizeCalculation: (marks) => marks.reduce((sum, { state }) => sum + 1 + sizeOf(state), 1),
    });
  }

  /**
   * The last mark that lies early enough.
   * @returns also whether the next mark is known to be the one that comes next: then nothing better is to be had
   */
  find(
    stream: string,
    isEarlyEnough: (mark: ReplayMark<S>) => boolean,
  ): { readonly mark: ReplayMark<S> | undefined; readonly isTight: boolean } {
    const marks = this.#streams.get(stream) ?? [];
    // Both revisions and latest times rise along the list, so the first one that is too late ends it.
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isEarlyEnough(marks[middle] as ReplayMark<S>)) low = middle + 1;
      else high = middle;
    }
    const [mark, next] = [marks[low - 1], marks[low]];
    const isTight = next !== undefined && next.revision - (mark?.revision ?? -1) <= MARK_EVERY_EVENTS;
    return { mark, isTight };
  }

  /** Adds the marks of one read. */
  add(stream: string, found: readonly ReplayMark<S>[]): void {
    if (found.length === 0) return;
    const byRevision = new Map(
      [...(this.#streams.get(stream) ?? []), ...found].map((mark) => [mark.revision, mark]),
    );
    let marks = [...byRevision.values()].sort((one, other) => one.revision - other.revision);
    while (marks.length > MARKS_PER_STREAM_MAX) marks = marks.filter((_, index) => index % 2 === 1);
    this.#streams.set(stream, marks);
  }

  /** The stream is not the one that was remembered: somebody deleted it. */
  forget(stream: string): void {
    this.#streams.delete(stream);
  }
}

/** Whether a mark is made after the event of this revision. */
export function isMarked(revision: number): boolean {
  return (revision + 1) % MARK_EVERY_EVENTS === 0;
}
