/** What operators ask a running service: is it ready, how far is each projection, which ids are the newest. */
import type { TimerStatus } from '../application/timers.ts';
import type { Config } from '../config.ts';
import type { EventReader, StreamDirectory } from '../event-sourcing/event-store.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { SNAPSHOT_STREAM_PREFIX } from '../event-sourcing/snapshots/snapshot-streams.ts';
import type { ExampleIds } from '../http/openapi.ts';
import type { ProjectionStatus } from '../http/schemas/projections.ts';
import type { Readiness, Status } from '../http/schemas/status.ts';
import { type AccountDocument, accounts } from '../projections/accounts.ts';
import { holds } from '../projections/holds.ts';
import { persons } from '../projections/persons.ts';
import { transactions } from '../projections/transactions.ts';
import { transfers } from '../projections/transfers.ts';
import type { WorkerRunner } from '../threads/worker-runner.ts';
import { describeLocation } from './open-stores.ts';
import { type ProjectionSources, projectionStatus, staleWatcher } from './projection-status.ts';

export interface OperationSources {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: Date;
  readonly events: EventReader;
  readonly streams?: StreamDirectory;
  readonly readModels: ReadModelReader;
  readonly worker: WorkerRunner;
  /** How those of this process are doing. */
  readonly timers?: () => TimerStatus[];
}

/** The answers about one service. */
export interface Operations {
  status(): Promise<Status>;
  readiness(): Promise<Readiness>;
  projections(): Promise<ProjectionStatus[]>;
  staleProjections(): Promise<readonly string[]>;
}

export function operations(sources: OperationSources): Operations {
  return {
    status: () => status(sources),
    readiness: () => readiness(sources),
    projections: () => projectionStatus(projectionSources(sources)),
    staleProjections: staleWatcher(sources.readModels),
  };
}

/** A store that takes longer counts as one that does not answer, in milliseconds. */
const ANSWER_MS_MAX = 2_000;

async function readiness({ config, events, readModels, worker }: OperationSources): Promise<Readiness> {
  const [eventStore, deadLetters, state] = await Promise.all([
    answers(events.headPosition()),
    answers(readModels.countDeadLetters()),
    answers(worker.state()),
  ]);
  const projections = state.ok ? state.value : 'retrying';
  // The API takes writes without a worker; that nobody follows them is told, but is no reason to turn clients away.
  const following = config.role === 'api' || projections === 'running' || projections === 'standby';
  return {
    status: eventStore.ok && deadLetters.ok && following ? 'ready' : 'degraded',
    role: config.role,
    event_store: eventStore.ok ? 'reachable' : 'unreachable',
    read_models: deadLetters.ok ? 'reachable' : 'unreachable',
    projections,
    dead_letters: deadLetters.ok ? deadLetters.value : 0,
  };
}

/** What fails or takes too long is the very thing that readiness is about, so it is no error here. */
async function answers<T>(asked: Promise<T>): Promise<{ ok: true; value: T } | { ok: false }> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<{ ok: false }>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false }), ANSWER_MS_MAX);
  });
  const answer = asked.then(
    (value) => ({ ok: true, value }) as const,
    () => ({ ok: false }) as const,
  );
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

async function status(sources: OperationSources): Promise<Status> {
  const { config, events, streams, timers, startedAt, version } = sources;
  const head = await events.headPosition();
  return {
    version,
    role: config.role,
    pid: process.pid,
    started_at: startedAt.toISOString(),
    uptime_seconds: Math.floor((Date.now() - startedAt.getTime()) / 1000),
    memory_bytes: process.memoryUsage.rss(),
    event_store: {
      kind: kindOf(config.eventStore),
      location: describeLocation(config.eventStore),
      events: streams ? await streams.countEvents(SNAPSHOT_STREAM_PREFIX) : null,
      head_position: head === undefined ? null : String(head),
    },
    read_models: { kind: kindOf(config.readModels), location: describeLocation(config.readModels) },
    projections: await projectionStatus(projectionSources(sources)),
    timers: timers?.() ?? [],
  };
}

function projectionSources({ config, events, readModels, worker }: OperationSources): ProjectionSources {
  // A server's positions are places in its log.
  return { events, readModels, worker, positionsCountEvents: config.eventStore.kind !== 'kurrentdb' };
}

function kindOf({ kind }: Config['eventStore'] | Config['readModels']): string {
  return kind === 'file' || kind === 'memory' ? 'sqlite' : kind;
}

/** How many of the newest accounts are looked through for one that is open. */
const NEWEST_ACCOUNTS = 20;

/** Ids for the examples of the API's documentation. */
export async function newestIds(readModels: ReadModelReader): ReturnType<ExampleIds> {
  const newest = { order: 'newest_first', limit: 1 } as const;
  const [person] = await readModels.find(persons, newest);
  const recent = await readModels.find<AccountDocument>(accounts, {
    ...newest,
    limit: NEWEST_ACCOUNTS,
    where: { holder: 'CUSTOMER' },
  });
  const open = recent.filter(({ document }) => document?.status === 'ACTIVE');
  // One with a transaction, so that the example of a transaction runs too.
  const account = open.find(({ document }) => document?.transaction_count) ?? open[0];
  const where = { account_id: account?.key ?? '' };
  const [hold] = await readModels.find(holds, { ...newest, where: { ...where, status: 'OPEN' } });
  const [transaction] = await readModels.find(transactions, { ...newest, where });
  const other = open.find(
    ({ key, document }) => key !== account?.key && document?.currency === account?.document?.currency,
  );
  const [transfer] = await readModels.find(transfers, newest);
  return {
    ...(person ? { person: person.key } : {}),
    ...(account ? { account: account.key } : {}),
    ...(other ? { other_account: other.key } : {}),
    ...(transfer ? { transfer: transfer.key } : {}),
    ...(hold ? { hold: hold.key } : {}),
    ...(transaction ? { transaction: transaction.key } : {}),
  };
}
