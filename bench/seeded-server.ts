/** A server over a store that has accounts already, and load runs on it whose every answer must be found in the log. */
import { join } from 'node:path';
import {
  ACCOUNTS,
  type Bench,
  CONNECTIONS,
  type Contender,
  databases,
  depositTargets,
  load,
  say,
} from './bench.ts';
import { commitsOf } from './commit-counter.ts';
import type { LagSampler } from './lag-sampler.ts';
import type { LoadResult, LoadTarget } from './load.ts';
import { fillReadModels } from './rebuild.ts';
import { type Shape, seed } from './seed.ts';
import { type Server, type ServerKind, startServer, statusOf, untilProjected } from './servers.ts';

export interface SeededServer {
  readonly server: Server;
  readonly accountIds: readonly string[];
  readonly paths: { readonly events: string; readonly readModels: string };
}

export async function startSeeded({ dir }: Bench, kind: ServerKind): Promise<SeededServer> {
  const dataDir = join(dir, kind);
  const paths = databases(dataDir);
  const accountIds = await seed(paths.events, ACCOUNTS, 0);
  const server = await startServer(kind, dataDir);
  return { server, accountIds, paths };
}

/** A service over so many deposits, whose read models are up to date and which has loaded each account once. */
export async function startFilled(
  { dir, generator }: Bench,
  name: string,
  deposits: number,
  shape: Shape,
): Promise<SeededServer> {
  const dataDir = join(dir, name);
  const paths = databases(dataDir);
  say(`${name}: writing ${deposits} deposits`);
  const accountIds = await seed(paths.events, ACCOUNTS, deposits, shape);
  say(`${name}: projecting ${deposits} deposits`);
  await fillReadModels(paths.events, paths.readModels);
  const server = await startServer('service', dataDir);
  say(`${name}: loading every account`);
  const targets = depositTargets(accountIds);
  await generator.run({ port: server.port, connections: CONNECTIONS, targets });
  await untilProjected(server);
  return { server, accountIds, paths };
}

/** Deposits into all accounts of a service, which may catch up after each run. */
export function depositing(
  bench: Bench,
  name: string,
  service: SeededServer,
  options: RunOptions = {},
): Contender<DurableRun> {
  const targets = depositTargets(service.accountIds);
  return {
    name,
    async run(seconds) {
      const run = await durableRun(bench, service, targets, seconds, options);
      await untilProjected(service.server);
      return run;
    },
  };
}

export interface DurableRun {
  readonly load: LoadResult;
  readonly commitsPerSecond: number;
  readonly eventsPerCommit: number;
  readonly lagMs?: readonly number[];
}

export interface RunOptions {
  /** How many events every accepted request must have left; default 1. */
  readonly eventsPerAnswer?: number;
  readonly sampler?: LagSampler | undefined;
  /** Whether each request has an `Idempotency-Key`. */
  readonly keyed?: boolean;
}

/**
 * One run against a server that stores.
 * @throws Error when there are more or fewer
 */
export async function durableRun(
  bench: Bench,
  { server, paths }: SeededServer,
  targets: readonly LoadTarget[],
  seconds: number,
  { eventsPerAnswer = 1, sampler, keyed = false }: RunOptions = {},
): Promise<DurableRun> {
  const eventsBefore = (await statusOf(server)).event_store.events;
  const commitsBefore = commitsOf(paths.events);
  const result = await load(bench, server.port, targets, seconds, keyed);
  const commits = (commitsOf(paths.events) - commitsBefore) >>> 0;
  const lagMs = await sampler?.stop();
  const stored = (await statusOf(server)).event_store.events - eventsBefore;
  if (stored !== result.accepted * eventsPerAnswer) {
    throw new Error(`${result.accepted} requests were acknowledged, but ${stored} events were stored`);
  }
  return {
    load: result,
    commitsPerSecond: commits / seconds,
    eventsPerCommit: stored / Math.max(1, commits),
    ...(lagMs ? { lagMs } : {}),
  };
}
