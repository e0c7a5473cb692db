/** How fast all read models are rebuilt beside those that are served, while nothing else runs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, databases, say } from '../bench.ts';
import { rebuild } from '../rebuild.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { median } from '../statistics.ts';

const ROUNDS_MAX = 3;
/** A rebuild so slow that its rounds take this long is not tried once more. */
const ENOUGH_SECONDS = 15;

export async function measureRebuild(bench: Bench): Promise<Findings> {
  const { quick, rounds } = bench.options;
  const deposits = quick ? 100_000 : 300_000;
  const times = quick ? 1 : Math.min(rounds, ROUNDS_MAX);
  const few = await rebuilds(bench, 1_000, deposits, times);
  const many = await rebuilds(bench, 10_000, deposits, times);
  return {
    rows: [row('1,000', few), row('10,000', many)],
    raw: { thousand_accounts: few, ten_thousand_accounts: many },
  };
}

/** Events per second of each rebuild. */
async function rebuilds(bench: Bench, accounts: number, deposits: number, rounds: number): Promise<number[]> {
  const dataDir = join(bench.dir, `rebuild-${accounts}`);
  const { events, readModels } = databases(dataDir);
  say(`rebuild: writing ${deposits} deposits into ${accounts} accounts`);
  await seed(events, accounts, deposits);
  const rates: number[] = [];
  let spent = 0;
  while (rates.length < rounds && spent < ENOUGH_SECONDS) {
    say(`rebuild: round ${rates.length + 1} of ${rounds}, ${accounts} accounts`);
    const done = await rebuild(events, readModels);
    rates.push(done.events / done.seconds);
    spent += done.seconds;
    for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(readModels + suffix, { force: true });
  }
  rmSync(dataDir, { recursive: true });
  return rates;
}

function row(accounts: string, rates: readonly number[]): Row {
  return {
    name: `Rebuild of all read models, ${accounts} accounts`,
    value: median(rates),
    unit: 'events/s',
    target: { bound: 'at least', of: 'value', limit: 100_000 },
  };
}
