/** Entry that fills fresh read models from an event store and says how fast. Arguments: event store, read models, `fill` or `rebuild`. */
import { openSqliteEventReader } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../src/adapters/sqlite/read-model-store.ts';
import { composeWorker, prepareReadModels } from '../src/composition/compose-worker.ts';
import { projectionGroups } from '../src/projections/index.ts';

/** What the process prints, as JSON. */
export interface Rebuild {
  readonly events: number;
  /** To fill what is served from the first event on. */
  readonly fillSeconds: number;
  /** To fill new builds of everything beside that, and to swap. */
  readonly seconds: number;
  /** Of the processor, for the rebuild alone. */
  readonly cpuSeconds: number;
}

const [eventsPath = '', readModelsPath = '', what = ''] = process.argv.slice(2);
const { reader, close } = openSqliteEventReader(eventsPath);
const store = openSqliteReadModelStore({ kind: 'file', path: readModelsPath });
await prepareReadModels(store, reader);
const head = (await reader.headPosition()) ?? 0n;

/** A later program: the last projection of each group, which no other looks up, has a new version. */
const laterGroups = projectionGroups.map((group) => ({
  ...group,
  projections: group.projections.map((one, index) =>
    index === group.projections.length - 1 ? { ...one, version: one.version + 1 } : one,
  ),
}));

/** Works until all of these versions are served and at the end of the log. @returns seconds */
async function project(groups: typeof projectionGroups): Promise<number> {
  const done = new AbortController();
  let problem: unknown;
  const wanted = groups.flatMap(({ projections }) => projections);
  const worker = composeWorker({
    reader,
    readModels: store,
    groups,
    config: {
      eventStore: { kind: 'file', path: eventsPath },
      readModels: { kind: 'file', path: readModelsPath },
      defaultCurrency: 'USD',
    },
    onProblem: (found) => {
      if (found.kind === 'rebuilding') return;
      problem = found;
      done.abort();
    },
    onProjected: async () => {
      const reached = await store.checkpoints();
      const isServed = ({ name, version }: (typeof wanted)[number]) =>
        reached.some((one) => one.projection === name && one.version === version && one.position >= head);
      if (wanted.every(isServed)) done.abort();
    },
  });
  const startedAt = performance.now();
  await worker.run(done.signal);
  if (problem !== undefined) throw problem;
  return (performance.now() - startedAt) / 1000;
}

const fillSeconds = await project(projectionGroups);
if (what === 'rebuild') console.log(JSON.stringify(await rebuilt()));
await store.close();
close();

async function rebuilt(): Promise<Rebuild> {
  const cpu = process.cpuUsage();
  const seconds = await project(laterGroups);
  const { user, system } = process.cpuUsage(cpu);
  return {
    events: await reader.countEvents(),
    fillSeconds,
    seconds,
    cpuSeconds: (user + system) / 1_000_000,
  };
}
