/**
 * One lane for each stream that has events under way: in order within a lane, lanes beside each other. Knows up to where
 * everything is finished, and makes its reader wait while too much is not.
 */
import type { Position, RecordedEvent } from './event-store.ts';
import { Signal } from './signal.ts';

/** Something in the log that is under way; a checkpoint must not pass it before it is finished. */
export interface UnderWay {
  readonly position: Position;
  finished: boolean;
}

interface Queued {
  readonly event: RecordedEvent;
  readonly underWay: UnderWay;
}

/** The safety net of every wait; what matters is announced. */
const LOOK_MS = 1_000;

export class ReactorLanes {
  readonly #handle: (event: RecordedEvent) => Promise<boolean>;
  readonly #eventsMax: number;
  readonly #signal: AbortSignal;
  /** In the order of the log. */
  #underWay: UnderWay[] = [];
  readonly #lanes = new Map<string, Queued[]>();
  readonly #changed = new Signal();
  #safe: Position;
  #finished = 0;
  /** Somebody waits until nothing is under way. */
  #emptying = false;
  #failure: unknown;

  /**
   * @param handle deals with one event, and says whether it could before the end; what it throws ends all lanes, and
   * `add`, `empty` and `progress` throw it on
   * @param start everything up to here is finished already
   */
  constructor(options: {
    handle: (event: RecordedEvent) => Promise<boolean>;
    eventsMax: number;
    start: Position;
    signal: AbortSignal;
  }) {
    this.#handle = options.handle;
    this.#eventsMax = options.eventsMax;
    this.#safe = options.start;
    this.#signal = options.signal;
  }

  /** Whether no event is added before an earlier one is finished. */
  get heldUp(): boolean {
    return this.#emptying || this.#full;
  }

  /** Queues an event in its stream's lane; waits while there are too many. */
  async add(event: RecordedEvent): Promise<void> {
    await this.#until(() => !this.#full);
    if (this.#signal.aborted) return;
    const queued = { event, underWay: this.begin(event.position) };
    const lane = this.#lanes.get(event.stream);
    if (lane) {
      lane.push(queued);
    } else {
      this.#lanes.set(event.stream, [queued]);
      void this.#drain(event.stream);
    }
  }

  /** Something outside of the lanes begins that checkpoints must wait for; positions only rise. */
  begin(position: Position): UnderWay {
    const underWay = { position, finished: false };
    this.#underWay.push(underWay);
    return underWay;
  }

  finish(underWay: UnderWay): void {
    underWay.finished = true;
    this.#finished += 1;
    this.#changed.notify();
  }

  /** Waits until nothing is under way, or for the end. */
  async empty(): Promise<void> {
    this.#emptying = true;
    await this.#until(() => this.#lanes.size === 0);
    this.#emptying = false;
  }

  /** Waits until so many are finished that were not taken yet, or until one is and the time is over. */
  async progress(enough: number, patienceMs: number): Promise<void> {
    await this.#until(() => this.#finished > 0);
    const deadline = performance.now() + patienceMs;
    while (!this.#signal.aborted && this.#finished < enough) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#changed.wait(left, this.#signal);
    }
  }

  /** The position up to which everything is finished; what is finished from now on counts as progress. */
  takeSafePosition(): Position {
    this.#finished = 0;
    const open = this.#underWay.findIndex(({ finished }) => !finished);
    const through = open < 0 ? this.#underWay.length : open;
    this.#safe = this.#underWay[through - 1]?.position ?? this.#safe;
    this.#underWay = this.#underWay.slice(through);
    // Only now there is room again.
    if (through > 0) this.#changed.notify();
    return this.#safe;
  }

  /** Waits for the tries that are still in the air after the end. */
  async ended(): Promise<void> {
    while (this.#lanes.size > 0) await this.#changed.wait(LOOK_MS);
  }

  async #drain(stream: string): Promise<void> {
    const lane = this.#lanes.get(stream) ?? [];
    try {
      for (let next = lane[0]; next && !this.#stopped; next = lane[0]) {
        if (!(await this.#handle(next.event))) break;
        lane.shift();
        this.finish(next.underWay);
      }
    } catch (error) {
      this.#failure ??= error;
    }
    this.#lanes.delete(stream);
    this.#changed.notify();
  }

  get #full(): boolean {
    return this.#underWay.length >= this.#eventsMax;
  }

  get #stopped(): boolean {
    return this.#signal.aborted || this.#failure !== undefined;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!this.#stopped && !holds()) await this.#changed.wait(LOOK_MS, this.#signal);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
