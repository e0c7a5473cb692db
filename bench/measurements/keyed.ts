/** Deposits with an `Idempotency-Key` each, into accounts that have seen many of them and into new ones. */
import { ACCOUNTS, type Bench, interleave } from '../bench.ts';
import type { Findings } from '../report.ts';
import { depositing, startFilled } from '../seeded-server.ts';
import type { Server } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

/** Of all accounts together: more than are kept in memory. */
const OLD_KEYS = 500_000;
const DEPOSITS_PER_APPEND = 10;

export async function measureKeyed(bench: Bench): Promise<Findings> {
  const servers: Server[] = [];
  const contender = async (name: string, keys: number) => {
    const shape = { depositsPerAppend: DEPOSITS_PER_APPEND, keyed: true };
    const service = await startFilled(bench, name, keys, shape);
    servers.push(service.server);
    return depositing(bench, name, service, { keyed: true });
  };
  try {
    const contenders = [await contender('keyed-new', 0), await contender('keyed-old', OLD_KEYS)];
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
