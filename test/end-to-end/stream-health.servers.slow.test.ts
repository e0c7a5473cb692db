/** Stream health over KurrentDB and MongoDB: the same as over the embedded stores. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { startBank } from '../support/running-bank.ts';
import { serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { storeStreams } from '../support/stored-streams.ts';

const missing = await serverStoresMissing();

describe.skipIf(missing)('stream health over servers', () => {
  it('finds the long, the stale and the broken streams', async () => {
    const servers = await startServerStores();
    onTestFinished(() => servers.stop());
    const store = await openKurrentDbEventStore(String(servers.settings.OPENBANK_EVENT_STORE));
    const streams = await storeStreams(store, '2025-01-01T12:00:00.000Z');
    await store.close();
    const bank = await startBank({ settings: servers.settings });
    onTestFinished(() => bank.close());
    const account = await openAccount(bank.client, { initial_balance: '100.00' });
    await bank.client.call('deposit', { body: posting(account, '1.00') });
    await eventually('all streams', async () => {
      const { categories } = (await bank.client.call('getStreamHealthSummary')).body;
      const [persons, accounts] = categories;
      return persons?.streams === 2 && accounts?.streams === 6 && accounts.events === 164;
    });
    const listed = async (list: string, query: Record<string, string | number> = {}) => {
      const { body } = await bank.client.call('listStreamHealth', { query: { list, ...query } });
      return body.items.map(({ stream }) => stream);
    };
    expect((await listed('longest', { limit: 1 }))[0]).toBe(streams.long);
    expect((await listed('stale')).toSorted()).toEqual(Object.values(streams).toSorted());
    expect((await listed('problems')).toSorted()).toEqual(
      [streams.unknownType, streams.failingUpcast].toSorted(),
    );
    expect(await listed('snapshot_lag')).toEqual([streams.long]);
    const { body } = await bank.client.call('getStreamHealth', { params: { name: streams.unknownType } });
    expect(body).toMatchObject({ length: 2, problems: ['unknown_type'], last_event: { revision: 1 } });
    expect((await bank.client.call('listOrphanTransfers')).body.items).toEqual([]);
  });
});
