/** Whether a bank of millions of events takes deposits as fast as a new one, and what its events weigh on the disk. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ACCOUNTS,
  type Bench,
  CONNECTIONS,
  type Contender,
  databases,
  depositTargets,
  interleave,
  say,
} from '../bench.ts';
import { fillReadModels } from '../rebuild.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { type DurableRun, durableRun, type SeededServer } from '../seeded-server.ts';
import { startServer, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

const EVENTS = 5_000_000;
const QUICK_EVENTS = 500_000;
const DEPOSITS_PER_APPEND = 10;

interface Weight {
  readonly eventStoreBytes: number;
  readonly readModelBytes: number;
}

export async function measureScale(bench: Bench): Promise<Findings> {
  const events = bench.options.quick ? QUICK_EVENTS : EVENTS;
  const empty = await start(bench, 'scale-empty', 0);
  const full = await start(bench, 'scale-full', events);
  const weight = weigh(full.paths);
  try {
    const runs = await interleave(bench, [contender(bench, 'empty', empty), contender(bench, 'full', full)]);
    return { rows: rows(runs, weight, events), raw: { runs: Object.fromEntries(runs), weight, events } };
  } finally {
    await empty.server.stop();
    await full.server.stop();
  }
}

/** A service over so many deposits, whose read models are up to date and which has loaded each account once. */
async function start(bench: Bench, name: string, deposits: number): Promise<SeededServer> {
  const dataDir = join(bench.dir, name);
  const paths = databases(dataDir);
  say(`scale: writing ${deposits} deposits`);
  const accountIds = await seed(paths.events, ACCOUNTS, deposits, { depositsPerAppend: DEPOSITS_PER_APPEND });
  say(`scale: projecting ${deposits} deposits`);
  await fillReadModels(paths.events, paths.readModels);
  const server = await startServer('service', dataDir);
  say('scale: loading every account');
  const targets = depositTargets(accountIds);
  await bench.generator.run({ port: server.port, connections: CONNECTIONS, targets });
  await untilProjected(server);
  return { server, accountIds, paths };
}

function contender(bench: Bench, name: string, service: SeededServer): Contender<DurableRun> {
  return {
    name,
    async run(seconds) {
      const run = await durableRun(bench, service, depositTargets(service.accountIds), seconds);
      await untilProjected(service.server);
      return run;
    },
  };
}

function weigh({ events, readModels }: SeededServer['paths']): Weight {
  const bytes = (path: string) => statSync(path).size;
  return { eventStoreBytes: bytes(events), readModelBytes: bytes(readModels) };
}

function rows(runs: ReadonlyMap<string, readonly DurableRun[]>, weight: Weight, events: number): Row[] {
  const rates = (name: string) => (runs.get(name) ?? []).map((run) => run.load.rate);
  return [
    {
      name: `Deposits at ${events.toLocaleString('en-US')} events, to those at none`,
      value: median(rates('full')),
      unit: '/s',
      reference: median(rates('empty')),
      ratio: medianRatio(rates('full'), rates('empty')),
      target: { bound: 'at least', of: 'ratio', limit: 0.9 },
    },
    { name: '  event store on disk', value: weight.eventStoreBytes / events, unit: 'bytes/event' },
    { name: '  read models on disk', value: weight.readModelBytes / events, unit: 'bytes/event' },
  ];
}
