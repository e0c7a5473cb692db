/** What a person finds in the database: collections, indexes, documents, and nothing of someone else's touched. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nameOf } from '../../../src/adapters/mongodb/layout.ts';
import {
  type MongoReadModelStore,
  openMongoReadModelStore,
} from '../../../src/adapters/mongodb/read-model-store.ts';
import type { Collection } from '../../../src/event-sourcing/read-model-store.ts';
import { projections } from '../../../src/projections/index.ts';
import { type MongoServer, mongoTargets, newDatabase, withClient } from '../../support/mongodb-server.ts';
import { checkpoint, commit, newDeadLetter, newDocument, write } from '../../support/read-model-builders.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };
const THINGS_V2: Collection = { name: 'things', version: 2, indexes: ['owner', 'colour'], listed: false };

for (const target of await mongoTargets()) {
  if (target.missing !== undefined) {
    it.skip(`on ${target.name}: ${target.missing}`, () => {});
    continue;
  }
  describe(`a database on ${target.name}`, () => {
    let server: MongoServer;
    let database: ReturnType<typeof newDatabase>;
    let store: MongoReadModelStore;
    beforeAll(async () => {
      server = await target.start();
    });
    beforeEach(async () => {
      database = newDatabase(server);
      store = await openMongoReadModelStore(database.url);
    });
    afterEach(async () => {
      await store.close();
      await database.drop();
    });
    afterAll(() => server.stop());

    it('has a collection for each read model under its name, and four of our own', async () => {
      await store.prepare(projections, 'a-store');
      await store.swapLease(undefined, { name: 'accounts', holder: 'ann', token: 1, renewals: 0 });
      const names = await withClient(database.url, async (client) =>
        (await client.db().listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name),
      );
      const expected = ['checkpoints', 'dead_letters', 'leases', 'source', ...projections.map(nameOf)];
      expect(names.filter((name) => !name.startsWith('system.')).sort()).toEqual(expected.sort());
    });

    it('has the indexes that lists and look-ups go by', async () => {
      await store.prepare([THINGS, THINGS_V2], 'a-store');
      await store.prepare([THINGS, THINGS_V2], 'a-store');
      const indexesOf = (name: string) =>
        withClient(database.url, async (client) =>
          (await client.db().collection(name).indexes()).map(({ key }) => Object.keys(key).join(' ')).sort(),
        );
      const order = '_meta.sequence _id';
      expect(await indexesOf('things')).toEqual(['_id', order, `owner ${order}`]);
      expect(await indexesOf('things_v2')).toEqual(['_id', `colour ${order}`, `owner ${order}`]);
      expect(await indexesOf('dead_letters')).toEqual(['_id', 'position projection document_key']);
    });

    it('has documents, checkpoints, leases and dead letters that explain themselves', async () => {
      const collection = { ...THINGS, minorUnits: () => ({ balance: 1000n }) };
      await store.prepare([collection], 'a-store');
      await commit(store, {
        writes: [
          {
            collection,
            document: newDocument({
              key: 'a-1',
              sequence: 3n,
              position: 9n,
              document: { owner: 'ann', balance: '10.00' },
            }),
          },
        ],
        deadLetters: [newDeadLetter({ position: 8n })],
        checkpoints: [checkpoint(collection, 9n)],
        fence: { lease: 'things', token: 4 },
      });
      await store.swapLease(undefined, { name: 'things', holder: 'worker-1', token: 4, renewals: 2 });
      const found = await withClient(database.url, async (client) => {
        const rows = ['things', 'checkpoints', 'leases', 'dead_letters', 'source'].map((name) =>
          client.db().collection(name).find().toArray(),
        );
        return Promise.all(rows);
      });
      expect(found).toMatchObject([
        [
          {
            _id: 'a-1',
            owner: 'ann',
            balance: '10.00',
            balance_minor: 1000n,
            _meta: { position: 9n, sequence: 3n, blocked: false, generation: 1 },
          },
        ],
        [
          {
            _id: 'projections',
            generation: 1,
            projections: { things: { projection: 'things', version: 1, position: 9n, fence: 4n } },
          },
        ],
        [{ _id: 'things', holder: 'worker-1', token: 4n, renewals: 2n }],
        [
          {
            _id: 'things/8/thing-1',
            projection: 'things',
            document_key: 'thing-1',
            position: 8n,
            revision: 0n,
          },
        ],
        [
          {
            _id: 'event_store',
            store_id: 'a-store',
            generation: 1,
            replacing: false,
            collections: ['things'],
          },
        ],
      ]);
    });

    it('sums amounts on the server, exactly', async () => {
      const collection: Collection = {
        ...THINGS,
        minorUnits: ({ balance }) => ({ balance: BigInt(String(balance).replace('.', '')) }),
      };
      await store.prepare([collection], 'a-store');
      const balances = ['90071992547409.93', '0.01', '-0.03'];
      await write(
        store,
        collection,
        balances.map((balance, index) => newDocument({ key: `a-${index}`, document: { balance } })),
      );
      const [sum] = await withClient(database.url, (client) =>
        client
          .db()
          .collection('things')
          .aggregate([{ $group: { _id: null, total: { $sum: '$balance_minor' } } }])
          .toArray(),
      );
      expect(sum?.total).toBe(9_007_199_254_740_991n);
    });

    it('keeps collections of others whatever is dropped', async () => {
      await withClient(database.url, (client) =>
        client.db().collection<{ _id: string }>('notes').insertOne({ _id: 'theirs' }),
      );
      await store.prepare([THINGS, THINGS_V2], 'old-store');
      for (const one of [THINGS, THINGS_V2]) await write(store, one, [newDocument({ key: 'ours' })]);
      await store.prepare([THINGS], 'new-store');
      const left = await withClient(database.url, (client) =>
        Promise.all(
          ['notes', 'things', 'things_v2'].map((name) => client.db().collection(name).countDocuments()),
        ),
      );
      expect(left.map(Number)).toEqual([1, 0, 0]);
    });

    it('is finished by the next worker when the one that dropped the old documents died on the way', async () => {
      await store.prepare([THINGS], 'old-store');
      await commit(store, {
        writes: [{ collection: THINGS, document: newDocument({ key: 'old', position: 50n }) }],
        deadLetters: [newDeadLetter()],
        checkpoints: [checkpoint(THINGS, 50n)],
      });
      await withClient(database.url, (client) =>
        client
          .db()
          .collection<{ _id: string }>('source')
          .updateOne(
            { _id: 'event_store' },
            { $set: { store_id: 'new-store', generation: 2, replacing: true } },
          ),
      );
      await store.prepare([THINGS], 'new-store', false);
      expect(await store.find(THINGS, { order: 'oldest_first', limit: 9 })).toEqual([]);
      expect(await store.checkpoints()).toEqual([]);
      expect(await store.countDeadLetters()).toBe(0);
    });

    it('is kept when the event store may be the wrong one', async () => {
      await store.prepare([THINGS], 'old-store');
      await write(store, THINGS, [newDocument({ key: 'old' })]);
      const refused = store.prepare([THINGS], 'new-store', false);
      await expect(refused).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining('another event store'),
      });
      expect(await store.get(THINGS, 'old')).toBeDefined();
      await store.prepare([THINGS], 'old-store', false);
    });

    it('keeps the fence of a collection that was cleared', async () => {
      await store.prepare([THINGS], 'a-store');
      const fence = { lease: 'things', token: 5 };
      await commit(store, { checkpoints: [checkpoint(THINGS, 9n)], fence });
      await store.clear(THINGS);
      expect(await store.checkpoints()).toEqual([]);
      const late = { checkpoints: [checkpoint(THINGS, 1n)], fence: { ...fence, token: 4 } };
      await expect(commit(store, late)).rejects.toMatchObject({ code: 'fenced' });
    });

    it.each<unknown>([{ $ne: '' }, ['a'], 5, null])('takes %o for no text to look for', async (value) => {
      await store.prepare([THINGS], 'a-store');
      await write(store, THINGS, [newDocument({ key: 'one', document: { owner: 'ann' } })]);
      const options = { order: 'oldest_first', limit: 9 } as const;
      const refused = { code: 'invalid_request' };
      await expect(
        store.find(THINGS, { ...options, where: { owner: value as string } }),
      ).rejects.toMatchObject(refused);
      await expect(store.get(THINGS, value as string)).rejects.toMatchObject(refused);
      const after = { sequence: 0n, key: value as string };
      await expect(store.find(THINGS, { ...options, after })).rejects.toMatchObject(refused);
      await expect(store.listDeadLetters({ documentKey: value as string, limit: 9 })).rejects.toMatchObject(
        refused,
      );
    });

    it.each(['source', 'checkpoints', 'dead_letters', 'leases', 'a.b', '$x'])(
      'has no read model called %s',
      async (name) => {
        await expect(store.prepare([{ ...THINGS, name }], 'a-store')).rejects.toThrow(/cannot be/);
      },
    );
  });
}
