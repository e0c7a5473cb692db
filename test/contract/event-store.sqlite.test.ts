/** The event store contract on the embedded SQLite store, in a file and in memory. */
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeEventStoreContract } from './event-store.contract.ts';

describeEventStoreContract('SQLite in a file', async () => {
  const directory = temporaryDirectory();
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('events.db') });
  const dispose = async () => {
    await store.close();
    directory.remove();
  };
  return { store, dispose };
});

// The same code over the same database, only without a file: all of it again in the long tier.
if (process.env.SLOW === '1') {
  describeEventStoreContract('SQLite in memory', async () => {
    const store = openSqliteEventStore({ kind: 'memory' });
    return { store, dispose: () => store.close() };
  });
}
