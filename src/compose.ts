/** The one place where ports meet adapters: reads like a wiring diagram. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { openSqliteEventStore, type SqliteEventStore } from './adapters/sqlite/event-store.ts';
import { type Bank, bankAccountType, personType } from './application/bank.ts';
import { createBankCodec } from './application/bank-codec.ts';
import { createMediator } from './application/create-mediator.ts';
import { composeReadSide, type ReadSide } from './compose-read-side.ts';
import type { Config } from './config.ts';
import type { BankEvent } from './domain/bank-event.ts';
import type { Rejection } from './domain/decision.ts';
import type { DomainEvent, EventCodec } from './event-sourcing/codec.ts';
import { ReadYourWrites } from './event-sourcing/read-your-writes.ts';
import { type AggregateType, Repository } from './event-sourcing/repository.ts';
import { buildApp } from './http/app.ts';
import { newId } from './new-id.ts';
import { newestIds, readiness, status } from './operations.ts';
import type { ReportProblem } from './projection-runner.ts';
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
export async function compose(config: Config, logger: Logger): Promise<OpenBank> {
  const opened: { close(): Promise<void> }[] = [];
  /** Closes all of them, the newest first, even when one fails; then says what failed first. */
  const close = async () => {
    const failures: unknown[] = [];
    for (const part of opened.splice(0).reverse()) {
      await part.close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const events = openSqliteEventStore(config.eventStore);
    opened.push(events);
    const readSide = await composeReadSide(config, events, reporting(logger));
    opened.push(readSide);
    const app = await composeApi(config, logger, events, readSide);
    opened.push(app);
    return { app, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** The API over its stores and whatever keeps the read models. */
export async function composeApi(
  config: Config,
  logger: Logger,
  events: SqliteEventStore,
  { readModels, runner }: ReadSide,
): Promise<FastifyInstance> {
  const { defaultCurrency } = config;
  const codec = createBankCodec(defaultCurrency);
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
      headPosition: () => events.headPosition(),
      projected: runner.projected,
      wakeProjector: () => runner.wake(),
    }),
    status: () => status(sources),
    readiness: () => readiness(sources),
    newestIds: () => newestIds(readModels),
  });
}

/** Problems of the worker in the log: ids, places and causes, no event data. */
function reporting(logger: Logger): ReportProblem {
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
