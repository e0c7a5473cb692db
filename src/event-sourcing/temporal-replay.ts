/**
 * Temporal replay: the state of an aggregate as it was at a time, or right after a revision.
 *
 * At a time T an aggregate is what its stream tells up to, and without, the first event later than T; an event at exactly
 * T counts. Times are business times, those of the processes that decided, and a clock may be behind another one or step
 * back. An event stamped earlier than one before it therefore took effect when that one did: the answer is always a state
 * that the aggregate really had, and a later T never gives an earlier one.
 *
 * The rule needs the latest time of all events before, so no search over single events could be exact. The marks that
 * each read leaves behind, and snapshots that know their latest time, can: along a stream both only ever rise.
 */
import type { AggregateType } from './aggregate.ts';
import type { DomainEvent } from './codec.ts';
import type { RecordedEvent } from './event-store.ts';
import { type ReplaySources, stateAfter, stepOf } from './replay.ts';
import { isMarked, type ReplayMark, ReplayMarks } from './replay-marks.ts';
import type { SnapshotHistory, SnapshotOfState } from './snapshot-history.ts';

/** What is asked for: a time (RFC 3339 UTC), or a revision. */
export type Point = { readonly time: string } | { readonly revision: number };

/** A state that the aggregate had. */
export interface Moment<S> {
  readonly state: S;
  readonly revision: number;
  /** Business time of the event at that revision, RFC 3339 UTC. */
  readonly timestamp: string;
}

/**
 * - `missing`: the stream has no events. - `before_first`: the time lies before the first event.
 * - `beyond_last`: there is no such revision yet. - `removed`: events that it takes were cut off from the stream.
 */
export type Found<S> =
  | { readonly kind: 'found'; readonly moment: Moment<S> }
  | { readonly kind: 'missing' }
  | { readonly kind: 'before_first'; readonly firstTime: string }
  | { readonly kind: 'beyond_last'; readonly lastRevision: number }
  | { readonly kind: 'removed'; readonly firstRevision: number };

export interface TemporalReplayOptions<S, E extends DomainEvent> extends ReplaySources<S, E> {
  readonly aggregate: AggregateType<S, E>;
  readonly snapshots?: SnapshotHistory<S>;
  /** How much memory a state takes beyond that of a small one, in units of some hundred bytes. */
  readonly sizeOf?: (state: S) => number;
}

/** A state to begin with. */
interface Start<S> {
  readonly state: S;
  readonly revision: number;
  /** Milliseconds since the epoch; not known of a snapshot without its latest time. */
  readonly latest: number | undefined;
  /** It was remembered by this process, and the stream may have been deleted since. */
  readonly isMark: boolean;
}

export class TemporalReplay<S, E extends DomainEvent> {
  readonly #options: TemporalReplayOptions<S, E>;
  readonly #marks: ReplayMarks<S>;

  constructor(options: TemporalReplayOptions<S, E>) {
    this.#options = options;
    this.#marks = new ReplayMarks<S>(options.sizeOf);
  }

  /** @throws StoreError when the store failed; `corrupt` when an event on the way cannot be applied */
  async at(id: string, point: Point): Promise<Found<S>> {
    const stream = this.#options.aggregate.stream(id);
    const start = await this.#startFor(stream, point);
    const found = await this.#readFrom(stream, start, point);
    if (found || !start) return found ?? { kind: 'missing' };
    this.#marks.forget(stream);
    return (await this.#readFrom(stream, undefined, point)) ?? { kind: 'missing' };
  }

  /** The nearest known state that is early enough. */
  async #startFor(stream: string, point: Point): Promise<Start<S> | undefined> {
    const { mark, isTight } = this.#marks.find(stream, ({ revision, latest }) =>
      'time' in point ? latest <= Date.parse(point.time) : revision <= point.revision,
    );
    const { snapshots } = this.#options;
    const snapshot =
      !snapshots || isTight
        ? undefined
        : 'time' in point
          ? await newestUpTo(snapshots, stream, Date.parse(point.time))
          : await snapshots.snapshotAtOrBefore(stream, point.revision);
    if (snapshot && snapshot.revision > (mark?.revision ?? -1)) return startOf(snapshot);
    return mark && { ...mark, isMark: true };
  }

  /** Undefined when nothing is there, or not what the mark was made of. */
  async #readFrom(stream: string, start: Start<S> | undefined, point: Point): Promise<Found<S> | undefined> {
    // The event of the start itself is read too: it tells its time, and that the stream is still the same.
    const from = start ? start.revision : 0;
    const limit = 'time' in point ? undefined : Math.max(point.revision - from + 1, 1);
    const walk = new Walk(start);
    for await (const recorded of this.#options.reader.readStream(stream, {
      from,
      ...(limit === undefined ? {} : { limit }),
    })) {
      const refused = walk.refuse(recorded, point);
      if (refused === 'later') break;
      if (refused) return refused === 'other_stream' ? undefined : refused;
      if (start && recorded.revision === start.revision) walk.pass(recorded);
      else walk.apply(recorded, this.#options);
    }
    this.#marks.add(stream, walk.marks);
    return walk.outcome(point);
  }
}

/** One read of a stream: folds what is early enough, and notes marks on the way. */
class Walk<S, E extends DomainEvent> {
  readonly marks: ReplayMark<S>[] = [];
  readonly #start: Start<S> | undefined;
  #state: S | undefined;
  #revision: number;
  #timestamp: string | undefined;
  #latest: number | undefined;

  constructor(start: Start<S> | undefined) {
    this.#start = start;
    this.#state = start?.state;
    this.#revision = start?.revision ?? -1;
    this.#latest = start ? start.latest : Number.NEGATIVE_INFINITY;
  }

  /** Why the read ends with this event, if it does. */
  refuse(recorded: RecordedEvent, point: Point): Found<S> | 'later' | 'other_stream' | undefined {
    const { revision, metadata } = recorded;
    if (this.#start?.isMark && this.#timestamp === undefined && revision !== this.#start.revision)
      return 'other_stream';
    const isNext = revision === this.#revision + 1;
    if (!isNext && revision !== this.#start?.revision) return { kind: 'removed', firstRevision: revision };
    if ('revision' in point || revision === this.#start?.revision) return undefined;
    // Written so that a time that is none, which only foreign events have, is later than nothing.
    if (!(Date.parse(metadata.timestamp) > Date.parse(point.time))) return undefined;
    return revision === 0 ? { kind: 'before_first', firstTime: metadata.timestamp } : 'later';
  }

  /** The event that the start was made of. */
  pass({ metadata }: RecordedEvent): void {
    this.#timestamp = metadata.timestamp;
  }

  apply(recorded: RecordedEvent, sources: ReplaySources<S, E>): void {
    const { revision, metadata } = recorded;
    this.#state = stateAfter(stepOf(sources, this.#state, recorded));
    this.#revision = revision;
    this.#timestamp = metadata.timestamp;
    if (this.#latest === undefined) return;
    const time = Date.parse(metadata.timestamp);
    if (time > this.#latest) this.#latest = time;
    if (isMarked(revision)) this.marks.push({ revision, latest: this.#latest, state: this.#state });
  }

  outcome(point: Point): Found<S> | undefined {
    if (this.#state === undefined) return undefined;
    if (this.#start?.isMark && this.#timestamp === undefined) return undefined;
    if ('revision' in point && this.#revision < point.revision)
      return { kind: 'beyond_last', lastRevision: this.#revision };
    // All events up to a snapshot may have been cut off; then its latest time is the best that is known.
    const timestamp = this.#timestamp ?? new Date(this.#latest ?? 0).toISOString();
    return { kind: 'found', moment: { state: this.#state, revision: this.#revision, timestamp } };
  }
}

/** The newest snapshot all of whose events are early enough, found by halving. */
async function newestUpTo<S>(
  snapshots: SnapshotHistory<S>,
  stream: string,
  time: number,
): Promise<SnapshotOfState<S> | undefined> {
  let best: SnapshotOfState<S> | undefined;
  let [low, high] = [0, Number.MAX_SAFE_INTEGER];
  // The newest one comes first: it says where the others end, and mostly it is the answer.
  let next = high;
  while (low <= high) {
    const snapshot = await snapshots.snapshotAtOrBefore(stream, next);
    if (snapshot && snapshot.latestTime === undefined) return best;
    if (snapshot && snapshot.revision >= low && Date.parse(String(snapshot.latestTime)) <= time)
      best = snapshot;
    if (snapshot && snapshot.revision >= low && best !== snapshot) high = snapshot.revision - 1;
    else low = next + 1;
    next = Math.floor((low + high) / 2);
  }
  return best;
}

function startOf<S>({ state, revision, latestTime }: SnapshotOfState<S>): Start<S> {
  const latest = latestTime === undefined ? undefined : Date.parse(latestTime);
  return { state, revision, latest, isMark: false };
}
