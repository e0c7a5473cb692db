/** Work that is due by the clock, done again and again until the service ends; what fails is reported, and tried next time. */
import { Signal } from '../event-sourcing/signal.ts';

/** One piece of such work; it must be safe to do twice, also at the same time on another node. */
export interface Timer {
  /** In the log, and in the status. */
  readonly name: string;
  readonly everyMs: number;
  /** Does what is due; it should stop soon after `signal` has fired. */
  run(signal: AbortSignal): Promise<void>;
}

/** How a timer is doing. Times are RFC 3339 UTC. */
export interface TimerStatus {
  readonly name: string;
  readonly every_seconds: number;
  /** Null until it has run for the first time. */
  readonly last_run_at: string | null;
  /** Why the last run did not do all that it should; null when it did. */
  readonly last_error: string | null;
}

export interface TimerProblem {
  readonly timer: string;
  readonly error: unknown;
}

export class RunningTimer {
  readonly #timer: Timer;
  readonly #onProblem: (problem: TimerProblem) => void;
  #lastRunAt: string | null = null;
  #lastError: string | null = null;

  constructor(timer: Timer, onProblem: (problem: TimerProblem) => void) {
    this.#timer = timer;
    this.#onProblem = onProblem;
  }

  status(): TimerStatus {
    const { name, everyMs } = this.#timer;
    return {
      name,
      every_seconds: everyMs / 1000,
      last_run_at: this.#lastRunAt,
      last_error: this.#lastError,
    };
  }

  /** Works until `signal` fires, for the first time after one interval: a service that starts has other things to do. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs } = this.#timer;
    while (!signal.aborted) {
      // With jitter, so that nodes which started together do not work together.
      await new Signal().wait(everyMs * (0.75 + Math.random() / 2), signal);
      if (!signal.aborted) await this.#runOnce(signal);
    }
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { name: timer } = this.#timer;
    let failure: string | null = null;
    try {
      await this.#timer.run(signal);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      this.#onProblem({ timer, error });
    }
    this.#lastError = failure;
    this.#lastRunAt = new Date().toISOString();
  }
}
