/**
 * Deposits a second with the events in KurrentDB, beside raw appends of one event each by the server's own client: what
 * the bank's rules, its repository and HTTP cost, and what folding gains. Needs a real server in `KURRENTDB_TEST_URL`.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventReader } from '../../src/event-sourcing/event-store.ts';
import {
  ACCOUNTS,
  type Bench,
  CONNECTIONS,
  type Contender,
  depositTargets,
  interleave,
  load,
} from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { seedInto } from '../seed.ts';
import { startServer, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

const SPREAD = 'KurrentDB: deposits into 1,000 accounts, to raw appends';
const HOT = 'KurrentDB: deposits into one account, to raw appends';
const SPREAD_RATIO_MIN = 0.8;
const HOT_RATIO_MIN = 2;

interface Run {
  /** A second. */
  readonly rate: number;
}

export async function measureKurrentDb(bench: Bench): Promise<Findings> {
  const url = process.env.KURRENTDB_TEST_URL;
  return url ? measureOn(url, bench) : { rows: rowsOf(new Map()), raw: {} };
}

async function measureOn(url: string, bench: Bench): Promise<Findings> {
  const store = await openKurrentDbEventStore(url);
  const client = EventStoreDBClient.connectionString(url.replace(/^kurrentdb/, 'esdb'));
  try {
    const accountIds = await seedInto(store, ACCOUNTS, 0);
    const server = await startServer('service', join(bench.dir, 'kurrentdb'), { OPENBANK_EVENT_STORE: url });
    try {
      const targets = depositTargets(accountIds);
      const deposits = (name: string, ids: readonly string[]): Contender<Run> => ({
        name,
        async run(seconds) {
          const before = await countEvents(store, ids);
          const result = await load(bench, server.port, targets.slice(0, ids.length), seconds);
          const stored = (await countEvents(store, ids)) - before;
          if (stored !== result.accepted) {
            throw new Error(
              `${result.accepted} deposits were acknowledged, but ${stored} events were stored`,
            );
          }
          await untilProjected(server);
          return result;
        },
      });
      const runs = await interleave(bench, [
        { name: 'raw', run: (seconds) => appendRaw(client, seconds) },
        deposits('spread', accountIds),
        deposits('hot', accountIds.slice(0, 1)),
      ]);
      return { rows: rowsOf(runs), raw: Object.fromEntries(runs) };
    } finally {
      await server.stop();
    }
  } finally {
    await client.dispose();
    await store.close();
  }
}

/** As many appends under way as the load generator has requests, each of one event, over as many streams. */
async function appendRaw(client: EventStoreDBClient, seconds: number): Promise<Run> {
  const prefix = `bench-raw-${randomUUID()}`;
  const data = { transaction_id: randomUUID(), type: 'DEPOSIT', amount: '12.50', description: 'Salary' };
  const metadata = { aggregate_type: 'bench', timestamp: new Date().toISOString() };
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1_000;
  let appended = 0;
  const worker = async () => {
    while (performance.now() < deadline) {
      const stream = `${prefix}-${Math.floor(Math.random() * ACCOUNTS)}`;
      await client.appendToStream(stream, jsonEvent({ type: 'RawAppendBenchmarked', data, metadata }));
      appended += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return { rate: appended / ((performance.now() - startedAt) / 1_000) };
}

/** How many events the accounts have: their newest revisions say so. */
async function countEvents(reader: EventReader, accountIds: readonly string[]): Promise<number> {
  const counts = accountIds.map(async (id) => {
    for await (const { revision } of reader.readStream(bankAccountStream(id), {
      direction: 'backwards',
      limit: 1,
    })) {
      return revision + 1;
    }
    return 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

function rowsOf(runs: ReadonlyMap<string, readonly Run[]>): Row[] {
  const rates = (name: string) => (runs.get(name) ?? []).map((run) => run.rate);
  const raw = rates('raw');
  const compared = (name: string, contender: string, limit: number): Row => {
    const target = { bound: 'at least', of: 'ratio', limit } as const;
    const own = rates(contender);
    if (own.length === 0) return { name, unit: '/s', target };
    return {
      name,
      value: median(own),
      unit: '/s',
      reference: median(raw),
      ratio: medianRatio(own, raw),
      target,
    };
  };
  return [compared(SPREAD, 'spread', SPREAD_RATIO_MIN), compared(HOT, 'hot', HOT_RATIO_MIN)];
}
