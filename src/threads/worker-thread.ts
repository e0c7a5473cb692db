/** Entry of the worker thread: opens its stores, follows the log, and reports to the thread that started it. */
import { parentPort, workerData } from 'node:worker_threads';
import { composeWorker, prepareReadModels } from '../composition/compose-worker.ts';
import {
  type OpenedEventReader,
  openEventReader,
  openReadModelStore,
  type PersistentEventLocations,
} from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import type { ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type { FromThread, ToThread } from './worker-runner.ts';

/** How often the thread tells how its projections are, beside every commit and every problem. */
const STATE_INTERVAL_MS = 1_000;

const report = (message: FromThread) => parentPort?.postMessage(message);

try {
  await run(workerData as Config);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  report({ kind: 'failed', code: error.code, message: error.message });
} finally {
  // Only now: a report that comes after this would be lost, and an open port would keep the thread alive.
  parentPort?.close();
}

async function run(config: Config): Promise<void> {
  const events = await openEventReader(config as PersistentEventLocations);
  try {
    const readModels = await openReadModelStore(config.readModels);
    try {
      await prepareReadModels(readModels, events.reader);
      await work(config, events, readModels);
    } finally {
      await readModels.close();
    }
  } finally {
    await events.close();
  }
}

async function work(
  config: Config,
  { reader, notify }: OpenedEventReader,
  readModels: ReadModelStore,
): Promise<void> {
  const stopping = new AbortController();
  const worker = composeWorker({
    reader,
    readModels,
    config,
    onProjected: () => report({ kind: 'projected', states: worker.states() }),
    onProblem: (problem) => report({ kind: 'problem', states: worker.states(), problem }),
  });
  parentPort?.on('message', (message: ToThread) => {
    if (message === 'stop') stopping.abort();
    else if (message === 'wake') worker.wake();
    notify();
  });
  report({ kind: 'ready' });
  const telling = setInterval(() => report({ kind: 'state', states: worker.states() }), STATE_INTERVAL_MS);
  await worker.run(stopping.signal);
  clearInterval(telling);
}
