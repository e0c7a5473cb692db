/**
 * Tells the outside world what happened: one supervised loop that follows the log and delivers each event, in order
 * within its stream, at least once. An event that cannot be delivered is parked and holds back only its own stream.
 * It has a checkpoint of its own and nothing to do with read models: their rebuild delivers nothing again.
 */
import { backoff } from './backoff.ts';
import { deadLetter, WAITS_FOR_EARLIER } from './dead-letter.ts';
import type { EventReader, Position, RecordedEvent } from './event-store.ts';
import { isFiller } from './filler-event.ts';
import { OPERATOR_STREAM_PREFIX, toOperatorRequest, toProjectionRequest } from './operator-requests.ts';
import { type Deliver, ReactorDelivery } from './reactor-delivery.ts';
import { isHeld, ReactorJournal } from './reactor-journal.ts';
import { ReactorLanes } from './reactor-lanes.ts';
import { ReactorRequestDesk } from './reactor-requests.ts';
import type { DeadLetter, Fence, ReadModelStore } from './read-model-store.ts';
import { Signal } from './signal.ts';
import { StoreError } from './store-error.ts';

export interface ReactorOptions {
  /** Names its checkpoint and its dead letters: lower-case letters and `_`. */
  readonly name: string;
  readonly reader: EventReader;
  /** A store that no rebuild of read models clears, prepared with `reactorCollection(name)`. */
  readonly store: ReadModelStore;
  /** Only events of streams whose names begin with one of these are delivered. */
  readonly streamPrefixes: readonly string[];
  readonly deliver: Deliver;
  /** Proves leadership where several workers could run. */
  readonly fence?: Fence;
  readonly onProblem?: (problem: ReactorProblem) => void;
  /** Tries at once. Default 16. */
  readonly concurrency?: number;
  /** Events read from the log whose delivery is not finished and committed. Default 1,000. */
  readonly eventsMax?: number;
  /** Tries of an event before it is parked. Default 5. */
  readonly triesMax?: number;
  /** First delay after a failure, doubled each time up to 30 s, in milliseconds. Default 1,000. */
  readonly retryDelayMs?: number;
  /** Events between two commits, which is about how many a crash delivers again. Default 100. */
  readonly commitEvents?: number;
  /** The longest that a delivered event waits for its commit, in milliseconds. Default 100. */
  readonly commitIntervalMs?: number;
}

export type ReactorProblem =
  | {
      readonly kind: 'retrying';
      readonly error: unknown;
      readonly failures: number;
      readonly delayMs: number;
    }
  | { readonly kind: 'sink_unreachable'; readonly reason: string; readonly delayMs: number }
  | { readonly kind: 'parked'; readonly letter: DeadLetter }
  | { readonly kind: 'unknown_request'; readonly event: RecordedEvent }
  | { readonly kind: 'starting_over'; readonly reason: string };

/** `waiting`: the sink as a whole cannot be reached. `retrying`: a store failed. */
export type ReactorState = 'running' | 'waiting' | 'retrying' | 'stopped';

/** What one subscription to the log works with. */
interface Run {
  readonly journal: ReactorJournal;
  readonly delivery: ReactorDelivery;
  readonly lanes: ReactorLanes;
  readonly desk: ReactorRequestDesk;
  readonly start: Position;
  readonly signal: AbortSignal;
}

export class Reactor {
  readonly #options: ReactorOptions;
  #state: Exclude<ReactorState, 'waiting'> = 'stopped';
  #run: Run | undefined;

  constructor(options: ReactorOptions) {
    this.#options = options;
  }

  get state(): ReactorState {
    return this.#state === 'running' && this.#run?.delivery.waiting ? 'waiting' : this.#state;
  }

  /**
   * Follows the log until `signal` fires. A failure is reported and tried again, for ever.
   * @throws StoreError `fenced`, and only this, when another worker leads by now
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    const succeeded = () => {
      failures = 0;
      this.#state = 'running';
    };
    while (!signal.aborted) {
      try {
        await this.#follow(signal, succeeded);
      } catch (error) {
        if (error instanceof StoreError && error.code === 'fenced') {
          this.#run = undefined;
          this.#state = 'stopped';
          throw error;
        }
        failures += 1;
        this.#state = 'retrying';
        const delayMs = backoff(this.#options.retryDelayMs ?? 1_000, failures);
        this.#report({ kind: 'retrying', error, failures, delayMs });
        await new Signal().wait(delayMs, signal);
      }
    }
    this.#run = undefined;
    this.#state = 'stopped';
  }

  /** Reads and keeps the books side by side; when one of them fails, the other ends too. */
  async #follow(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const ending = new AbortController();
    const run = await this.#begin(AbortSignal.any([signal, ending.signal]));
    this.#run = run;
    this.#state = 'running';
    const failures: unknown[] = [];
    const failed = (error: unknown) => {
      failures.push(error);
      ending.abort();
    };
    await Promise.all([this.#read(run).catch(failed), this.#keepBooks(run, succeeded).catch(failed)]);
    // Nothing of this run may reach the sink after the next one has begun.
    await run.lanes.ended();
    if (failures.length > 0) throw failures[0];
    await run.journal.commit(run.lanes.takeSafePosition());
  }

  async #begin(signal: AbortSignal): Promise<Run> {
    const { name, reader, store, fence, deliver } = this.#options;
    const { concurrency = 16, triesMax = 5, retryDelayMs = 1_000, eventsMax = 1_000 } = this.#options;
    const journal = new ReactorJournal(name, store, fence);
    const start = await this.#startingPoint(journal);
    const delivery = new ReactorDelivery({
      deliver,
      concurrency,
      triesMax,
      retryDelayMs,
      heldUp: (): boolean => lanes.heldUp,
      onUnreachable: (reason, delayMs) => this.#report({ kind: 'sink_unreachable', reason, delayMs }),
      signal,
    });
    const handle = (event: RecordedEvent) => this.#handle(journal, delivery, event);
    const lanes: ReactorLanes = new ReactorLanes({ handle, eventsMax, start, signal });
    const commit = () => journal.commit(lanes.takeSafePosition());
    const desk = new ReactorRequestDesk({ reader, journal, delivery, commit, signal });
    return { journal, delivery, lanes, desk, start, signal };
  }

  /**
   * After the checkpoint. One that lies beyond the end of the log belongs to events that are lost: which of the new
   * ones were delivered cannot be told, so all are.
   */
  async #startingPoint(journal: ReactorJournal): Promise<Position> {
    const checkpoint = await journal.checkpoint();
    const head = (await this.#options.reader.headPosition()) ?? 0n;
    if (checkpoint <= head) return checkpoint;
    const reason = `the checkpoint ${checkpoint} lies beyond the end of the log at ${head}`;
    this.#report({ kind: 'starting_over', reason });
    await journal.startOver();
    return 0n;
  }

  async #read(run: Run): Promise<void> {
    const { reader } = this.#options;
    const { lanes, start, signal } = run;
    const streamPrefixes = [...this.#options.streamPrefixes, OPERATOR_STREAM_PREFIX];
    const after = start === 0n ? {} : { after: start };
    let position = start;
    for await (const batch of reader.subscribeToAll({ ...after, streamPrefixes, signal })) {
      for (const event of batch.events) {
        // The checkpoint passes it below, as it passes what was filtered out.
        if (isFiller(event)) continue;
        if (event.stream.startsWith(OPERATOR_STREAM_PREFIX)) await this.#obey(run, event);
        else await lanes.add(event);
        if (signal.aborted) return;
        position = event.position;
      }
      // What was filtered out moves the checkpoint too.
      if (batch.position > position) lanes.finish(lanes.begin(batch.position));
      position = batch.position;
    }
    // Without this, a store that keeps ending its subscriptions would be asked again without a pause.
    if (!signal.aborted) throw new StoreError('unavailable', 'The subscription to the log ended by itself.');
  }

  async #keepBooks({ journal, lanes, signal }: Run, succeeded: () => void): Promise<void> {
    const { commitEvents = 100, commitIntervalMs = 100 } = this.#options;
    while (!signal.aborted) {
      await lanes.progress(commitEvents, commitIntervalMs);
      if (signal.aborted) return;
      await journal.commit(lanes.takeSafePosition());
      succeeded();
    }
  }

  /** Delivers or parks one event. @returns false when the end came first */
  async #handle(journal: ReactorJournal, delivery: ReactorDelivery, event: RecordedEvent): Promise<boolean> {
    const { name } = this.#options;
    const { stream, position } = event;
    const known = await journal.stream(stream);
    if (isHeld(known)) {
      const { held_by, cause, attempts } = known.document;
      // After a crash events come a second time; those before the one that holds the stream were dealt with.
      if (position < BigInt(held_by)) return true;
      const own = position === BigInt(held_by);
      journal.park(deadLetter(name, stream, event, own ? cause : WAITS_FOR_EARLIER, own ? attempts : 0));
      return true;
    }
    const verdict = await delivery.decide(event);
    if (verdict.kind !== 'parked') return verdict.kind === 'delivered';
    const { cause, attempts } = verdict;
    const letter = deadLetter(name, stream, event, cause, attempts);
    journal.hold(stream, known, position, { by: position, cause, attempts });
    journal.park(letter);
    this.#report({ kind: 'parked', letter });
    return true;
  }

  /** Acts on a request after all that came before it was delivered or parked, and before anything that comes after. */
  async #obey({ desk, journal, lanes, signal }: Run, event: RecordedEvent): Promise<void> {
    const underWay = lanes.begin(event.position);
    const request = toOperatorRequest(event);
    if (!request && !toProjectionRequest(event)) this.#report({ kind: 'unknown_request', event });
    if (request?.data.consumer === this.#options.name) {
      await lanes.empty();
      await journal.commit(lanes.takeSafePosition());
      if (!signal.aborted) await desk.obey(request, event.position);
      if (signal.aborted) return;
    }
    lanes.finish(underWay);
  }

  #report(problem: ReactorProblem): void {
    this.#options.onProblem?.(problem);
  }
}
