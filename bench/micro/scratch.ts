/** What the micro-benchmarks share: an event store that is deleted afterwards, and a timed loop. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { PROJECT_ROOT } from '../servers.ts';

const SECONDS = 2;

/** Runs `work` with a fresh store in a directory of its own. */
export async function withStore(work: (store: SqliteEventStore) => Promise<void>): Promise<void> {
  const parent = join(PROJECT_ROOT, '.openbank/bench');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const dir = mkdtempSync(join(parent, 'micro-'));
  const store = openSqliteEventStore({ kind: 'file', path: join(dir, 'events.db') });
  try {
    await work(store);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
}

/** Calls `step` for two seconds and prints how many of its units were done per second. */
export async function timed(name: string, unitsPerStep: number, step: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < 20; index += 1) await step();
  const startedAt = performance.now();
  let steps = 0;
  while (performance.now() - startedAt < SECONDS * 1000) {
    await step();
    steps += 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const perSecond = (count: number) => Math.round(count / seconds).toLocaleString('en-US');
  console.log(
    `${name.padEnd(48)} ${perSecond(steps * unitsPerStep).padStart(9)}/s in ${perSecond(steps)} groups/s`,
  );
}
