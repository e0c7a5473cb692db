/** Lets so many tries reach a sink at once, and one at a time while the sink as a whole cannot be reached. */
import { backoff } from './backoff.ts';

/** Leave to try once; it must be given back in one of three ways. */
export interface Pass {
  /** How often the gate had closed when it was given. */
  readonly closings: number;
}

export class ReactorGate {
  readonly #triesMax: number;
  readonly #retryDelayMs: number;
  readonly #signal: AbortSignal;
  readonly #waiting: ((pass: Pass | undefined) => void)[] = [];
  #trying = 0;
  /** Closings since something last got through; 0 while the gate is open. */
  #failures = 0;
  #closings = 0;
  #reopensAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param signal ends it: whoever waits leaves without a pass */
  constructor(options: { triesMax: number; retryDelayMs: number; signal: AbortSignal }) {
    this.#triesMax = options.triesMax;
    this.#retryDelayMs = options.retryDelayMs;
    this.#signal = options.signal;
    options.signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  get closed(): boolean {
    return this.#failures > 0;
  }

  /** Waits for leave to try; first come, first served. `undefined` is the end. */
  enter(): Promise<Pass | undefined> {
    if (this.#signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#admit();
    });
  }

  /** The sink answered, so it can be reached. */
  answered(_pass: Pass): void {
    this.#trying -= 1;
    this.#failures = 0;
    this.#admit();
  }

  /** The try says nothing about the sink as a whole. */
  left(_pass: Pass): void {
    this.#trying -= 1;
    this.#admit();
  }

  /**
   * The sink cannot be reached, or asks everybody to wait: closes the gate, longer each time in a row.
   * @param leastMs at least so long
   * @returns the milliseconds for which it is closed, or `undefined` when another try of the same time closed it
   */
  unreachable(pass: Pass, leastMs = 0): number | undefined {
    this.#trying -= 1;
    if (pass.closings !== this.#closings) {
      this.#admit();
      return undefined;
    }
    this.#closings += 1;
    this.#failures += 1;
    const delayMs = Math.max(backoff(this.#retryDelayMs, this.#failures), leastMs);
    this.#reopensAt = performance.now() + delayMs;
    this.#admitAfter(delayMs);
    return delayMs;
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#mayTry()) {
      this.#trying += 1;
      this.#waiting.shift()?.({ closings: this.#closings });
    }
  }

  /** While closed, one try at a time goes ahead, and only after the wait is over. */
  #mayTry(): boolean {
    if (!this.closed) return this.#trying < this.#triesMax;
    const leftMs = this.#reopensAt - performance.now();
    // A timer may fire a fraction of a millisecond early.
    if (leftMs > 0) this.#admitAfter(leftMs);
    return leftMs <= 0 && this.#trying === 0;
  }

  #admitAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#signal.aborted ? undefined : setTimeout(() => this.#admit(), delayMs);
  }

  #end(): void {
    clearTimeout(this.#timer);
    for (const leave of this.#waiting.splice(0)) leave(undefined);
  }
}
