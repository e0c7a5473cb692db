/** The worker role as the API sees it: on this thread beside memory, on a thread of its own, or in other processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker as Thread } from 'node:worker_threads';
import type { TimersProblem } from '../composition/compose-timers.ts';
import type { TransfersProblem } from '../composition/compose-transfers.ts';
import type { ProjectionsState, Worker, WorkerProblem, WorkerStates } from '../composition/compose-worker.ts';
import type { Config } from '../config.ts';
import { leaseWatcher } from '../event-sourcing/lease-sightings.ts';
import type { ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { Signal } from '../event-sourcing/signal.ts';
import { StoreError, type StoreErrorCode } from '../event-sourcing/store-error.ts';
import { projectionGroups } from '../projections/index.ts';

export interface WorkerRunner {
  /** Fires when read models have advanced; never, where the worker is another process. */
  readonly projected: Signal;
  /** @param group the name of one of them; missing: all together */
  state(group?: string): Promise<ProjectionsState>;
  /** Someone is waiting: project now. */
  wake(): void;
  stop(): Promise<void>;
}

export type ToThread = 'appended' | 'wake' | 'stop';

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'projected'; readonly states: WorkerStates }
  | { readonly kind: 'state'; readonly states: WorkerStates }
  | { readonly kind: 'problem'; readonly states: WorkerStates; readonly problem: WorkerProblem };

export type ReportProblem = (
  problem:
    | WorkerProblem
    | TransfersProblem
    | TimersProblem
    | { kind: 'worker_died'; error: unknown; delayMs: number },
) => void;

/** Least time between two notices to the thread, in milliseconds: one for each commit would cost more than it tells. */
const NOTICE_SPACING_MS = 5;
const RESTART_DELAY_MS_MAX = 30_000;

/** On this thread: for stores that live in memory, and for a process that is a worker and nothing else. */
export function runInThisThread(
  compose: (onProjected: () => void) => Worker,
  appended: Signal,
): WorkerRunner {
  const projected = new Signal();
  const worker = compose(() => projected.notify());
  const stopping = new AbortController();
  const running = worker.run(stopping.signal);
  return {
    projected,
    state: async (group) => stateIn(worker.states(), group),
    wake() {
      worker.wake();
      appended.notify();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function stateIn({ all, groups }: WorkerStates, group: string | undefined): ProjectionsState {
  return group === undefined ? all : (groups[group] ?? all);
}

/** In other processes: what they do shows in the leases that they keep. */
export function watchFromAfar(leases: Pick<ReadModelStore, 'listLeases'>): WorkerRunner {
  const alive = leaseWatcher(leases);
  return {
    projected: new Signal(),
    async state(group) {
      const held = await alive();
      const asked = group === undefined ? projectionGroups.map(({ name }) => name) : [group];
      return asked.every((name) => held.has(name)) ? 'running' : 'unattended';
    },
    wake() {},
    async stop() {},
  };
}

/**
 * On a thread of its own; one that dies is started again, with a growing delay.
 * @throws StoreError when the stores cannot be opened the first time
 */
export async function runInWorkerThread(
  config: Config,
  appended: Signal,
  report: ReportProblem,
): Promise<WorkerRunner> {
  const thread = new WorkerThread(config, report);
  await thread.start();
  void thread.forwardNotices(appended);
  return thread;
}

const STOPPED: WorkerStates = { all: 'stopped', groups: {} };

class WorkerThread implements WorkerRunner {
  readonly projected = new Signal();
  readonly #config: Config;
  readonly #report: ReportProblem;
  readonly #stopping = new AbortController();
  #thread: Thread | undefined;
  #states: WorkerStates = STOPPED;
  #deaths = 0;

  constructor(config: Config, report: ReportProblem) {
    this.#config = config;
    this.#report = report;
  }

  async state(group?: string): Promise<ProjectionsState> {
    return stateIn(this.#states, group);
  }

  wake(): void {
    this.#send('wake');
  }

  /** Resolves when the worker follows the log, rejects when it could not open its stores. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const thread = new Thread(new URL('./worker-thread.ts', import.meta.url), { workerData: this.#config });
      this.#thread = thread;
      let failure: unknown;
      thread.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          this.#states = { all: 'running', groups: {} };
          resolve();
        } else if (message.kind === 'failed') {
          failure = new StoreError(message.code, message.message);
        } else {
          this.#heard(message);
        }
      });
      thread.on('error', (error) => {
        failure = error;
      });
      thread.on('exit', () => {
        const started = this.#states !== STOPPED;
        this.#states = STOPPED;
        this.#thread = undefined;
        failure ??= new Error('the worker thread ended by itself');
        reject(failure);
        if (started) void this.#restart(failure);
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const thread = this.#thread;
    if (!thread) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
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

  #heard(message: Extract<FromThread, { states: WorkerStates }>): void {
    this.#states = message.states;
    if (message.kind === 'problem') this.#report(message.problem);
    if (message.kind !== 'projected') return;
    this.#deaths = 0;
    this.projected.notify();
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

  #send(message: ToThread): void {
    this.#thread?.postMessage(message);
  }
}
