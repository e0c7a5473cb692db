/** What operators ask a running service: is it ready, how far is each projection, which ids are the newest. */
import type { Config, SqliteLocation } from './config.ts';
import type { EventReader, Position, StreamDirectory } from './event-sourcing/event-store.ts';
import type { Collection, ReadModelReader } from './event-sourcing/read-model-store.ts';
import type { ExampleIds } from './http/openapi.ts';
import type { Readiness, Status } from './http/schemas.ts';
import type { ProjectionRunner } from './projection-runner.ts';
import { type AccountDocument, accounts } from './projections/accounts.ts';
import { projections } from './projections/index.ts';
import { persons } from './projections/persons.ts';
import { transactions } from './projections/transactions.ts';

export interface OperationSources {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: Date;
  readonly events: EventReader & StreamDirectory;
  readonly readModels: ReadModelReader;
  readonly runner: ProjectionRunner;
}

const DEAD_LETTERS_COUNTED_MAX = 10_000;

export async function readiness({ readModels, runner }: OperationSources): Promise<Readiness> {
  const state = runner.state();
  try {
    const dead_letters = await readModels.countDeadLetters();
    return { status: state === 'running' ? 'ready' : 'degraded', projections: state, dead_letters };
  } catch {
    // Read models that cannot be read are the very thing that this answer is about.
    return { status: 'degraded', projections: state, dead_letters: 0 };
  }
}

export async function status(sources: OperationSources): Promise<Status> {
  const { config, events, startedAt, version } = sources;
  const head = await events.headPosition();
  return {
    version,
    role: config.role,
    pid: process.pid,
    started_at: startedAt.toISOString(),
    uptime_seconds: Math.floor((Date.now() - startedAt.getTime()) / 1000),
    memory_bytes: process.memoryUsage.rss(),
    event_store: {
      kind: 'sqlite',
      location: describe(config.eventStore),
      events: await events.countEvents(),
      head_position: head === undefined ? null : String(head),
    },
    read_models: { kind: 'sqlite', location: describe(config.readModels) },
    projections: await projectionStatus(sources, head ?? 0n),
  };
}

async function projectionStatus(sources: OperationSources, head: Position): Promise<Status['projections']> {
  const { readModels, runner } = sources;
  const checkpoints = await readModels.checkpoints();
  const letters = await readModels.listDeadLetters({ limit: DEAD_LETTERS_COUNTED_MAX });
  const line = async ({ name, version }: Collection) => {
    const position =
      checkpoints.find((one) => one.projection === name && one.version === version)?.position ?? 0n;
    return {
      name,
      version,
      position: String(position),
      lag_events: Math.max(0, Number(head - position)),
      lag_ms: position < head ? await ageOfNextEvent(sources.events, position) : 0,
      state: runner.state(),
      dead_letters: letters.filter((letter) => letter.projection === name).length,
    };
  };
  return Promise.all(projections.map(line));
}

/** How long the oldest event after a position has been waiting, in milliseconds. */
async function ageOfNextEvent(events: EventReader, position: Position): Promise<number> {
  for await (const event of events.readAll({ from: position + 1n, limit: 1 })) {
    return Math.max(0, Date.now() - Date.parse(event.recordedAt));
  }
  return 0;
}

/** How many of the newest accounts are looked through for one that is open. */
const NEWEST_ACCOUNTS = 20;

/** Ids for the examples of the API's documentation. */
export async function newestIds(readModels: ReadModelReader): ReturnType<ExampleIds> {
  const newest = { order: 'newest_first', limit: 1 } as const;
  const [person] = await readModels.find(persons, newest);
  const recent = await readModels.find<AccountDocument>(accounts, { ...newest, limit: NEWEST_ACCOUNTS });
  const open = recent.filter(({ document }) => document?.status === 'ACTIVE');
  // One with a transaction, so that the example of a transaction runs too.
  const account = open.find(({ document }) => document?.transaction_count) ?? open[0];
  const where = { account_id: account?.key ?? '' };
  const [transaction] = await readModels.find(transactions, { ...newest, where });
  return {
    ...(person ? { person: person.key } : {}),
    ...(account ? { account: account.key } : {}),
    ...(transaction ? { transaction: transaction.key } : {}),
  };
}

function describe(location: SqliteLocation): string {
  return location.kind === 'file' ? location.path : ':memory:';
}
