/** The consumer groups contract on KurrentDB: on the double, and on a real server where there is one. */
import { describe, it } from 'vitest';
import {
  type KurrentDbEventStore,
  openKurrentDbEventStore,
} from '../../src/adapters/kurrentdb/event-store.ts';
import { availableServers, type RunningServer } from '../support/kurrentdb-server.ts';
import { describeConsumerGroupsContract, type OpenedGroups } from './consumer-groups.contract.ts';

for (const { name, start } of availableServers()) {
  if (start) {
    describeConsumerGroupsContract(name, async () => openGroups(await start()));
  } else {
    describe.skip(`consumer groups contract on ${name}`, () => {
      it('runs where there is such a server', () => {});
    });
  }
}

async function openGroups(server: RunningServer): Promise<OpenedGroups> {
  let store = await openKurrentDbEventStore(server.url);
  const seconds: KurrentDbEventStore[] = [];
  const closeAll = async () => {
    for (const one of [store, ...seconds.splice(0)]) await one.close();
  };
  return {
    get store() {
      return store;
    },
    get groups() {
      return store.consumerGroups;
    },
    async openSecond() {
      const second = await openKurrentDbEventStore(server.url);
      seconds.push(second);
      return second.consumerGroups;
    },
    async reopen() {
      await closeAll();
      store = await openKurrentDbEventStore(server.url);
    },
    async dispose() {
      await closeAll();
      await server.stop();
    },
  };
}
