/** One past projection that is folded on a thread of its own, and how that ends. */
import { Worker as Thread } from 'node:worker_threads';
import type { FromPastProjectionThread, PastProjectionTask } from './past-projection-messages.ts';

type Told<K> = Extract<FromPastProjectionThread, { kind: K }>;

export type FoldOutcome =
  | Told<'done'>
  | Told<'failed'>
  /** The program failed, or had too little memory. */
  | { readonly kind: 'died'; readonly error: unknown }
  /** By `end`. */
  | { readonly kind: 'ended' };

/** What a batch brings lives until the commit: collected in small steps, it would be copied again and again. */
const LIMITS = { maxYoungGenerationSizeMb: 64 };

export class PastProjectionFold {
  /** Never rejects. The thread is gone, and with it all that it had open. */
  readonly outcome: Promise<FoldOutcome>;
  readonly #thread: Thread;

  constructor(task: PastProjectionTask, onProgress: (progress: Told<'progress'>) => void) {
    const thread = new Thread(new URL('./past-projection-thread.ts', import.meta.url), {
      workerData: task,
      resourceLimits: LIMITS,
    });
    this.#thread = thread;
    let outcome: FoldOutcome = { kind: 'ended' };
    thread.on('message', (message: FromPastProjectionThread) => {
      if (message.kind === 'progress') onProgress(message);
      else outcome = message;
    });
    thread.on('error', (error) => {
      outcome = { kind: 'died', error };
    });
    this.outcome = new Promise((resolve) => thread.once('exit', () => resolve(outcome)));
  }

  /** At once, wherever it is. */
  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
