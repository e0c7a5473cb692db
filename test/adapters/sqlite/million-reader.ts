/** Writes a million events and reads them in two ways, watching its heap; it needs `--expose-gc`. */
import { randomUUID } from 'node:crypto';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { NewEvent } from '../../../src/event-sourcing/event-store.ts';

const EVENTS = 1_000_000;
const EVENTS_PER_APPEND = 5_000;
const EVENTS_PER_LOOK = 50_000;

export interface MillionReport {
  readonly readAll: number;
  readonly subscribeToAll: number;
  /** The most that was reachable at any look, above what there was before reading. */
  readonly heapGrowthBytes: number;
  /** The same for what the process takes from the machine. */
  readonly residentGrowthBytes: number;
}

const [path = ''] = process.argv.slice(2);
const store = openSqliteEventStore({ kind: 'file', path });
await fill();
const before = { heap: liveHeap(), resident: process.memoryUsage().rss };
const most = { ...before };
const report: MillionReport = {
  readAll: await countByReading(),
  subscribeToAll: await countBySubscribing(),
  heapGrowthBytes: most.heap - before.heap,
  residentGrowthBytes: most.resident - before.resident,
};
await store.close();
process.stdout.write(JSON.stringify(report));

async function fill(): Promise<void> {
  for (let start = 0; start < EVENTS; start += EVENTS_PER_APPEND) {
    const events = Array.from({ length: EVENTS_PER_APPEND }, (_, index) => smallEvent(start + index));
    await store.append(`stream-${(start / EVENTS_PER_APPEND) % 50}`, events, 'any');
  }
}

async function countByReading(): Promise<number> {
  let seen = 0;
  for await (const event of store.readAll()) {
    if ((event.data as { number: number }).number !== seen)
      throw new Error(`Event ${seen} is not in its place.`);
    seen += 1;
    if (seen % EVENTS_PER_LOOK === 0) look();
  }
  return seen;
}

async function countBySubscribing(): Promise<number> {
  const abort = new AbortController();
  let seen = 0;
  let looked = 0;
  for await (const { events, caughtUp } of store.subscribeToAll({ signal: abort.signal })) {
    for (const event of events) {
      if ((event.data as { number: number }).number !== seen)
        throw new Error(`Event ${seen} is not in its place.`);
      seen += 1;
    }
    if (seen - looked >= EVENTS_PER_LOOK) {
      looked = seen;
      look();
    }
    if (caughtUp) abort.abort();
  }
  return seen;
}

function look(): void {
  most.heap = Math.max(most.heap, liveHeap());
  most.resident = Math.max(most.resident, process.memoryUsage().rss);
}

function liveHeap(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function smallEvent(number: number): NewEvent {
  const metadata = {
    aggregate_type: 'thing',
    aggregate_id: '1',
    timestamp: '2026-01-02T03:04:05.678Z',
    correlation_id: '1',
    causation_id: '1',
  };
  return { id: randomUUID(), type: 'ThingHappenedDomainEventV1', data: { number }, metadata };
}
