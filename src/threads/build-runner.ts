/** Fills builds of embedded read models on a thread of their own, and answers for it as if that were here. */
import { Worker as Thread } from 'node:worker_threads';
import type { Config } from '../config.ts';
import type { Position } from '../event-sourcing/event-store.ts';
import { type Filling, RateMeter, type Rates } from '../event-sourcing/following.ts';
import type { ElsewhereTask } from '../event-sourcing/projection-host.ts';
import type { ProjectorState } from '../event-sourcing/projector.ts';
import type { BuildTask, FromBuildThread, ToBuildThread } from './build-messages.ts';

type Files = Pick<Config, 'eventStore' | 'archiveDir' | 'readModels' | 'defaultCurrency'>;

/** How often the thread is told how much is going on elsewhere. */
const TELLING_MS = 200;

/** What a batch brings lives until the commit: collected in small steps, it would be copied again and again. */
const LIMITS = { maxYoungGenerationSizeMb: 64 };

/** @returns nothing where the stores are not both files, which a thread can open too */
export function fillerFor(config: Partial<Files>): ((task: ElsewhereTask) => Filling) | undefined {
  const { eventStore, archiveDir, readModels, defaultCurrency } = config;
  if (eventStore?.kind !== 'file' || readModels?.kind !== 'file' || defaultCurrency === undefined)
    return undefined;
  const files = {
    config: { archiveDir, defaultCurrency },
    events: eventStore.path,
    readModels: readModels.path,
  };
  return (task) => new FillingThread(files, task);
}

class FillingThread implements Filling {
  readonly projections: ReadonlySet<string>;
  readonly #task: ElsewhereTask;
  readonly #data: BuildTask;
  readonly #meter = new RateMeter();
  #thread: Thread | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #stopping = false;
  #state: ProjectorState | undefined;
  #caughtUp = false;
  #position: Position = 0n;
  #reached: Position = 0n;
  #events = 0;

  constructor(files: Omit<BuildTask, 'builds' | 'places'>, task: ElsewhereTask) {
    this.#task = task;
    const builds = task.builds.map(({ name, version, build = 0 }) => ({ name, version, build }));
    this.#data = { ...files, builds, places: task.places };
    this.projections = new Set(builds.map(({ name }) => name));
  }

  get state(): ProjectorState | undefined {
    return this.#state;
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  get position(): Position {
    return this.#position;
  }

  get reached(): Position {
    return this.#reached;
  }

  get rates(): Rates {
    return this.#meter.rates(this.#reached, this.#events);
  }

  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    const thread = new Thread(new URL('./build-thread.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits: LIMITS,
    });
    this.#thread = thread;
    this.#meter.start();
    thread.on('message', (message: FromBuildThread) => this.#heard(message));
    thread.on('error', (error) => {
      this.#failure ??= { error };
    });
    const telling = setInterval(() => {
      this.#send({ kind: 'served', events: this.#task.eventsServed() });
    }, TELLING_MS);
    const stop = () => void this.stop();
    signal.addEventListener('abort', stop, { once: true });
    this.#ended = new Promise((resolve) => thread.once('exit', resolve)).then(() => {
      clearInterval(telling);
      signal.removeEventListener('abort', stop);
      this.#thread = undefined;
      if (!this.#stopping) this.#failure ??= { error: new Error('the thread that fills builds has ended') };
      this.#task.onProgress();
    });
  }

  wake(): void {
    this.#send({ kind: 'wake' });
  }

  mustBeWell(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#send({ kind: 'stop' });
    await this.#ended;
  }

  #heard(message: FromBuildThread): void {
    switch (message.kind) {
      case 'problem':
        this.#task.onProblem(message.problem);
        return;
      case 'failed':
        this.#failure ??= { error: message.error };
        return;
      case 'progress': {
        const { state, caughtUp, position, reached, events } = message;
        this.#state = state;
        this.#caughtUp = caughtUp;
        this.#position = position;
        this.#reached = reached;
        this.#events = events;
        this.#task.onProgress();
      }
    }
  }

  #send(message: ToBuildThread): void {
    this.#thread?.postMessage(message);
  }
}
