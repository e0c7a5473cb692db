/** Time travel on the embedded store. */
import { mkdirSync } from 'node:fs';
import { afterAll } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeTimeTravel } from './time-travel.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeTimeTravel('embedded', async (seed) => {
  const dataDir = directory.file('bank');
  mkdirSync(dataDir, { recursive: true });
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
  await seed(store);
  await store.close();
  return startBank({ dataDir });
});
