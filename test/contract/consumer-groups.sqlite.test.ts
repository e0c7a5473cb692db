/** The consumer groups contract on the embedded SQLite store, in a file. */
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeConsumerGroupsContract } from './consumer-groups.contract.ts';

describeConsumerGroupsContract('SQLite in a file', async () => {
  const directory = temporaryDirectory();
  const open = () => openSqliteEventStore({ kind: 'file', path: directory.file('events.db') });
  let store = open();
  return {
    get store() {
      return store;
    },
    get groups() {
      return store.consumerGroups();
    },
    // The embedded store is for one process: another consumer is another call in the same one.
    openSecond: async () => store.consumerGroups(),
    async reopen() {
      await store.close();
      store = open();
    },
    async dispose() {
      await store.close();
      directory.remove();
    },
  };
});
