/** A bank on the embedded stores that begins with a history. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { type RunningBank, startBank } from './running-bank.ts';

/** @param seed writes what happened before the bank starts */
export async function startSeededBank(
  dataDir: string,
  seed: (store: EventStore) => Promise<void>,
): Promise<RunningBank> {
  mkdirSync(dataDir, { recursive: true });
  const store = openSqliteEventStore({ kind: 'file', path: join(dataDir, 'events.db') });
  await seed(store);
  await store.close();
  return startBank({ dataDir });
}
