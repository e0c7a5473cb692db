/** Wires the read models and the worker that keeps them up to date, on whichever thread or machine it runs. */
import type { TimerStatus } from '../application/timers.ts';
import type { Config } from '../config.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import type { ReadModelReader, ReadModelStore } from '../event-sourcing/read-model-store.ts';
import type { Signal } from '../event-sourcing/signal.ts';
import type { StoreSources } from '../metrics/store-metrics.ts';
import {
  type ReportProblem,
  runInThisThread,
  runInWorkerThread,
  type WorkerRunner,
  watchFromAfar,
} from '../threads/worker-runner.ts';
import { composeWorker, prepareReadModels } from './compose-worker.ts';
import {
  type OpenedEventStore,
  openReadModelReader,
  openReadModelStore,
  type PersistentReadModelLocation,
} from './open-stores.ts';
import type { Parts } from './parts.ts';

const READ_MODELS = 'OPENBANK_READ_MODELS';

/** The read models, and whoever keeps them up to date. */
export interface ReadSide {
  readonly readModels: ReadModelReader;
  readonly worker: WorkerRunner;
  /** What the publisher of CloudEvents remembers; missing where nothing is published. */
  readonly publisherState?: ReadModelReader | undefined;
  /** Counts what consumer groups of this process have parked. */
  readonly parked?: StoreSources['parked'];
  /** How the timers of this process are doing. */
  readonly timers?: () => TimerStatus[];
}

/** Memory cannot be shared between threads, so a store in memory keeps the worker on this one. */
export async function composeReadSide(
  config: Config,
  { events, appended }: OpenedEventStore,
  onProblem: ReportProblem,
  parts: Parts,
): Promise<ReadSide> {
  if (config.eventStore.kind === 'memory' || config.readModels.kind === 'memory') {
    return composeWorkerHere(config, events, appended, onProblem, parts);
  }
  if (config.role === 'api') {
    const readModels = await openPreparedReadModels(config, events, parts);
    return { readModels, worker: watchFromAfar(readModels) };
  }
  const worker = await parts.open(READ_MODELS, config.readModels, () =>
    runInWorkerThread(config, appended, onProblem),
  );
  // Closed after the readers: then the writer's connection moves its write-ahead log into the database.
  parts.closeLater({ close: () => worker.stop() });
  const location = config.readModels as PersistentReadModelLocation;
  const { readModels, close } = await parts.open(READ_MODELS, location, () => openReadModelReader(location));
  parts.closeLater({ close });
  return { readModels, worker };
}

export async function composeWorkerHere(
  config: Config,
  reader: EventReader,
  appended: Signal,
  onProblem: ReportProblem,
  parts: Parts,
): Promise<ReadSide> {
  const readModels = await openPreparedReadModels(config, reader, parts);
  const worker = runInThisThread(
    (onProjected) => composeWorker({ reader, readModels, config, onProjected, onProblem }),
    appended,
  );
  parts.closeLater({ close: () => worker.stop() });
  return { readModels, worker };
}

/** Whoever reads must know, too, that these documents tell of these events. */
async function openPreparedReadModels(
  config: Config,
  reader: EventReader,
  parts: Parts,
): Promise<ReadModelStore> {
  const location = config.readModels;
  const readModels = await parts.open(READ_MODELS, location, () => openReadModelStore(location));
  parts.closeLater(readModels);
  await parts.open(READ_MODELS, location, () => prepareReadModels(readModels, reader));
  return readModels;
}
