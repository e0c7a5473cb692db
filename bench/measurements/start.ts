/** From the start of the process to its first "ready", and what it weighs when it has read every account. */
import { join } from 'node:path';
import { type Bench, CONNECTIONS, databases, say } from '../bench.ts';
import { fillReadModels } from '../rebuild.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { startServer, statusOf, untilProjected } from '../servers.ts';
import { median } from '../statistics.ts';

const ACCOUNTS = 10_000;
const STARTS_MAX = 5;
const QUICK_STARTS_MAX = 2;
const DEPOSITS_PER_APPEND = 10;

export async function measureStart(bench: Bench): Promise<Findings> {
  const { quick, rounds } = bench.options;
  const starts = Math.min(rounds, quick ? QUICK_STARTS_MAX : STARTS_MAX);
  // The first start of a version compiles the sources into the cache that every later start reads.
  await readyMs(join(bench.dir, 'start-first'));
  const empty: number[] = [];
  for (let round = 0; round < starts; round += 1) {
    say(`start: empty store, ${round + 1} of ${starts}`);
    empty.push(await readyMs(join(bench.dir, `start-empty-${round}`)));
  }
  const dataDir = join(bench.dir, 'start-full');
  const total = quick ? 100_000 : 1_000_000;
  const accountIds = await fill(dataDir, total);
  const full: number[] = [];
  for (let round = 0; round < starts; round += 1) {
    say(`start: ${total} events, ${round + 1} of ${starts}`);
    full.push(await readyMs(dataDir));
  }
  const memory = await memoryAfterReadingAll(bench, dataDir, accountIds);
  return { rows: rows(empty, full, memory.after, total), raw: { empty, full, memory } };
}

async function readyMs(dataDir: string): Promise<number> {
  const server = await startServer('service', dataDir);
  await server.stop();
  return server.readyMs;
}

/** A store of exactly `total` events with read models that are up to date. */
async function fill(dataDir: string, total: number): Promise<string[]> {
  const { events, readModels } = databases(dataDir);
  say(`start: writing ${total} events`);
  const openings = ACCOUNTS + ACCOUNTS / 2;
  const accountIds = await seed(events, ACCOUNTS, total - openings, {
    depositsPerAppend: DEPOSITS_PER_APPEND,
  });
  say(`start: projecting ${total} events`);
  await fillReadModels(events, readModels);
  return accountIds;
}

async function memoryAfterReadingAll(bench: Bench, dataDir: string, accountIds: readonly string[]) {
  const server = await startServer('service', dataDir);
  try {
    await untilProjected(server);
    const before = (await statusOf(server)).memory_bytes;
    const targets = accountIds.map((id) => ({ path: `/api/v1/accounts/${id}` }));
    const { accepted } = await bench.generator.run({ port: server.port, connections: CONNECTIONS, targets });
    if (accepted !== targets.length) throw new Error(`${accepted} of ${targets.length} accounts were read`);
    return { before, after: (await statusOf(server)).memory_bytes };
  } finally {
    await server.stop();
  }
}

function rows(empty: readonly number[], full: readonly number[], memory: number, total: number): Row[] {
  const events = total.toLocaleString('en-US');
  const atMost = (limit: number) => ({ bound: 'at most', of: 'value', limit }) as const;
  return [
    { name: 'Ready with an empty store', value: median(empty), unit: 'ms', target: atMost(1_500) },
    { name: `Ready with ${events} events`, value: median(full), unit: 'ms', target: atMost(3_000) },
    {
      name: 'Memory (RSS) after reading all of 10,000 accounts',
      value: memory / 2 ** 20,
      unit: 'MiB',
      target: atMost(250),
    },
  ];
}
