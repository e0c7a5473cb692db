/** The one place where ports meet adapters: reads like a wiring diagram. */
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import type { AccountArchiving } from './application/archive-runs.ts';
import type { Bank } from './application/bank.ts';
import { createMediator } from './application/create-mediator.ts';
import { operationArchive } from './application/operation-archive.ts';
import { pastAccounts } from './application/past-accounts.ts';
import { snapshotLagWatcher } from './application/snapshot-lag.ts';
import { categoryFigures, countOrphans } from './application/stream-figures.ts';
import type { TransferFailpoint } from './application/transfer-process.ts';
import { type ArchiveFailpoint, composeArchive } from './composition/compose-archive.ts';
import { parkedCloudEvents, publishedCloudEvents, startPublisher } from './composition/compose-publisher.ts';
import { composeReadSide, composeWorkerHere, type ReadSide } from './composition/compose-read-side.ts';
import { startTimers } from './composition/compose-timers.ts';
import { composeWriteSide, startTransferWorker } from './composition/compose-transfers.ts';
import { confirmCurrency } from './composition/confirm-currency.ts';
import { type OpenedEventStore, openEventStore } from './composition/open-stores.ts';
import { newestIds, operations } from './composition/operations.ts';
import { Parts } from './composition/parts.ts';
import { problemReporter, snapshotReporter } from './composition/report-problems.ts';
import type { Config } from './config.ts';
import type { EventReader } from './event-sourcing/event-store.ts';
import { OperatorRequests } from './event-sourcing/operator-requests.ts';
import { ReadYourWrites } from './event-sourcing/read-your-writes.ts';
import { Signal } from './event-sourcing/signal.ts';
import { buildApp, buildWorkerApp } from './http/app.ts';
import { ServiceMetrics } from './metrics/service-metrics.ts';
import { newId } from './new-id.ts';
import { awaitedProjections, projections } from './projections/index.ts';
import { BackupRunner } from './threads/backup-runner.ts';
import { PastProjections } from './threads/past-projections.ts';
import type { ReportProblem } from './threads/worker-runner.ts';

export const VERSION: string = packageJson.version;

const EVENTS = 'OPENBANK_EVENT_STORE';

/** A composed service, not yet listening. */
export interface OpenBank {
  readonly app: FastifyInstance;
  /** Finishes what was accepted, then closes everything. */
  close(): Promise<void>;
}

/** What tests may put between the steps of a running service. */
export interface Hooks {
  readonly transferFailpoint?: TransferFailpoint;
  readonly archiveFailpoint?: ArchiveFailpoint;
}

/**
 * Puts the service together. Waits for servers that do not answer yet.
 * @throws StoreError when a store cannot be opened and waiting would not help
 */
export async function compose(config: Config, logger: Logger, hooks: Hooks = {}): Promise<OpenBank> {
  const parts = new Parts(logger);
  const composeRole = config.role === 'worker' ? composeWorkerProcess : composeApiProcess;
  try {
    const app = await composeRole(config, logger, parts, hooks);
    parts.closeLater(app);
    return { app, close: () => parts.close() };
  } catch (error) {
    await parts.close().catch(() => undefined);
    throw error;
  }
}

/** The API: alone, or with the worker beside it. */
async function composeApiProcess(
  config: Config,
  logger: Logger,
  parts: Parts,
  hooks: Hooks,
): Promise<FastifyInstance> {
  const opened = await openEvents(config, parts);
  const metrics = createMetrics(config);
  const report = reporter(logger, metrics);
  const readSide = await composeReadSide(config, opened, report, parts);
  // On a server the worker publishes, and keeps its state beside the read models.
  const publisherState =
    config.publisherState.kind === 'mongodb'
      ? readSide.readModels
      : await startPublisher(config, opened.events, report, parts);
  const writeSide = composeWriteSide(config, opened.events, metrics, archiveOf(readSide), {
    ...hooks,
    live: opened.live,
    onSnapshotProblem: snapshotReporter(logger),
  });
  parts.closeLater(writeSide.snapshots);
  const { groups } = opened;
  const { readModels } = readSide;
  // Where there are workers, they finish what was left over.
  const parked =
    config.role === 'all' ? startTransferWorker(writeSide, { groups, readModels }, report, parts) : [];
  const timers =
    config.role === 'all'
      ? startTimers(config, writeSide, { events: opened.events, readModels }, report, parts)
      : () => [];
  const archive = composeArchive(opened, writeSide, readModels, logger, parts, hooks.archiveFailpoint);
  return composeApi(
    config,
    logger,
    opened,
    { ...readSide, publisherState, parked, timers },
    metrics,
    writeSide,
    archive,
  );
}

/** The projections, the transfers that were left over, and as much HTTP as it takes to ask how they are. */
async function composeWorkerProcess(
  config: Config,
  logger: Logger,
  parts: Parts,
  hooks: Hooks,
): Promise<FastifyInstance> {
  const { events, live, groups } = await openEvents(config, parts);
  const metrics = createMetrics(config);
  const onProblem = reporter(logger, metrics);
  const worker = await composeWorkerHere(config, events, new Signal(), onProblem, parts);
  const { readModels } = worker;
  const writeSide = composeWriteSide(config, events, metrics, archiveOf(worker), {
    ...hooks,
    live,
    onSnapshotProblem: snapshotReporter(logger),
  });
  parts.closeLater(writeSide.snapshots);
  const parked = startTransferWorker(writeSide, { groups, readModels }, onProblem, parts);
  const { snapshots } = writeSide;
  watchStores(metrics, config, events, { ...worker, publisherState: readModels, parked, snapshots });
  const timers = startTimers(config, writeSide, { events, readModels }, onProblem, parts);
  const sources = { config, events, ...worker, timers, startedAt: new Date(), version: VERSION };
  return buildWorkerApp({ logger, newId, metrics, ...operations(sources) });
}

/** Nothing may read old accounts before it is known that the configured currency is theirs. */
async function openEvents(config: Config, parts: Parts): Promise<OpenedEventStore> {
  const { eventStore, defaultCurrency } = config;
  const opened = await parts.open(EVENTS, eventStore, () => openEventStore(config));
  parts.closeLater(opened.events);
  await parts.open(EVENTS, eventStore, () => confirmCurrency(opened, defaultCurrency));
  return opened;
}

/** What aggregates have forgotten is in the read models. */
function archiveOf({ readModels, worker }: ReadSide) {
  return operationArchive(readModels, () => worker.wake());
}

function createMetrics({ role }: Config): ServiceMetrics {
  return new ServiceMetrics({ version: VERSION, role, node: hostname() });
}

/** Problems of the worker are counted, and go into the log. */
function reporter(logger: Logger, metrics: ServiceMetrics): ReportProblem {
  const log = problemReporter(logger);
  return (problem) => {
    metrics.onWorkerReport(problem);
    log(problem);
  };
}

interface WatchedParts extends ReadSide, Pick<Bank, 'snapshots' | 'archive'> {
  readonly backups?: BackupRunner;
}

function watchStores(
  metrics: ServiceMetrics,
  { eventStore, cloudEvents, backupDir }: Config,
  events: EventReader,
  { readModels, worker, publisherState, parked = [], snapshots, backups, archive }: WatchedParts,
): void {
  const publisher = cloudEvents && publisherState;
  metrics.watch({
    events,
    // A server's positions are places in its log.
    positionsCountEvents: eventStore.kind !== 'kurrentdb',
    readModels,
    projections,
    workerState: () => worker.state(),
    parked: [...parked, ...(publisher ? [() => parkedCloudEvents(publisher)] : [])],
    subscriptions: publisher ? [() => publishedCloudEvents(publisher)] : [],
    streams: async () => ({
      categories: await categoryFigures(readModels),
      orphanTransfers: await countOrphans(readModels, new Date()),
    }),
    backups: backups && backupDir !== undefined ? () => backups.figures() : undefined,
    archive: archive?.place === undefined ? undefined : () => archive.figures(),
    snapshotLag: snapshotLagWatcher({ readModels, snapshots }),
  });
}

/** The API over its stores and whatever keeps the read models. */
export async function composeApi(
  config: Config,
  logger: Logger,
  { events, streams }: Pick<OpenedEventStore, 'events' | 'streams'>,
  readSide: ReadSide,
  metrics = createMetrics(config),
  writeSide = composeWriteSide(config, events, metrics, archiveOf(readSide)),
  archive?: AccountArchiving,
): Promise<FastifyInstance> {
  const { readModels, worker, publisherState, timers } = readSide;
  const { defaultCurrency } = config;
  const now = () => new Date();
  const past = pastAccounts(events, writeSide.codec, writeSide.snapshots.history);
  writeSide.snapshots.whenWrong((id) => past.distrust(id));
  const bank: Bank = {
    ...writeSide,
    pastAccounts: past,
    events,
    archive,
    ...(streams ? { streams } : {}),
    operatorRequests: new OperatorRequests({ store: events, newId, now }),
    publisherState,
    readModels,
    newId,
    now,
    defaultCurrency,
  };
  const backups = new BackupRunner(config, logger);
  const { snapshots } = writeSide;
  watchStores(metrics, config, events, { ...readSide, snapshots, backups, archive });
  const pastProjections = new PastProjections(config, logger);
  await pastProjections.removeLeftovers();
  return buildApp({
    version: VERSION,
    logger,
    newId,
    mediator: createMediator(bank, logger, metrics.messages),
    metrics,
    readYourWrites: new ReadYourWrites({
      storeId: events.storeId,
      readModels,
      projections: awaitedProjections,
      headPosition: () => events.headPosition(),
      projected: worker.projected,
      wakeProjector: () => worker.wake(),
    }),
    ...operations({
      config,
      events,
      ...(streams ? { streams } : {}),
      readModels,
      worker,
      ...(timers ? { timers } : {}),
      startedAt: now(),
      version: VERSION,
    }),
    backups,
    pastProjections,
    cloudEventNames: config.cloudEventNaming,
    newestIds: () => newestIds(readModels),
  });
}
