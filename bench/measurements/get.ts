/** Reading one account from its read model, beside a bare route that answers a constant document. */
import { join } from 'node:path';
import { ACCOUNTS, type Bench, type Contender, databases, interleave, load } from '../bench.ts';
import type { LoadResult, LoadTarget } from '../load.ts';
import type { Findings } from '../report.ts';
import { seed } from '../seed.ts';
import { type Server, startServer, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

const DEPOSITS = 10_000;

export async function measureGets(bench: Bench): Promise<Findings> {
  const dataDir = join(bench.dir, 'get');
  const accountIds = await seed(databases(dataDir).events, ACCOUNTS, DEPOSITS);
  const targets = accountIds.map((id) => ({ path: `/api/v1/accounts/${id}` }));
  const servers: Server[] = [];
  try {
    const service = await startServer('service', dataDir);
    servers.push(service);
    await untilProjected(service);
    const bare = await startServer('bare', join(bench.dir, 'get-bare'));
    servers.push(bare);
    const runs = await interleave(bench, [
      reading(bench, 'get: service', service, targets),
      reading(bench, 'get: bare', bare, targets),
    ]);
    return findings(runs);
  } finally {
    for (const server of servers) await server.stop();
  }
}

function reading(
  bench: Bench,
  name: string,
  { port }: Server,
  targets: readonly LoadTarget[],
): Contender<LoadResult> {
  return { name, run: (seconds) => load(bench, port, targets, seconds) };
}

function findings(runs: ReadonlyMap<string, readonly LoadResult[]>): Findings {
  const service = (runs.get('get: service') ?? []).map((run) => run.rate);
  const bare = (runs.get('get: bare') ?? []).map((run) => run.rate);
  const row = {
    name: 'GET of an account, to bare Fastify',
    value: median(service),
    unit: '/s',
    reference: median(bare),
    ratio: medianRatio(service, bare),
    target: { bound: 'at least', of: 'ratio', limit: 0.8 },
  } as const;
  return { rows: [row], raw: Object.fromEntries(runs) };
}
