/** How fast all events of an embedded store go into an export, and from there into another embedded store. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exportStore, importIntoStore } from '../../src/store-tools/move-stores.ts';
import { type Bench, databases, say } from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { median } from '../statistics.ts';

const ACCOUNTS = 10_000;
const ROUNDS_MAX = 3;

/** An import's rate is that of all it does: checking the export, writing, and comparing what the store holds. */
export async function measureMoves(bench: Bench): Promise<Findings> {
  const { quick, rounds } = bench.options;
  const deposits = quick ? 100_000 : 300_000;
  const { events: source } = databases(join(bench.dir, 'move-source'));
  say(`move: writing ${deposits} deposits into ${ACCOUNTS} accounts`);
  await seed(source, ACCOUNTS, deposits);
  const exports: number[] = [];
  const imports: number[] = [];
  const times = quick ? 1 : Math.min(rounds, ROUNDS_MAX);
  for (let round = 1; round <= times; round += 1) {
    const directory = join(bench.dir, 'move-export');
    const dataDir = join(bench.dir, 'move-target');
    const { events: target } = databases(dataDir);
    say(`move: export, round ${round} of ${times}`);
    exports.push(
      await eventsPerSecond(() =>
        exportStore({ eventStore: { kind: 'file', path: source }, archiveDir: undefined }, directory),
      ),
    );
    say(`move: import, round ${round} of ${times}`);
    imports.push(
      await eventsPerSecond(() =>
        importIntoStore({ eventStore: { kind: 'file', path: target }, archiveDir: undefined }, directory),
      ),
    );
    for (const path of [directory, dataDir]) rmSync(path, { recursive: true });
  }
  return {
    rows: [row('Export of all events', exports), row('Import of all events, compared', imports)],
    raw: { exports, imports },
  };
}

async function eventsPerSecond(move: () => Promise<{ readonly events: number }>): Promise<number> {
  const startedAt = performance.now();
  const { events } = await move();
  return (events * 1_000) / (performance.now() - startedAt);
}

function row(name: string, rates: readonly number[]): Row {
  return {
    name,
    value: median(rates),
    unit: 'events/s',
    target: { bound: 'at least', of: 'value', limit: 10_000 },
  };
}
