/** Entry of the projection thread: opens its stores, follows the log, and reports to the thread that started it. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteEventReader } from './adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from './adapters/sqlite/read-model-store.ts';
import { composeProjector, prepareReadModels } from './compose-read-side.ts';
import { StoreError } from './event-sourcing/store-error.ts';
import type { FromWorker, ToWorker, WorkerInput } from './projection-runner.ts';

const report = (message: FromWorker) => parentPort?.postMessage(message);

try {
  await run(workerData as WorkerInput);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  report({ kind: 'failed', code: error.code, message: error.message });
}

async function run(input: WorkerInput): Promise<void> {
  const { reader, close } = openSqliteEventReader(input.eventStorePath);
  const store = openSqliteReadModelStore({ kind: 'file', path: input.readModelsPath });
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
    parentPort?.close();
    await store.close();
    close();
  }
}
