/** Entry of the projection thread: opens its stores, follows the log, and reports to the thread that started it. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkpointInBackground } from './adapters/sqlite/database.ts';
import { openSqliteEventReader } from './adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from './adapters/sqlite/read-model-store.ts';
import { composeProjector, prepareReadModels } from './compose-read-side.ts';
import { StoreError } from './event-sourcing/store-error.ts';
import type { FromWorker, ToWorker, WorkerInput } from './projection-runner.ts';

/** How often this thread moves the event store's write-ahead log into its database. */
const CHECKPOINT_INTERVAL_MS = 500;

const report = (message: FromWorker) => parentPort?.postMessage(message);

try {
  await run(workerData as WorkerInput);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  report({ kind: 'failed', code: error.code, message: error.message });
} finally {
  // Only now: a report that comes after this would be lost, and an open port would keep the thread alive.
  parentPort?.close();
}

async function run(input: WorkerInput): Promise<void> {
  const { reader, close } = openSqliteEventReader(input.eventStorePath);
  const store = openSqliteReadModelStore({ kind: 'file', path: input.readModelsPath });
  const endCheckpoints = checkpointInBackground(input.eventStorePath, CHECKPOINT_INTERVAL_MS);
  const stopping = new AbortController();
  try {
    await prepareReadModels(store, reader);
    const projector = composeProjector(reader, store, input.defaultCurrency, {
      onProjected: () => report({ kind: 'projected', state: projector.state }),
      onProblem: (problem) => report({ kind: 'problem', state: projector.state, problem }),
    });
    parentPort?.on('message', (message: ToWorker) => {
      if (message === 'stop') stopping.abort();
      else if (message === 'wake') projector.wake();
      reader.appended.notify();
    });
    report({ kind: 'ready' });
    await projector.run(stopping.signal);
  } finally {
    endCheckpoints();
    await store.close();
    close();
  }
}
