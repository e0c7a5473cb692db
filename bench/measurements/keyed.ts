/** Deposits with an `Idempotency-Key` each, into accounts that have seen many of them and into new ones. */
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
import type { Findings } from '../report.ts';
import { seed } from '../seed.ts';
import { type DurableRun, durableRun } from '../seeded-server.ts';
import { type Server, startServer, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

/** Of all accounts together: more than are kept in memory. */
const OLD_KEYS = 500_000;
const DEPOSITS_PER_APPEND = 10;

export async function measureKeyed(bench: Bench): Promise<Findings> {
  const servers: Server[] = [];
  try {
    const contenders = [
      await contender(bench, 'keyed-new', 0, servers),
      await contender(bench, 'keyed-old', OLD_KEYS, servers),
    ];
    const runs = await interleave(bench, contenders);
    const rates = (name: string) => (runs.get(name) ?? []).map((run) => run.load.rate);
    const row = {
      name: `Deposits with keys after ${OLD_KEYS / ACCOUNTS} an account, to those into new accounts`,
      value: median(rates('keyed-old')),
      unit: '/s',
      reference: median(rates('keyed-new')),
      ratio: medianRatio(rates('keyed-old'), rates('keyed-new')),
    } as const;
    return { rows: [row], raw: Object.fromEntries(runs) };
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** A service that has loaded each account once; its clients send a new key with every deposit. */
async function contender(
  bench: Bench,
  name: string,
  keys: number,
  servers: Server[],
): Promise<Contender<DurableRun>> {
  const dataDir = join(bench.dir, name);
  const paths = databases(dataDir);
  say(`keyed: writing ${keys} deposits`);
  const shape = { depositsPerAppend: DEPOSITS_PER_APPEND, keyed: true };
  const accountIds = await seed(paths.events, ACCOUNTS, keys, shape);
  await fillReadModels(paths.events, paths.readModels);
  const server = await startServer('service', dataDir);
  servers.push(server);
  const targets = depositTargets(accountIds);
  await bench.generator.run({ port: server.port, connections: CONNECTIONS, targets });
  await untilProjected(server);
  return {
    name,
    async run(seconds) {
      const run = await durableRun(bench, { server, accountIds, paths }, targets, seconds, { keyed: true });
      await untilProjected(server);
      return run;
    },
  };
}
