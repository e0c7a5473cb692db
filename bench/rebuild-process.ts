/** Entry that fills fresh read models from an event store and says how fast. Arguments: event store, read models. */
import { openSqliteEventReader } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../src/adapters/sqlite/read-model-store.ts';
import { composeWorker, prepareReadModels } from '../src/compose-worker.ts';

/** What the process prints, as JSON. */
export interface Rebuild {
  readonly events: number;
  readonly seconds: number;
}

const [eventsPath = '', readModelsPath = ''] = process.argv.slice(2);
const { reader, close } = openSqliteEventReader(eventsPath);
const store = openSqliteReadModelStore({ kind: 'file', path: readModelsPath });
await prepareReadModels(store, reader);
const head = (await reader.headPosition()) ?? 0n;
const done = new AbortController();
let problem: unknown;

const worker = composeWorker({
  reader,
  readModels: store,
  config: { readModels: { kind: 'file', path: readModelsPath }, defaultCurrency: 'USD' },
  onProblem: (found) => {
    problem = found;
    done.abort();
  },
  onProjected: async () => {
    const checkpoints = await store.checkpoints();
    if (checkpoints.every(({ position }) => position >= head)) done.abort();
  },
});
const startedAt = performance.now();
await worker.run(done.signal);
const rebuild: Rebuild = {
  events: await reader.countEvents(),
  seconds: (performance.now() - startedAt) / 1000,
};
await store.close();
close();
if (problem === undefined) console.log(JSON.stringify(rebuild));
else {
  console.error(problem);
  process.exitCode = 1;
}
