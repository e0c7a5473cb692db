/**
 * Whether what comes out of a rewrite can be read, and applied where it stands: each stream is folded as it was and as it
 * becomes, side by side. What was wrong before is told apart from what the rewrite has made wrong.
 */
import { LRUCache } from 'lru-cache';
import type { RecordedEvent } from '../event-store.ts';

/** What is wrong with an event where it stands. */
export interface EventFault {
  readonly kind: string;
  readonly message: string;
}

/** What an event leaves of the state of its stream, which it has not changed where it could not be applied. */
export interface Judged {
  readonly state: unknown;
  readonly fault?: EventFault;
}

/**
 * Folds one event. Pure: states are never changed in place.
 * @param before the state before the event; missing where it is not known, so that the event is looked at by itself
 */
export type EventJudge = (event: RecordedEvent, before: { readonly state: unknown } | undefined) => Judged;

/** An event of the new log that is wrong, and was not in the old one. */
export interface RewriteFault extends EventFault {
  readonly stream: string;
  /** In the new log. */
  readonly revision: number;
  readonly type: string;
}

export interface RewriteFaults {
  /** Of the new log, without those that had the same fault before. */
  readonly events: number;
  readonly streams: number;
  /** The first one of each stream, at most twenty. */
  readonly first: readonly RewriteFault[];
  /** Events whose fault is as old as they are: what stood there before had the same kind. */
  readonly inherited: number;
  /** Events that were only read, because so many other streams had come between that theirs was not remembered. */
  readonly unfolded: number;
}

/** Streams whose states are remembered, some kilobytes each. */
const STREAMS_MAX = 50_000;
const SHOWN_MAX = 20;

/** The states of a stream before its next event, in the old log and in the new one; mostly they are one. */
interface Sides {
  readonly old: unknown;
  readonly new: unknown;
}

export class RewriteCheck {
  readonly #judge: EventJudge;
  readonly #states: LRUCache<string, Sides>;
  readonly #streams = new Set<string>();
  readonly #first: RewriteFault[] = [];
  #events = 0;
  #inherited = 0;
  #unfolded = 0;

  constructor(judge: EventJudge, streamsMax = STREAMS_MAX) {
    this.#judge = judge;
    this.#states = new LRUCache({ max: streamsMax });
  }

  /**
   * Takes an event of the old log, and what stands in its place.
   * @param isFirst whether its stream begins with it
   * @returns the first fault that it did not have before
   */
  take(
    old: RecordedEvent,
    isFirst: boolean,
    replacements: readonly RecordedEvent[],
  ): RewriteFault | undefined {
    const { stream } = old;
    const before = this.#states.get(stream) ?? (isFirst ? { old: undefined, new: undefined } : undefined);
    if (!before) this.#unfolded += 1;
    const was = this.#judge(old, before && { state: before.old });
    let state = before?.new;
    let found: RewriteFault | undefined;
    for (const event of replacements) {
      const isSame = isUnchanged(old, event) && state === before?.old;
      const judged = isSame ? was : this.#judge(event, before && { state });
      state = judged.state;
      if (!judged.fault) continue;
      if (judged.fault.kind === was.fault?.kind) this.#inherited += 1;
      else {
        const fault = this.#note(event, judged.fault);
        found ??= fault;
      }
    }
    if (before) this.#states.set(stream, { old: was.state, new: state });
    return found;
  }

  faults(): RewriteFaults {
    return {
      events: this.#events,
      streams: this.#streams.size,
      first: this.#first,
      inherited: this.#inherited,
      unfolded: this.#unfolded,
    };
  }

  #note({ stream, revision, type }: RecordedEvent, { kind, message }: EventFault): RewriteFault {
    const fault = { stream, revision, type, kind, message };
    this.#events += 1;
    const isNew = !this.#streams.has(stream);
    this.#streams.add(stream);
    if (isNew && this.#first.length < SHOWN_MAX) this.#first.push(fault);
    return fault;
  }
}

/** The parts of an event that a rewrite left alone are the very same objects. */
function isUnchanged(old: RecordedEvent, event: RecordedEvent): boolean {
  return event.type === old.type && event.data === old.data && event.metadata === old.metadata;
}
