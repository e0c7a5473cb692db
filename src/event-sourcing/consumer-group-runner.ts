/**
 * Takes part in a consumer group for as long as the program lives: one supervised loop that hands each event to its
 * handler and answers for it. Every way of failing ends in another try or in a parked message, never in silence.
 */
import { backoff, RETRY_DELAY_MS_MAX } from './backoff.ts';
import {
  type ConsumerGroupSettings,
  type ConsumerGroups,
  type Delivery,
  MAX_RETRIES_DEFAULT,
  MESSAGE_TIMEOUT_MS_DEFAULT,
} from './consumer-groups.ts';
import { type RecordedEvent, UNREADABLE_EVENT_TYPE } from './event-store.ts';
import { isFiller } from './filler-event.ts';
import { TemporaryError } from './projection.ts';
import { Signal } from './signal.ts';
import { StoreError } from './store-error.ts';

export interface ConsumerGroupRunnerOptions {
  readonly groups: ConsumerGroups;
  readonly settings: ConsumerGroupSettings;
  /**
   * Does the work of one event; returning means that it is done. It may be called again for the same event, also while
   * an earlier call has not returned. What it throws is permanent and parks the event, unless it is a TemporaryError or
   * says how a store fares. `signal` fires when the program wants to end.
   */
  readonly handle: (event: RecordedEvent, signal: AbortSignal) => Promise<void>;
  /** Events handled at once. Default 10. */
  readonly concurrency?: number;
  /** Ends the run; what is under way may finish first, for a bounded time. */
  readonly signal: AbortSignal;
  readonly onProblem?: (problem: ConsumerGroupProblem) => void;
  /** First delay after a failure, doubled each time. Default 1,000. */
  readonly retryDelayMs?: number;
}

/** The place of a message that a problem is about. */
interface MessagePlace {
  readonly group: string;
  readonly stream: string;
  readonly revision: number;
  readonly eventType: string;
  readonly error: unknown;
  /** Deliveries so far, this one included. */
  readonly attempts: number;
}

export type ConsumerGroupProblem =
  /** The group could not be consumed. */
  | {
      readonly kind: 'retrying';
      readonly group: string;
      readonly error: unknown;
      readonly failures: number;
      readonly delayMs: number;
    }
  /** One event failed for now, and comes again. */
  | ({ readonly kind: 'message_retried' } & MessagePlace)
  /** One event failed for good, and waits for an operator. */
  | ({ readonly kind: 'message_parked' } & MessagePlace)
  /** What became of an event could not be told to the store, so it comes again. */
  | ({ readonly kind: 'answer_lost' } & MessagePlace);

export type ConsumerGroupState = 'running' | 'retrying' | 'stopped';

/** What became of the messages since the start. */
export interface ConsumerGroupCounts {
  readonly done: number;
  readonly retried: number;
  readonly parked: number;
}

export interface RunningConsumerGroup {
  readonly state: ConsumerGroupState;
  readonly counts: ConsumerGroupCounts;
  /** Resolves when `signal` has ended the run. Never rejects. */
  readonly ended: Promise<void>;
}

const CONCURRENCY_DEFAULT = 10;
const RETRY_DELAY_MS_DEFAULT = 1_000;
/** How long the work under way may go on when the run ends. */
const FINISH_MS_MAX = 5_000;
/** The part of a message's timeout that may pass before a refusal is sent, so that it is not too late. */
const REFUSAL_TIME_SHARE = 0.5;

/** Creates the group or updates its settings, and handles its events until `signal` fires. */
export function runConsumerGroup(options: ConsumerGroupRunnerOptions): RunningConsumerGroup {
  const runner = new ConsumerGroupRunner(options);
  const ended = runner.run();
  return {
    get state() {
      return runner.state;
    },
    get counts() {
      return { ...runner.counts };
    },
    ended,
  };
}

class ConsumerGroupRunner {
  state: ConsumerGroupState = 'stopped';
  readonly counts = { done: 0, retried: 0, parked: 0 };
  readonly #options: ConsumerGroupRunnerOptions;
  readonly #concurrency: number;
  readonly #underWay = new Set<Delivery>();
  /** Fires when the work of an event has ended. */
  readonly #finished = new Signal();

  constructor(options: ConsumerGroupRunnerOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? CONCURRENCY_DEFAULT;
  }

  async run(): Promise<void> {
    const { settings, signal } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = Date.now();
      try {
        await this.#consume();
      } catch (error) {
        // What worked for a long time starts over with a short delay.
        failures = Date.now() - startedAt > RETRY_DELAY_MS_MAX ? 1 : failures + 1;
        const delayMs = backoff(this.#retryDelayMs, failures);
        this.state = 'retrying';
        this.#report({ kind: 'retrying', group: settings.name, error, failures, delayMs });
        await new Signal().wait(delayMs, signal);
      }
    }
    this.state = 'stopped';
  }

  async #consume(): Promise<void> {
    const { groups, settings, signal } = this.#options;
    await groups.ensureGroup(settings);
    this.state = 'running';
    const consumption = new AbortController();
    // Ending the consumption first would give others what is nearly done here.
    const stop = () => void this.#allFinished().then(() => consumption.abort());
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const options = { maxInFlight: this.#concurrency, signal: consumption.signal };
      for await (const delivery of groups.consume(settings.name, options)) {
        // What still comes after the end is not begun: it goes to others.
        if (!signal.aborted) await this.#begin(delivery, consumption.signal);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#allFinished();
      consumption.abort();
    }
    // Without this, a store that keeps ending the consumption would be asked again without a pause.
    if (!signal.aborted) throw new StoreError('unavailable', 'The consumption ended by itself.');
  }

  /** Starts the work of an event; waits while too many are under way, for the store forgets those that timed out. */
  async #begin(delivery: Delivery, stopped: AbortSignal): Promise<void> {
    this.#underWay.add(delivery);
    void this.#work(delivery).then(() => {
      this.#underWay.delete(delivery);
      this.#finished.notify();
    });
    while (this.#underWay.size >= this.#concurrency && !stopped.aborted) {
      await this.#finished.wait(RETRY_DELAY_MS_MAX, stopped);
    }
  }

  /** Waits for the work under way, for a bounded time. */
  async #allFinished(): Promise<void> {
    const deadline = Date.now() + FINISH_MS_MAX;
    while (this.#underWay.size > 0 && Date.now() < deadline) {
      await this.#finished.wait(deadline - Date.now());
    }
  }

  /** Handles an event and answers for it; never rejects. */
  async #work(delivery: Delivery): Promise<void> {
    const { handle, signal } = this.#options;
    const startedAt = Date.now();
    try {
      if (delivery.event.type === UNREADABLE_EVENT_TYPE) throw new Error('The event cannot be read.');
      if (!isFiller(delivery.event)) await handle(delivery.event, signal);
    } catch (error) {
      return this.#refuse(delivery, error, startedAt);
    }
    if (await this.#answer(delivery, delivery.ack())) this.counts.done += 1;
  }

  async #refuse(delivery: Delivery, error: unknown, startedAt: number): Promise<void> {
    const { maxRetries = MAX_RETRIES_DEFAULT } = this.#options.settings;
    // The last try is parked by us and not by the store, which would not know the reason.
    if (!isTemporary(error) || delivery.retries >= maxRetries) {
      if (!(await this.#answer(delivery, delivery.nack('park', reasonOf(error))))) return;
      this.counts.parked += 1;
      return this.#report({ kind: 'message_parked', ...this.#place(delivery, error) });
    }
    this.#report({ kind: 'message_retried', ...this.#place(delivery, error) });
    await this.#holdBack(delivery, startedAt);
    if (await this.#answer(delivery, delivery.nack('retry', reasonOf(error)))) this.counts.retried += 1;
  }

  /** Keeps a message that failed for now for a while, but not beyond its time. */
  async #holdBack(delivery: Delivery, startedAt: number): Promise<void> {
    const { settings, signal } = this.#options;
    const { messageTimeoutMs = MESSAGE_TIMEOUT_MS_DEFAULT } = settings;
    const left = startedAt + messageTimeoutMs * REFUSAL_TIME_SHARE - Date.now();
    const delayMs = Math.min(backoff(this.#retryDelayMs, delivery.retries + 1), left);
    if (delayMs > 0) await new Signal().wait(delayMs, signal);
  }

  /** Whether the answer could be sent. */
  async #answer(delivery: Delivery, sending: Promise<void>): Promise<boolean> {
    try {
      await sending;
      return true;
    } catch (error) {
      this.#report({ kind: 'answer_lost', ...this.#place(delivery, error) });
      return false;
    }
  }

  #place({ event, retries }: Delivery, error: unknown): MessagePlace {
    const { stream, revision, type } = event;
    const group = this.#options.settings.name;
    return { group, stream, revision, eventType: type, error, attempts: retries + 1 };
  }

  #report(problem: ConsumerGroupProblem): void {
    this.#options.onProblem?.(problem);
  }

  get #retryDelayMs(): number {
    return this.#options.retryDelayMs ?? RETRY_DELAY_MS_DEFAULT;
  }
}

/** How a store fares says nothing of the event; only what it finds wrong with the request or the data does. */
function isTemporary(error: unknown): boolean {
  if (error instanceof StoreError) return error.code !== 'corrupt' && error.code !== 'invalid_request';
  return error instanceof TemporaryError;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
