/** Delivers one event until it is decided: delivered, or parked because the sink keeps refusing it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from './backoff.ts';
import { reasonOf } from './dead-letter.ts';
import type { RecordedEvent } from './event-store.ts';
import { ReactorGate } from './reactor-gate.ts';

/**
 * What one try came to.
 * - `refused`: the sink answered that it does not take this event.
 * - `unreachable`: no answer, or one that says that nobody was there to answer.
 * - `busy`: the sink asks everybody to come back later.
 * - `unpublishable`: the event cannot be sent at all, now or ever.
 */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'refused' | 'unreachable' | 'busy' | 'unpublishable';
      readonly reason: string;
      /** The sink asked not to be tried again before that. */
      readonly retryAfterMs?: number;
    };

export type Failure = Exclude<DeliveryOutcome, { kind: 'delivered' }>;

/** Takes an event to the sink once. It bounds its own time, and gives up when the signal fires. */
export type Deliver = (event: RecordedEvent, signal: AbortSignal) => Promise<DeliveryOutcome>;

/** `stopped`: nothing is known, because the reactor ended meanwhile. */
export type Verdict =
  | { readonly kind: 'delivered' | 'stopped' }
  | { readonly kind: 'parked'; readonly cause: string; readonly attempts: number };

export interface DeliveryOptions {
  readonly deliver: Deliver;
  readonly concurrency: number;
  readonly triesMax: number;
  readonly retryDelayMs: number;
  /** Whether nothing new can be tried before something that is under way is decided. */
  readonly heldUp: () => boolean;
  readonly onUnreachable: (reason: string, delayMs: number) => void;
  readonly signal: AbortSignal;
}

/** What is in the air when the reactor ends may still arrive: else every restart would deliver it twice. */
const LAST_ANSWERS_MS_MAX = 2_000;

const DELIVERED: Verdict = { kind: 'delivered' };
const STOPPED: Verdict = { kind: 'stopped' };

export class ReactorDelivery {
  readonly #options: DeliveryOptions;
  readonly #gate: ReactorGate;
  readonly #tryEnds = new AbortController();
  /** Deliveries so far: who failed meanwhile failed by itself. */
  #delivered = 0;
  /** Being decided, and never failed by themselves. */
  readonly #unsuspected = new Set<RecordedEvent>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { concurrency: triesMax, retryDelayMs, signal } = options;
    this.#gate = new ReactorGate({ triesMax, retryDelayMs, signal });
    const giveUpTries = () => setTimeout(() => this.#tryEnds.abort(), LAST_ANSWERS_MS_MAX).unref();
    signal.addEventListener('abort', giveUpTries, { once: true });
  }

  /** Whether the sink as a whole cannot be reached. */
  get waiting(): boolean {
    return this.#gate.closed;
  }

  /**
   * Tries until the event is delivered or has used up its tries. A try counts against the event when the sink answered
   * and refused, or when nothing came back although other events got through meanwhile, or when none can get through
   * because all wait for such as this one. Otherwise the sink is at fault, and there is no limit.
   * @param parkedBefore it has used up its tries once: it must not hold up everything that waits for it
   */
  async decide(event: RecordedEvent, { parkedBefore = false } = {}): Promise<Verdict> {
    if (!parkedBefore) this.#unsuspected.add(event);
    try {
      return await this.#decide(event, parkedBefore);
    } finally {
      this.#unsuspected.delete(event);
    }
  }

  async #decide(event: RecordedEvent, parkedBefore: boolean): Promise<Verdict> {
    let attempts = 0;
    let deliveredBefore: number | undefined;
    for (;;) {
      const pass = await this.#gate.enter();
      if (!pass) return STOPPED;
      deliveredBefore ??= this.#delivered;
      const outcome = await this.#try(event);
      if (outcome.kind === 'delivered') {
        this.#delivered += 1;
        this.#gate.answered(pass);
        return DELIVERED;
      }
      if (this.#delivered > deliveredBefore) this.#unsuspected.delete(event);
      const failedAlone = parkedBefore || this.#delivered > deliveredBefore || this.#stuck;
      deliveredBefore = this.#delivered;
      if (this.#options.signal.aborted) {
        this.#gate.left(pass);
        return STOPPED;
      }
      if (outcome.kind === 'busy' || (outcome.kind === 'unreachable' && !failedAlone)) {
        const delayMs = this.#gate.unreachable(pass, outcome.retryAfterMs);
        if (delayMs !== undefined) this.#options.onUnreachable(outcome.reason, delayMs);
        continue;
      }
      if (outcome.kind === 'refused') this.#gate.answered(pass);
      else this.#gate.left(pass);
      attempts += 1;
      if (outcome.kind === 'unpublishable' || attempts >= this.#options.triesMax) {
        return { kind: 'parked', cause: outcome.reason, attempts };
      }
      await this.#pause(attempts, outcome.retryAfterMs);
    }
  }

  /** Nothing that could prove the sink gets its turn. */
  get #stuck(): boolean {
    return this.#unsuspected.size === 0 && this.#options.heldUp();
  }

  async #try(event: RecordedEvent): Promise<DeliveryOutcome> {
    try {
      return await this.#options.deliver(event, this.#tryEnds.signal);
    } catch (error) {
      // It should have been an outcome. Whatever it is, this event meets it.
      return { kind: 'refused', reason: reasonOf(error) };
    }
  }

  async #pause(attempts: number, leastMs = 0): Promise<void> {
    const delayMs = Math.max(backoff(this.#options.retryDelayMs, attempts), leastMs);
    await sleep(delayMs, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }
}
