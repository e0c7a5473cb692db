/**
 * How fast a rebuild may go: as fast as it can while nothing else happens, and a fraction of the time while new events
 * keep coming, because then somebody needs the processor and the disk more.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface RebuildPaceOptions {
  /** Events that came to what is served so far. */
  readonly eventsServed: () => number;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
  /** Places in which a rebuild works at the same time, each with a pace like this one. Default 1. */
  readonly places?: number;
  readonly rest?: (ms: number) => Promise<unknown>;
}

/** Events a second from which on the bank counts as at work. */
const BUSY_EVENTS_PER_SECOND = 50;
/** Rest for each millisecond of work while the bank is at work: about a sixth of the time is left to the rebuild. */
const REST_PER_WORK = 5;
/** The longest rest, in milliseconds. */
const REST_MS_MAX = 500;
/** Time over which events are counted, in milliseconds. */
const WINDOW_MS = 500;

export class RebuildPace {
  readonly #eventsServed: () => number;
  readonly #restPerWork: number;
  readonly #clock: () => number;
  readonly #rest: (ms: number) => Promise<unknown>;
  #resumedAt: number;
  #window: { readonly since: number; readonly events: number };
  #busy = false;

  constructor({
    eventsServed,
    places = 1,
    clock = () => performance.now(),
    rest = (ms) => (ms > 0 ? sleep(ms) : nextTurn()),
  }: RebuildPaceOptions) {
    this.#eventsServed = eventsServed;
    this.#restPerWork = REST_PER_WORK * places;
    this.#clock = clock;
    this.#rest = rest;
    this.#resumedAt = clock();
    this.#window = { since: this.#resumedAt, events: eventsServed() };
  }

  /** Whether the bank was at work lately. */
  get busy(): boolean {
    return this.#busy;
  }

  /** To be awaited after every piece of work. */
  async next(): Promise<void> {
    const now = this.#clock();
    const worked = now - this.#resumedAt;
    this.#look(now);
    // Even where nothing else happens, everything else on this thread has its turn.
    await this.#rest(this.#busy ? Math.min(worked * this.#restPerWork, REST_MS_MAX) : 0);
    this.#resumedAt = this.#clock();
  }

  #look(now: number): void {
    const { since, events } = this.#window;
    if (now - since < WINDOW_MS) return;
    const seen = this.#eventsServed();
    this.#busy = ((seen - events) * 1_000) / (now - since) >= BUSY_EVENTS_PER_SECOND;
    this.#window = { since: now, events: seen };
  }
}
