/** Puts the read side together: projector, read models and the thread they live on. A worker thread loads this and no HTTP. */

import type { SqliteEventStore } from './adapters/sqlite/event-store.ts';
import { openSqliteReadModelReader } from './adapters/sqlite/read-model-reader.ts';
import { openSqliteReadModelStore } from './adapters/sqlite/read-model-store.ts';
import { createBankCodec } from './application/bank-codec.ts';
import type { Config } from './config.ts';
import { BANK_ACCOUNT_STREAM_PREFIX } from './domain/bank-account.ts';
import type { BankEvent } from './domain/bank-event.ts';
import { PERSON_STREAM_PREFIX } from './domain/person.ts';
import type { EventReader } from './event-sourcing/event-store.ts';
import { Projector, type ProjectorOptions } from './event-sourcing/projector.ts';
import type { ReadModelReader, ReadModelStore } from './event-sourcing/read-model-store.ts';
import {
  type ProjectionRunner,
  type ReportProblem,
  runInThisThread,
  runInWorkerThread,
} from './projection-runner.ts';
import { projections } from './projections/index.ts';

/** The projector over any pair of stores: the worker role, on whichever thread. */
export function composeProjector(
  reader: EventReader,
  store: ReadModelStore,
  defaultCurrency: string,
  callbacks: Pick<ProjectorOptions<BankEvent>, 'onProjected' | 'onProblem'>,
): Projector<BankEvent> {
  return new Projector(projectorOptions(reader, store, defaultCurrency, callbacks));
}

/** @throws StoreError when the read models belong to other events, and these have none: they may be lost */
export async function prepareReadModels(store: ReadModelStore, reader: EventReader): Promise<void> {
  await store.prepare(projections, reader.storeId, (await reader.headPosition()) !== undefined);
}

function projectorOptions(
  reader: EventReader,
  store: ReadModelStore,
  defaultCurrency: string,
  callbacks: Pick<ProjectorOptions<BankEvent>, 'onProjected' | 'onProblem'>,
): ProjectorOptions<BankEvent> {
  const codec = createBankCodec(defaultCurrency);
  const streamPrefixes = [PERSON_STREAM_PREFIX, BANK_ACCOUNT_STREAM_PREFIX];
  return { reader, store, codec, projections, streamPrefixes, ...callbacks };
}

/** The read models, and whoever keeps them up to date. */
export interface ReadSide {
  readonly readModels: ReadModelReader;
  readonly runner: ProjectionRunner;
  close(): Promise<void>;
}

/** Memory cannot be shared between threads, so a store in memory keeps the projector on this one. */
export async function composeReadSide(
  config: Config,
  events: SqliteEventStore,
  report: ReportProblem,
): Promise<ReadSide> {
  const { eventStore, readModels: location, defaultCurrency } = config;
  if (eventStore.kind === 'file' && location.kind === 'file') {
    const input = { eventStorePath: eventStore.path, readModelsPath: location.path, defaultCurrency };
    const runner = await runInWorkerThread(input, events.appended, report);
    const { reader, close } = openSqliteReadModelReader(location.path);
    return {
      readModels: reader,
      runner,
      async close() {
        // The writer's connection is the last to close: then it moves its write-ahead log into the database.
        close();
        await runner.stop();
      },
    };
  }
  const store = openSqliteReadModelStore(location);
  await store.prepare(projections, events.storeId);
  const options = projectorOptions(events, store, defaultCurrency, { onProblem: report });
  const runner = runInThisThread(options, events.appended);
  return {
    readModels: store,
    runner,
    async close() {
      await runner.stop();
      await store.close();
    },
  };
}
