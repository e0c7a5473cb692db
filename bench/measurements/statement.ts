/** How long the statement of a month with 10,000 transactions takes, in each format. */
import { join } from 'node:path';
import { type Bench, databases, say } from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { type Server, startServer, untilProjected } from '../servers.ts';
import { median } from '../statistics.ts';

const TRANSACTIONS = 10_000;
const DEPOSITS_PER_APPEND = 50;
const WARM_UPS = 3;
const TIMES_PER_ROUND = 5;
const FORMATS = ['json', 'csv', 'html'] as const;

export async function measureStatements(bench: Bench): Promise<Findings> {
  const dataDir = join(bench.dir, 'statement');
  const { events } = databases(dataDir);
  const [account] = await seed(events, 1, TRANSACTIONS, { depositsPerAppend: DEPOSITS_PER_APPEND });
  const month = new Date().toISOString().slice(0, 'YYYY-MM'.length);
  const service = await startServer('service', dataDir);
  try {
    await untilProjected(service);
    const path = `/api/v1/accounts/${account}/statements/${month}`;
    await expectWhole(service, path);
    const raw: Record<string, number[]> = {};
    for (const format of FORMATS) {
      say(`statement: ${format}`);
      raw[format] = await milliseconds(service, `${path}?format=${format}`, bench.options.rounds);
    }
    return { rows: Object.entries(raw).map(([format, times]) => row(format, times)), raw };
  } finally {
    await service.stop();
  }
}

/** A statement that left something out would be a fast one. */
async function expectWhole({ port }: Server, path: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const { transactions } = (await response.json()) as { transactions?: unknown[] };
  if (transactions?.length !== TRANSACTIONS) throw new Error(`the statement has ${transactions?.length}`);
}

/** From the request to the last byte of the answer, one request at a time. */
async function milliseconds({ port }: Server, path: string, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let time = 0; time < WARM_UPS + rounds * TIMES_PER_ROUND; time += 1) {
    const startedAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    if (time >= WARM_UPS) times.push(performance.now() - startedAt);
  }
  return times;
}

function row(format: string, times: readonly number[]): Row {
  return {
    name: `Statement of 10,000 transactions, ${format.toUpperCase()}`,
    value: median(times),
    unit: 'ms',
    target: { bound: 'at most', of: 'value', limit: 100 },
  };
}
