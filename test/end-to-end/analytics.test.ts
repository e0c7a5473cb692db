/** Analytics on the embedded stores. */
import { mkdirSync } from 'node:fs';
import { afterAll } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeAnalytics } from './analytics.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeAnalytics('on the embedded stores', async (seed) => {
  const dataDir = directory.file('bank');
  mkdirSync(dataDir, { recursive: true });
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
  await seed(store);
  await store.close();
  return startBank({ dataDir });
});
