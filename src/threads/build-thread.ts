/** Entry of a thread that fills builds of embedded read models beside the worker's own. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteEventReader } from '../adapters/sqlite/event-store.ts';
import { openSqliteReadModelStoreBeside } from '../adapters/sqlite/read-model-store.ts';
import { createBankCodec } from '../application/bank-codec.ts';
import { readThroughArchive } from '../composition/open-stores.ts';
import { BuildView } from '../event-sourcing/build-view.ts';
import { Following } from '../event-sourcing/following.ts';
import { RebuildPace } from '../event-sourcing/rebuild-pace.ts';
import { PROJECTED_STREAM_PREFIXES, projections } from '../projections/index.ts';
import type { BuildTask, FromBuildThread, ToBuildThread } from './build-messages.ts';

/** How often it tells how it is, beside every commit. */
const STATE_INTERVAL_MS = 500;

const tell = (message: FromBuildThread) => parentPort?.postMessage(message);

try {
  await fill(workerData as BuildTask);
} catch (error) {
  tell({ kind: 'failed', error });
} finally {
  parentPort?.close();
}

async function fill({ config, events, readModels, builds, places }: BuildTask): Promise<void> {
  const { reader: live, close } = openSqliteEventReader(events);
  const { reader, archive } = readThroughArchive(live, config.archiveDir);
  const store = openSqliteReadModelStoreBeside(readModels);
  const numbers = new Map(builds.map(({ name, build }) => [name, build]));
  const versions = new Map(builds.map(({ name, version }) => [name, version]));
  const stopping = new AbortController();
  const over = Promise.withResolvers<void>();
  let served = 0;
  const following = new Following({
    reader,
    store: new BuildView(store, numbers),
    codec: createBankCodec(config.defaultCurrency),
    projections: projections.flatMap((one) => {
      const version = versions.get(one.name);
      return version === undefined ? [] : [{ ...one, version }];
    }),
    streamPrefixes: PROJECTED_STREAM_PREFIXES,
    pace: new RebuildPace({ eventsServed: () => served, places }),
    onProjected: tellProgress,
    onProblem: (problem) => tell({ kind: 'problem', problem }),
    onEnded: () => over.resolve(),
  });

  function tellProgress(): void {
    const { state, caughtUp, position, reached, eventsSeen } = following;
    tell({ kind: 'progress', state, caughtUp, position, reached, events: eventsSeen });
  }

  parentPort?.on('message', (message: ToBuildThread) => {
    if (message.kind === 'served') served = message.events;
    else if (message.kind === 'wake') {
      following.wake();
      live.appended.notify();
    } else {
      stopping.abort();
    }
  });
  const telling = setInterval(tellProgress, STATE_INTERVAL_MS);
  following.start(stopping.signal);
  await over.promise;
  clearInterval(telling);
  await following.stop();
  await store.close();
  close();
  await archive.catalogue.close();
  following.mustBeWell();
}
