/** The snapshot contract on the embedded store. */
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { describeSnapshotContract } from './snapshots.contract.ts';

describeSnapshotContract('the embedded store', async () => {
  const store = openSqliteEventStore({ kind: 'memory' });
  return { store, dispose: () => store.close() };
});
