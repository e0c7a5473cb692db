/** The read model store contract on MongoDB: on the stand-in, and on real servers where there are some. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openMongoReadModelStore } from '../../src/adapters/mongodb/read-model-store.ts';
import { type MongoServer, mongoTargets, newDatabase } from '../support/mongodb-server.ts';
import { describeReadModelStoreContract } from './read-model-store.contract.ts';

for (const target of await mongoTargets()) {
  if (target.missing !== undefined) {
    it.skip(`on ${target.name}: ${target.missing}`, () => {});
    continue;
  }
  describe(`with ${target.name}`, () => {
    let server: MongoServer;
    beforeAll(async () => {
      server = await target.start();
    });
    afterAll(() => server.stop());

    describeReadModelStoreContract(
      'MongoDB',
      async () => {
        const database = newDatabase(server);
        const store = await openMongoReadModelStore(database.url);
        const open = () => openMongoReadModelStore(database.url);
        return {
          store,
          openSecond: open,
          openReader: async () => {
            const reader = await open();
            return { reader, close: () => reader.close() };
          },
          dispose: async () => {
            await store.close();
            await database.drop();
          },
        };
      },
      'several writers',
    );
  });
}
