/** The one place where ports meet adapters: reads like a wiring diagram. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import packageJson from '../package.json' with { type: 'json' };
import { openSqliteEventStore, type SqliteEventStore } from './adapters/sqlite/event-store.ts';
import { openSqliteReadModelReader, openSqliteReadModelStore } from './adapters/sqlite/read-model-store.ts';
import { type Bank, bankAccountType, personType } from './application/bank.ts';
import { createBankCodec } from './application/bank-codec.ts';
import { createMediator } from './application/create-mediator.ts';
import type { Config } from './config.ts';
import { BANK_ACCOUNT_STREAM_PREFIX } from './domain/bank-account.ts';
import type { BankEvent } from './domain/bank-event.ts';
import type { Rejection } from './domain/decision.ts';
import { PERSON_STREAM_PREFIX } from './domain/person.ts';
import type { DomainEvent, EventCodec } from './event-sourcing/codec.ts';
import type { EventReader } from './event-sourcing/event-store.ts';
import { Projector, type ProjectorOptions } from './event-sourcing/projector.ts';
import type { ReadModelReader, ReadModelStore } from './event-sourcing/read-model-store.ts';
import { ReadYourWrites } from './event-sourcing/read-your-writes.ts';
import { type AggregateType, Repository } from './event-sourcing/repository.ts';
import { buildApp } from './http/app.ts';
import { newestIds, readiness, status } from './operations.ts';
import {
  type ProjectionRunner,
  type ReportProblem,
  runInThisThread,
  runInWorkerThread,
} from './projection-runner.ts';
import { projections } from './projections/index.ts';

export const VERSION: string = packageJson.version;

/** A composed service, not yet listening. */
export interface OpenBank {
  readonly app: FastifyInstance;
  /** Finishes what was accepted, then closes everything. */
  close(): Promise<void>;
}

/**
 * Puts the service together.
 * @throws StoreError when a store cannot be opened
 */
export async function compose(config: Config, logger: FastifyBaseLogger): Promise<OpenBank> {
  const events = openSqliteEventStore(config.eventStore);
  try {
    const readSide = await composeReadSide(config, events, reporting(logger));
    const app = await composeApi(config, logger, events, readSide);
    return {
      app,
      async close() {
        await app.close();
        await readSide.close();
        await events.close();
      },
    };
  } catch (error) {
    await events.close();
    throw error;
  }
}

/** The projector over any pair of stores: the worker role, on whichever thread. */
export function composeProjector(
  reader: EventReader,
  store: ReadModelStore,
  defaultCurrency: string,
  callbacks: Pick<ProjectorOptions<BankEvent>, 'onProjected' | 'onProblem'>,
): Projector<BankEvent> {
  return new Projector(projectorOptions(reader, store, defaultCurrency, callbacks));
}

export function prepareReadModels(store: ReadModelStore, reader: EventReader): Promise<void> {
  return store.prepare(projections, reader.storeId);
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

interface ReadSide {
  readonly readModels: ReadModelReader;
  readonly runner: ProjectionRunner;
  close(): Promise<void>;
}

/** Memory cannot be shared between threads, so a store in memory keeps the projector on this one. */
async function composeReadSide(
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
        await runner.stop();
        close();
      },
    };
  }
  const store = openSqliteReadModelStore(location);
  await prepareReadModels(store, events);
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

async function composeApi(
  config: Config,
  logger: FastifyBaseLogger,
  events: SqliteEventStore,
  { readModels, runner }: ReadSide,
): Promise<FastifyInstance> {
  const { defaultCurrency } = config;
  const codec = createBankCodec(defaultCurrency);
  const newId = () => uuidv7();
  const now = () => new Date();
  const repository = <S, E extends BankEvent>(type: AggregateType<S, E>) =>
    new Repository<S, E, Rejection>(type, codec as EventCodec<DomainEvent> as EventCodec<E>, {
      store: events,
      newId,
      now,
    });
  const bank: Bank = {
    persons: repository(personType),
    accounts: repository(bankAccountType),
    events,
    streams: events,
    codec,
    readModels,
    newId,
    now,
    defaultCurrency,
  };
  const sources = { config, events, readModels, runner, startedAt: now(), version: VERSION };
  return buildApp({
    version: VERSION,
    logger,
    newId,
    mediator: createMediator(bank, logger),
    readYourWrites: new ReadYourWrites({
      storeId: events.storeId,
      readModels,
      projections,
      projected: runner.projected,
      wakeProjector: () => runner.wake(),
    }),
    status: () => status(sources),
    readiness: () => readiness(sources),
    newestIds: () => newestIds(readModels),
  });
}

/** Problems of the worker in the log: ids, places and causes, no event data. */
function reporting(logger: FastifyBaseLogger): ReportProblem {
  return (problem) => {
    switch (problem.kind) {
      case 'retrying':
        return logger.error(
          { err: problem.error, failures: problem.failures, delay_ms: problem.delayMs },
          'projector retries',
        );
      case 'worker_died':
        return logger.error(
          { err: problem.error, delay_ms: problem.delayMs },
          'projection worker died, restarting',
        );
      case 'rebuilding':
        return logger.warn(
          { projection: problem.projection, reason: problem.reason },
          'projection starts over',
        );
      case 'dead_letter': {
        const { projection, stream, revision, eventType, cause, attempts } = problem.letter;
        return logger.error(
          { projection, stream, revision, event_type: eventType, cause, attempts },
          'dead letter',
        );
      }
    }
  };
}
