/** Runs the projector where it belongs: on a thread of its own beside file stores, or on this thread beside memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { BankEvent } from './domain/bank-event.ts';
import {
  Projector,
  type ProjectorOptions,
  type ProjectorProblem,
  type ProjectorState,
} from './event-sourcing/projector.ts';
import { Signal } from './event-sourcing/signal.ts';
import { StoreError, type StoreErrorCode } from './event-sourcing/store-error.ts';

/** The worker role as the API sees it, wherever it runs. */
export interface ProjectionRunner {
  /** Fires when read models have advanced. */
  readonly projected: Signal;
  state(): ProjectorState;
  /** Someone is waiting: project now. */
  wake(): void;
  stop(): Promise<void>;
}

export interface WorkerInput {
  readonly eventStorePath: string;
  readonly readModelsPath: string;
  readonly defaultCurrency: string;
}

export type ToWorker = 'appended' | 'wake' | 'stop';

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'projected'; readonly state: ProjectorState }
  | { readonly kind: 'problem'; readonly state: ProjectorState; readonly problem: ProjectorProblem };

export type ReportProblem = (
  problem: ProjectorProblem | { kind: 'worker_died'; error: unknown; delayMs: number },
) => void;

/** Least time between two notices to the worker, in milliseconds: one for each commit would cost more than it tells. */
const NOTICE_SPACING_MS = 5;
const RESTART_DELAY_MS_MAX = 30_000;

/** On this thread, for stores that live in memory. */
export function runInThisThread(options: ProjectorOptions<BankEvent>, appended: Signal): ProjectionRunner {
  const projected = new Signal();
  const projector = new Projector({ ...options, onProjected: () => projected.notify() });
  const stopping = new AbortController();
  const running = projector.run(stopping.signal);
  return {
    projected,
    state: () => projector.state,
    wake() {
      projector.wake();
      appended.notify();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/**
 * On a thread of its own; one that dies is started again, with a growing delay.
 * @throws StoreError when the read models cannot be opened the first time
 */
export async function runInWorkerThread(
  input: WorkerInput,
  appended: Signal,
  report: ReportProblem,
): Promise<ProjectionRunner> {
  const thread = new ProjectionThread(input, report);
  await thread.start();
  void thread.forwardNotices(appended);
  return thread;
}

class ProjectionThread implements ProjectionRunner {
  readonly projected = new Signal();
  readonly #input: WorkerInput;
  readonly #report: ReportProblem;
  readonly #stopping = new AbortController();
  #worker: Worker | undefined;
  #state: ProjectorState = 'stopped';
  #deaths = 0;

  constructor(input: WorkerInput, report: ReportProblem) {
    this.#input = input;
    this.#report = report;
  }

  state(): ProjectorState {
    return this.#state;
  }

  wake(): void {
    this.#send('wake');
  }

  /** Resolves when the worker follows the log, rejects when it could not open its stores. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./projection-worker.ts', import.meta.url), {
        workerData: this.#input,
      });
      this.#worker = worker;
      let failure: unknown;
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') {
          this.#state = 'running';
          resolve();
        } else if (message.kind === 'failed') {
          failure = new StoreError(message.code, message.message);
        } else {
          this.#heard(message);
        }
      });
      worker.on('error', (error) => {
        failure = error;
      });
      worker.on('exit', () => {
        const started = this.#state !== 'stopped';
        this.#state = 'stopped';
        this.#worker = undefined;
        failure ??= new Error('the projection worker ended by itself');
        reject(failure);
        if (started) void this.#restart(failure);
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    this.#send('stop');
    await ended;
  }

  /** Tells the worker of new events, at most once in a while. */
  async forwardNotices(appended: Signal): Promise<void> {
    const { signal } = this.#stopping;
    const next = () => appended.wait(60_000, signal);
    let notice = next();
    while (!signal.aborted) {
      await notice;
      this.#send('appended');
      // Listens before it sleeps: what is appended meanwhile must not wait for the worker to look by itself.
      notice = next();
      await sleep(NOTICE_SPACING_MS);
    }
  }

  #heard(message: Extract<FromWorker, { state: ProjectorState }>): void {
    this.#state = message.state;
    if (message.kind === 'problem') this.#report(message.problem);
    else {
      this.#deaths = 0;
      this.projected.notify();
    }
  }

  async #restart(error: unknown): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#deaths += 1;
      const delayMs = Math.min(1_000 * 2 ** (this.#deaths - 1), RESTART_DELAY_MS_MAX);
      this.#report({ kind: 'worker_died', error, delayMs });
      await new Signal().wait(delayMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      try {
        return await this.start();
      } catch (again) {
        error = again;
      }
    }
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
