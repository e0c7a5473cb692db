/** How long the balance at a time takes, on a stream of 100,000 events: the first question about it, and all later ones. */
import { join } from 'node:path';
import { type Bench, databases, say } from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { seed } from '../seed.ts';
import { type Server, startServer, untilProjected } from '../servers.ts';
import { median, percentile } from '../statistics.ts';

const EVENTS = 100_000;
const DEPOSITS_PER_APPEND = 50;
const QUESTIONS_PER_ROUND = 40;

export async function measureTimeTravel(bench: Bench): Promise<Findings> {
  const dataDir = join(bench.dir, 'time-travel');
  say('time travel: preparing');
  const [account] = await seed(databases(dataDir).events, 1, EVENTS - 1, {
    depositsPerAppend: DEPOSITS_PER_APPEND,
  });
  const service = await startServer('service', dataDir);
  try {
    await untilProjected(service);
    const begin = await changedAt(service, `${account}/balance?revision=0`);
    const end = await changedAt(service, `${account}/balance`);
    say('time travel: asking');
    const first = await milliseconds(service, `${account}/balance?at=${new Date(end).toISOString()}`);
    const later: number[] = [];
    for (let question = 0; question < bench.options.rounds * QUESTIONS_PER_ROUND; question += 1) {
      const at = new Date(begin + Math.random() * (end - begin)).toISOString();
      later.push(await milliseconds(service, `${account}/balance?at=${at}`));
    }
    return {
      rows: [row('first question', first), laterRow(later), row('99th percentile', percentile(later, 0.99))],
      raw: { first, later },
    };
  } finally {
    await service.stop();
  }
}

async function changedAt(service: Server, path: string): Promise<number> {
  const { changed_at, revision } = await ask(service, path);
  if (!path.includes('?') && revision !== EVENTS - 1)
    throw new Error(`the stream is at revision ${revision}`);
  return Date.parse(String(changed_at));
}

/** From the request to the last byte of the answer. */
async function milliseconds(service: Server, path: string): Promise<number> {
  const startedAt = performance.now();
  await ask(service, path);
  return performance.now() - startedAt;
}

async function ask({ port }: Server, path: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/accounts/${path}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as Readonly<Record<string, unknown>>;
}

function laterRow(times: readonly number[]): Row {
  return { ...row('later questions', median(times)), target: { bound: 'at most', of: 'value', limit: 20 } };
}

function row(which: string, value: number): Row {
  return { name: `Balance at a time, 100,000 events, ${which}`, value, unit: 'ms' };
}
