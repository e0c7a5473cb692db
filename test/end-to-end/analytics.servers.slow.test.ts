/** Analytics on KurrentDB and MongoDB, or else on the double and the stand-in. */
import { afterAll, describe } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { startBank } from '../support/running-bank.ts';
import { type ServerStores, serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeAnalytics } from './analytics.cases.ts';

const missing = await serverStoresMissing();

describe.skipIf(missing !== undefined)(`analytics on servers ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  let stores: ServerStores | undefined;
  afterAll(async () => {
    await stores?.stop();
    directory.remove();
  });

  describeAnalytics('on KurrentDB and MongoDB', async (seed) => {
    stores = await startServerStores();
    const { settings } = stores;
    const store = await openKurrentDbEventStore(String(settings.OPENBANK_EVENT_STORE));
    await seed(store);
    await store.close();
    return startBank({ settings: { ...settings, OPENBANK_DATA_DIR: directory.file('bank') } });
  });
});
