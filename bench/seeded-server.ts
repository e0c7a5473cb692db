/** A server over a store that has accounts already, and load runs on it whose every answer must be found in the log. */
import { join } from 'node:path';
import { ACCOUNTS, type Bench, databases, load } from './bench.ts';
import { commitsOf } from './commit-counter.ts';
import type { LagSampler } from './lag-sampler.ts';
import type { LoadResult, LoadTarget } from './load.ts';
import { seed } from './seed.ts';
import { type Server, type ServerKind, startServer, statusOf } from './servers.ts';

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
