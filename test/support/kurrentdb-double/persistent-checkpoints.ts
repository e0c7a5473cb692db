/** When a group writes down how far it is. Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscription.cs (TryMarkCheckpoint) */
import type { LogPosition } from './all-reader.ts';
import type { GroupSettings } from './persistent-settings.ts';
import type { EventSource } from './persistent-source.ts';
import type { CheckpointStream } from './persistent-streams.ts';

/** How many messages a group has pushed or skipped, less one, and the position of the last of them. */
export interface Progress {
  readonly sequence: number;
  readonly position: LogPosition | undefined;
}

export class GroupCheckpoints {
  readonly #stream: CheckpointStream;
  readonly #source: EventSource;
  readonly #settings: GroupSettings;
  #last: LogPosition | undefined;
  #lastSequence = -1;
  #lastWritten = Number.NEGATIVE_INFINITY;

  constructor(stream: CheckpointStream, source: EventSource, settings: GroupSettings) {
    this.#stream = stream;
    this.#source = source;
    this.#settings = settings;
  }

  get last(): LogPosition | undefined {
    return this.#last;
  }

  load(): LogPosition | undefined {
    const text = this.#stream.load();
    if (text === undefined) return undefined;
    this.#last = this.#source.parse(text);
    this.#lastSequence = 0;
    return this.#last;
  }

  /** Writes when enough was done since the last one: the most at any time, the least when the clock asks. */
  mark({ sequence, position }: Progress, isTimeCheck: boolean): void {
    const { minCheckpointCount, maxCheckpointCount, checkpointAfterMs } = this.#settings;
    if (sequence === -1 || position === undefined) return;
    const done = sequence - this.#lastSequence;
    const after = checkpointAfterMs === 0 ? Number.POSITIVE_INFINITY : checkpointAfterMs;
    if (Date.now() - this.#lastWritten < after && done < maxCheckpointCount) return;
    if (done < maxCheckpointCount && !(isTimeCheck && done >= minCheckpointCount)) return;
    this.#lastWritten = Date.now();
    this.#lastSequence = sequence;
    this.#last = position;
    this.#stream.write(this.#source.format(position));
  }

  delete(): void {
    this.#stream.delete();
  }
}
