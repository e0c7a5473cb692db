/** The event store contract on KurrentDB: on the double, and on a real server where there is one. */
import { describe, it } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { availableServers } from '../support/kurrentdb-server.ts';
import { describeEventStoreContract } from './event-store.contract.ts';

for (const { name, start } of availableServers()) {
  if (start) {
    describeEventStoreContract(name, async () => {
      const server = await start();
      const store = await openKurrentDbEventStore(server.url);
      const dispose = async () => {
        await store.close();
        await server.stop();
      };
      return { store, dispose };
    });
  } else {
    describe.skip(`event store contract on ${name}`, () => {
      it('runs where there is such a server', () => {});
    });
  }
}
