/** The snapshot contract on KurrentDB: on the double, and on a real server where there is one. */
import { describe, it } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { availableServers } from '../support/kurrentdb-server.ts';
import { describeSnapshotContract } from './snapshots.contract.ts';

for (const { name, start } of availableServers()) {
  if (start) {
    describeSnapshotContract(name, async () => {
      const server = await start();
      const store = await openKurrentDbEventStore(server.url);
      const dispose = async () => {
        await store.close();
        await server.stop();
      };
      return { store, dispose };
    });
  } else {
    describe.skip(`snapshots on ${name}`, () => {
      it('runs where there is such a server', () => {});
    });
  }
}
