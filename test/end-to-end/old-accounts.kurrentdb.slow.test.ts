/** Accounts of version 1 on a KurrentDB, which API and worker share: the double, since its log must begin with them. */
import { onTestFinished } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { KurrentDbStandIn } from '../support/server-stores.ts';
import { describeOldAccounts } from './old-accounts.cases.ts';

/** Nobody comes so far as to open these. */
const READ_MODELS = 'mongodb://127.0.0.1:9/openbank';

describeOldAccounts('on KurrentDB', async () => {
  const server = await KurrentDbStandIn.start();
  onTestFinished(() => server.stop());
  const write = async <T>(work: (store: EventStore) => Promise<T>): Promise<T> => {
    const store = await openKurrentDbEventStore(server.url);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const roles = ['all', 'api', 'worker'].map((role) => ({
    OPENBANK_ROLE: role,
    OPENBANK_READ_MODELS: READ_MODELS,
  }));
  return { settings: { OPENBANK_EVENT_STORE: server.url }, roles, write };
});
