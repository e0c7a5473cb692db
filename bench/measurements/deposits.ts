/** Deposits per second: the service, the API alone and one hot account, beside a bare route that stores nothing. */
import { type Bench, type Contender, depositTargets, interleave, load } from '../bench.ts';
import { sampleLag } from '../lag-sampler.ts';
import type { Findings, Row } from '../report.ts';
import { type DurableRun, durableRun, type SeededServer, startSeeded } from '../seeded-server.ts';
import { type Server, type ServerKind, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';
import { hotRows } from './hot.ts';
import { lagRows } from './lag.ts';

/** The bare route has no store whose commits could be counted. */
export type DepositRun = Pick<DurableRun, 'load'> & Partial<DurableRun>;

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

function spread(bench: Bench, service: SeededServer, withLag: boolean): Contender<DepositRun> {
  const { server, accountIds, paths } = service;
  return {
    name: 'service',
    async run(seconds) {
      const sampler = withLag ? sampleLag(paths.events, paths.readModels) : undefined;
      const run = await durableRun(bench, service, depositTargets(accountIds), seconds, { sampler });
      await untilProjected(server);
      return run;
    },
  };
}

function apiOnly(bench: Bench, service: SeededServer): Contender<DepositRun> {
  const targets = depositTargets(service.accountIds);
  return { name: 'api-only', run: (seconds) => durableRun(bench, service, targets, seconds) };
}

/** Also what transfers are compared with. */
export function bare(bench: Bench, { server, accountIds }: SeededServer): Contender<DepositRun> {
  const targets = depositTargets(accountIds);
  return {
    name: 'bare',
    run: async (seconds) => ({ load: await load(bench, server.port, targets, seconds) }),
  };
}

function hot(bench: Bench, service: SeededServer): Contender<DepositRun> {
  const targets = depositTargets(service.accountIds.slice(0, 1));
  return {
    name: 'hot',
    async run(seconds) {
      const run = await durableRun(bench, service, targets, seconds);
      await untilProjected(service.server);
      return run;
    },
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
