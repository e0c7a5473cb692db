/** Deposits per second: the service, the API alone and one hot account, beside a bare route that stores nothing. */
import { join } from 'node:path';
import {
  ACCOUNTS,
  type Bench,
  type Contender,
  databases,
  depositTargets,
  interleave,
  load,
} from '../bench.ts';
import { commitsOf } from '../commit-counter.ts';
import { type LagSampler, sampleLag } from '../lag-sampler.ts';
import type { LoadResult, LoadTarget } from '../load.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { type Server, type ServerKind, startServer, statusOf, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';
import { hotRows } from './hot.ts';
import { lagRows } from './lag.ts';

export interface DepositRun {
  readonly load: LoadResult;
  readonly commitsPerSecond?: number;
  readonly eventsPerCommit?: number;
  readonly lagMs?: readonly number[];
}

export type DepositRuns = ReadonlyMap<string, readonly DepositRun[]>;

/** Measures what was asked for of deposits, hot account and lag: they share the servers and the rounds. */
export async function measureDeposits(bench: Bench): Promise<Findings> {
  const { only } = bench.options;
  const servers: Server[] = [];
  const start = async (kind: ServerKind) => {
    const seeded = await startSeeded(bench, kind);
    servers.push(seeded.server);
    return seeded;
  };
  try {
    const service = await start('service');
    const contenders = [spread(bench, service, only.has('lag'))];
    if (only.has('deposits')) {
      contenders.push(bare(bench, await start('bare')), apiOnly(bench, await start('api-only')));
    }
    if (only.has('hot')) contenders.push(hot(bench, service));
    const runs: DepositRuns = await interleave(bench, contenders);
    const rows = [
      ...(only.has('deposits') ? depositRows(runs) : []),
      ...(only.has('hot') ? hotRows(runs) : []),
      ...(only.has('lag') ? lagRows(runs) : []),
    ];
    return { rows, raw: Object.fromEntries(runs) };
  } finally {
    for (const server of servers) await server.stop();
  }
}

interface Seeded {
  readonly server: Server;
  readonly targets: readonly LoadTarget[];
  readonly paths: { readonly events: string; readonly readModels: string };
}

async function startSeeded({ dir }: Bench, kind: ServerKind): Promise<Seeded> {
  const dataDir = join(dir, kind);
  const paths = databases(dataDir);
  const accountIds = await seed(paths.events, ACCOUNTS, 0);
  const server = await startServer(kind, dataDir);
  return { server, targets: depositTargets(accountIds), paths };
}

function spread(bench: Bench, { server, targets, paths }: Seeded, withLag: boolean): Contender<DepositRun> {
  return {
    name: 'service',
    async run(seconds) {
      const sampler = withLag ? sampleLag(paths.events, paths.readModels) : undefined;
      const run = await durable(bench, server, paths.events, targets, seconds, sampler);
      await untilProjected(server);
      return run;
    },
  };
}

function apiOnly(bench: Bench, { server, targets, paths }: Seeded): Contender<DepositRun> {
  return { name: 'api-only', run: (seconds) => durable(bench, server, paths.events, targets, seconds) };
}

function bare(bench: Bench, { server, targets }: Seeded): Contender<DepositRun> {
  return {
    name: 'bare',
    run: async (seconds) => ({ load: await load(bench, server.port, targets, seconds) }),
  };
}

function hot(bench: Bench, { server, targets, paths }: Seeded): Contender<DepositRun> {
  return {
    name: 'hot',
    async run(seconds) {
      const run = await durable(bench, server, paths.events, targets.slice(0, 1), seconds);
      await untilProjected(server);
      return run;
    },
  };
}

/** One run against a server that stores; every accepted deposit must be there as exactly one event. */
async function durable(
  bench: Bench,
  server: Server,
  eventStore: string,
  targets: readonly LoadTarget[],
  seconds: number,
  sampler?: LagSampler,
): Promise<DepositRun> {
  const eventsBefore = (await statusOf(server)).event_store.events;
  const commitsBefore = commitsOf(eventStore);
  const result = await load(bench, server.port, targets, seconds);
  const commits = (commitsOf(eventStore) - commitsBefore) >>> 0;
  const lagMs = await sampler?.stop();
  const stored = (await statusOf(server)).event_store.events - eventsBefore;
  if (stored !== result.accepted) {
    throw new Error(`${result.accepted} deposits were acknowledged, but ${stored} events were stored`);
  }
  return {
    load: result,
    commitsPerSecond: commits / seconds,
    eventsPerCommit: stored / Math.max(1, commits),
    ...(lagMs ? { lagMs } : {}),
  };
}

export function ratesOf(runs: DepositRuns, name: string): number[] {
  return (runs.get(name) ?? []).map((run) => run.load.rate);
}

function depositRows(runs: DepositRuns): Row[] {
  const bareRates = ratesOf(runs, 'bare');
  const compared = (name: string, contender: string, limit: number): Row => ({
    name,
    value: median(ratesOf(runs, contender)),
    unit: '/s',
    reference: median(bareRates),
    ratio: medianRatio(ratesOf(runs, contender), bareRates),
    target: { bound: 'at least', of: 'ratio', limit },
  });
  const ofService = (figure: (run: DepositRun) => number) => median((runs.get('service') ?? []).map(figure));
  return [
    compared('Durable deposits, whole service, to bare Fastify', 'service', 0.5),
    compared('Durable deposits, API alone, to bare Fastify', 'api-only', 0.65),
    { name: '  latency p50 (64 clients)', value: ofService((run) => run.load.latencyMs.p50), unit: 'ms' },
    { name: '  latency p99', value: ofService((run) => run.load.latencyMs.p99), unit: 'ms' },
    { name: '  commits', value: ofService((run) => run.commitsPerSecond ?? 0), unit: '/s' },
    { name: '  events per commit', value: ofService((run) => run.eventsPerCommit ?? 0), unit: '' },
  ];
}
