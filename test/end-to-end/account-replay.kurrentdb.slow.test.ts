/** Replaying an account over HTTP, on a KurrentDB: the one that `KURRENTDB_TEST_URL` names, or else the double. */
import { afterAll } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { startBank } from '../support/running-bank.ts';
import { KurrentDbStandIn } from '../support/server-stores.ts';
import { describeAccountReplay } from './account-replay.cases.ts';

const { KURRENTDB_TEST_URL } = process.env;
const server = KURRENTDB_TEST_URL ? undefined : await KurrentDbStandIn.start();
afterAll(() => server?.stop());

describeAccountReplay('on KurrentDB', async (seed) => {
  const url = server?.url ?? String(KURRENTDB_TEST_URL);
  const store = await openKurrentDbEventStore(url);
  await seed(store);
  await store.close();
  return startBank({ settings: { OPENBANK_EVENT_STORE: url } });
});
