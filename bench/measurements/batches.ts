/** Postings a second that come in batches over HTTP, beside the same rows written raw, 512 events a commit. */
import { join } from 'node:path';
import {
  openSqliteEventReader,
  openSqliteEventStore,
  type SqliteEventStore,
} from '../../src/adapters/sqlite/event-store.ts';
import type { NewEvent } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { ACCOUNTS, type Bench, type Contender, databases, interleave, say } from '../bench.ts';
import type { Findings } from '../report.ts';
import { seed } from '../seed.ts';
import { type Server, startServer, statusOf, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

const ITEMS = 10_000;
/** So that the server has work while an answer is under way. */
const BATCHES_AT_ONCE = 2;
const BODIES = 8;
const COMMIT_EVENTS = 512;

interface Run {
  /** Events that became durable, a second. */
  readonly rate: number;
}

/** An event with the stream that it belongs to. */
interface Row extends NewEvent {
  readonly stream: string;
}

export async function measureBatches(bench: Bench): Promise<Findings> {
  const dataDir = join(bench.dir, 'batches');
  const { events } = databases(dataDir);
  const accountIds = await seed(events, ACCOUNTS, 0);
  const server = await startServer('service', dataDir);
  const raw = openSqliteEventStore({ kind: 'file', path: join(dataDir, 'raw.db') });
  try {
    const bodies = Array.from({ length: BODIES }, () => bodyOf(accountIds));
    // The first batches also let the compilers settle: a run under load has only a few of them.
    say('batches: writing the rows');
    for (const body of bodies) await post(server, body);
    const rows = await newestRows(events);
    const runs = await interleave<Run>(bench, [
      batches(server, bodies),
      { name: 'raw commits', run: (seconds) => appendRaw(raw, rows, seconds) },
    ]);
    return findings(runs);
  } finally {
    await raw.close();
    await server.stop();
  }
}

/** Deposits into accounts chosen at random. */
function bodyOf(accountIds: readonly string[]): string {
  const deposit = () => ({
    type: 'DEPOSIT',
    account_id: accountIds[Math.floor(Math.random() * accountIds.length)],
    amount: '12.50',
    description: 'Salary',
  });
  return JSON.stringify(Array.from({ length: ITEMS }, deposit));
}

/** Each batch has a key, as it should have. */
async function post({ port }: Server, body: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/transactions/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': newId() },
    body,
  });
  const answer = Buffer.from(await response.arrayBuffer());
  const head = answer.subarray(0, 100).toString();
  if (!head.includes(`"posted":${ITEMS},`)) throw new Error(`a batch answered ${response.status} ${head}`);
}

/** One run; every posting that was answered must be there as exactly one event. */
function batches(server: Server, bodies: readonly string[]): Contender<Run> {
  return {
    name: 'batches',
    async run(seconds) {
      const before = (await statusOf(server)).event_store.events;
      const startedAt = performance.now();
      let posted = 0;
      const client = async (first: number) => {
        for (let body = first; performance.now() - startedAt < seconds * 1000; body += BATCHES_AT_ONCE) {
          await post(server, bodies[body % bodies.length] as string);
          posted += ITEMS;
        }
      };
      await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, (_, first) => client(first)));
      const rate = (posted * 1000) / (performance.now() - startedAt);
      const stored = (await statusOf(server)).event_store.events - before;
      if (stored !== posted)
        throw new Error(`${posted} postings were answered, but ${stored} events were stored`);
      await untilProjected(server);
      return { rate };
    },
  };
}

/** What a batch has written, in the order of the log. */
async function newestRows(path: string): Promise<Row[]> {
  const { reader, close } = openSqliteEventReader(path);
  try {
    const rows: Row[] = [];
    for await (const { id, stream, type, data, metadata } of reader.readAll({
      direction: 'backwards',
      limit: ITEMS,
    })) {
      rows.push({ id, stream, type, data, metadata });
    }
    return rows.reverse();
  } finally {
    close();
  }
}

/** One commit after the other, each of 512 events, appended to their streams without a decision and without a check. */
async function appendRaw(store: SqliteEventStore, rows: readonly Row[], seconds: number): Promise<Run> {
  const startedAt = performance.now();
  let written = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    const from = written % (rows.length - COMMIT_EVENTS);
    const commit = rows.slice(from, from + COMMIT_EVENTS).map((row) => ({ ...row, id: newId() }));
    const byStream = Map.groupBy(commit, ({ stream }) => stream);
    await Promise.all([...byStream].map(([stream, events]) => store.append(stream, events, 'any')));
    written += COMMIT_EVENTS;
  }
  return { rate: (written * 1000) / (performance.now() - startedAt) };
}

function findings(runs: ReadonlyMap<string, readonly Run[]>): Findings {
  const ratesOf = (name: string) => (runs.get(name) ?? []).map(({ rate }) => rate);
  const [own, raw] = [ratesOf('batches'), ratesOf('raw commits')];
  const row = {
    name: 'Deposits in batches of 10,000, to raw commits',
    value: median(own),
    unit: '/s',
    reference: median(raw),
    ratio: medianRatio(own, raw),
    target: { bound: 'at least', of: 'ratio', limit: 0.3 },
  } as const;
  return { rows: [row], raw: Object.fromEntries(runs) };
}
