/** Whether a bank of millions of events takes deposits as fast as a new one, and what its events weigh on the disk. */
import { statSync } from 'node:fs';
import { type Bench, interleave } from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { type DurableRun, depositing, type SeededServer, startFilled } from '../seeded-server.ts';
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
  const shape = { depositsPerAppend: DEPOSITS_PER_APPEND };
  const empty = await startFilled(bench, 'scale-empty', 0, shape);
  const full = await startFilled(bench, 'scale-full', events, shape);
  const weight = weigh(full.paths);
  try {
    const runs = await interleave(bench, [
      depositing(bench, 'empty', empty),
      depositing(bench, 'full', full),
    ]);
    return { rows: rows(runs, weight, events), raw: { runs: Object.fromEntries(runs), weight, events } };
  } finally {
    await empty.server.stop();
    await full.server.stop();
  }
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
