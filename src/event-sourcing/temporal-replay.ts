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
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AggregateType } from './aggregate.ts';
import type { DomainEvent } from './codec.ts';
import type { RecordedEvent } from './event-store.ts';
import { isTurn, type ReplaySources, stateAfter, stepOf } from './replay.ts';
import { isMarked, type ReplayMark, ReplayMarks } from './replay-marks.ts';
import type { SnapshotHistory } from './snapshots/snapshot-history.ts';
import { StoreError } from './store-error.ts';

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

/** What stands in the way of an answer, or that the read is over. */
type End<S> = Exclude<Found<S>, { kind: 'found' }> | 'later' | 'not_anchored';

export class TemporalReplay<S, E extends DomainEvent> {
  readonly #options: TemporalReplayOptions<S, E>;
  readonly #marks: ReplayMarks<S>;
  /** Counts how often a snapshot turned out to be wrong. */
  #distrusted = 0;

  constructor(options: TemporalReplayOptions<S, E>) {
    this.#options = options;
    this.#marks = new ReplayMarks<S>(options.sizeOf);
  }

  /** @throws StoreError when the store failed; `corrupt` when an event on the way cannot be applied */
  async at(id: string, point: Point): Promise<Found<S>> {
    const stream = this.#options.aggregate.stream(id);
    const distrusted = this.#distrusted;
    const start = await this.#startFor(id, stream, point);
    const found = await this.#tryToReadFrom(stream, start, point, distrusted);
    if (found !== 'not_anchored') return found;
    // The stream was deleted since, or the snapshot is of another one or wrong: the events alone count.
    this.#marks.forget(stream);
    const anew = await this.#readFrom(stream, undefined, point, this.#distrusted);
    return anew === 'not_anchored' ? { kind: 'missing' } : anew;
  }

  /** Drops what is remembered of an aggregate: it may come from a snapshot that turned out to be wrong. */
  distrust(id: string): void {
    this.#distrusted += 1;
    this.#marks.forget(this.#options.aggregate.stream(id));
  }

  /** The nearest known state that is early enough. */
  async #startFor(id: string, stream: string, point: Point): Promise<ReplayMark<S> | undefined> {
    const { mark, isTight } = this.#marks.find(stream, ({ revision, latest }) =>
      'time' in point ? latest <= Date.parse(point.time) : revision <= point.revision,
    );
    const { snapshots } = this.#options;
    if (!snapshots || isTight) return mark;
    const snapshot = await ('time' in point
      ? snapshots.asOf(id, point.time)
      : snapshots.atOrBefore(id, point.revision));
    if (!snapshot || snapshot.revision <= (mark?.revision ?? -1)) return mark;
    return { ...snapshot, latest: Date.parse(snapshot.latest) };
  }

  /** What cannot be applied to a remembered state may well be to that which the events make. */
  async #tryToReadFrom(
    stream: string,
    start: ReplayMark<S> | undefined,
    point: Point,
    distrusted: number,
  ): Promise<Found<S> | 'not_anchored'> {
    try {
      return await this.#readFrom(stream, start, point, distrusted);
    } catch (error) {
      if (start && error instanceof StoreError && error.code === 'corrupt') return 'not_anchored';
      throw error;
    }
  }

  async #readFrom(
    stream: string,
    start: ReplayMark<S> | undefined,
    point: Point,
    distrusted: number,
  ): Promise<Found<S> | 'not_anchored'> {
    // The event that the start stands on is read too: it tells its time, and that the stream is still the same.
    const from = start?.revision ?? 0;
    const limit = 'time' in point ? {} : { limit: point.revision - from + 1 };
    const walk = new Walk<S, E>(this.#options, start);
    for await (const recorded of this.#options.reader.readStream(stream, { from, ...limit })) {
      const end = walk.take(recorded, point);
      if (end === 'later') break;
      if (end) return end;
      // An embedded store answers at once, in this thread: others get their turn.
      if (isTurn(recorded.revision)) await nextTurn();
    }
    // What turned out to be wrong meanwhile may be where this read began.
    if (distrusted === this.#distrusted) this.#marks.add(stream, walk.marks);
    return walk.outcome(point);
  }
}

/** One read of a stream: folds what is early enough, and notes marks on the way. */
class Walk<S, E extends DomainEvent> {
  readonly marks: ReplayMark<S>[] = [];
  readonly #sources: ReplaySources<S, E>;
  readonly #start: ReplayMark<S> | undefined;
  #latest: number;
  #moment: Moment<S> | undefined;

  constructor(sources: ReplaySources<S, E>, start: ReplayMark<S> | undefined) {
    this.#sources = sources;
    this.#start = start;
    this.#latest = start?.latest ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes in the next event, or says why it is the end. */
  take(recorded: RecordedEvent, point: Point): End<S> | undefined {
    const { revision, id, metadata } = recorded;
    const { timestamp } = metadata;
    if (this.#start && !this.#moment) {
      if (revision !== this.#start.revision || id !== this.#start.eventId) return 'not_anchored';
      this.#moment = { state: this.#start.state, revision, timestamp };
      return undefined;
    }
    if (revision !== (this.#moment?.revision ?? -1) + 1) return { kind: 'removed', firstRevision: revision };
    if ('time' in point && Date.parse(timestamp) > Date.parse(point.time)) {
      return this.#moment ? 'later' : { kind: 'before_first', firstTime: timestamp };
    }
    const state = stateAfter(stepOf(this.#sources, this.#moment?.state, recorded));
    this.#moment = { state, revision, timestamp };
    // A time that is none, as only foreign events have, is later than nothing.
    this.#latest = Math.max(this.#latest, Date.parse(timestamp) || this.#latest);
    if (isMarked(revision)) this.marks.push({ state, revision, eventId: id, latest: this.#latest });
    return undefined;
  }

  outcome(point: Point): Found<S> | 'not_anchored' {
    if (!this.#moment) return this.#start ? 'not_anchored' : { kind: 'missing' };
    const { revision } = this.#moment;
    if ('revision' in point && revision < point.revision)
      return { kind: 'beyond_last', lastRevision: revision };
    return { kind: 'found', moment: this.#moment };
  }
}
