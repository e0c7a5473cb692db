/** Over KurrentDB and MongoDB: the check, with the bank at work and after a forgery; and a restore beside MongoDB. */
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEventStore, openReadModelStore } from '../../src/composition/open-stores.ts';
import { loadConfig } from '../../src/config.ts';
import { reactorCollection } from '../../src/event-sourcing/reactor-journal.ts';
import { backUpStore, restoreStore } from '../../src/store-tools/back-up-stores.ts';
import { verifyReadModels } from '../../src/store-tools/verify-read-models.ts';
import { openAccount, posting } from '../support/customers.ts';
import { newEvents } from '../support/event-builders.ts';
import { startBank } from '../support/running-bank.ts';
import { serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const missing = await serverStoresMissing();

describe.skipIf(missing !== undefined)(`verify on servers ${missing ?? ''}`, () => {
  it('finds nothing while they agree, and names what does not', { timeout: 120_000 }, async () => {
    const stores = await startServerStores();
    onTestFinished(() => stores.stop());
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const bank = await startBank({ dataDir: directory.file('data'), settings: stores.settings });
    onTestFinished(() => bank.close());
    const account = await openAccount(bank.client);
    const body = posting(account, '5.00');
    const writers = Array.from({ length: 30 }, () => bank.client.call('deposit', { body }));
    const config = loadConfig(stores.settings);
    const whileWriting = await verifyReadModels(config);
    await Promise.all(writers);
    for (const { projections } of [whileWriting, await verifyReadModels(config)]) {
      expect(projections.map((one) => [one.projection, one.notCompared, one.differences])).toEqual(
        projections.map(({ projection }) => [projection, undefined, []]),
      );
    }
    const mongo = await MongoClient.connect(
      config.readModels.kind === 'mongodb' ? config.readModels.url : '',
    );
    onTestFinished(() => mongo.close());
    const names = (await mongo.db().listCollections().toArray()).map(({ name }) => name);
    const changes = names
      .filter((name) => name.startsWith('bank_accounts'))
      .map((name) =>
        mongo
          .db()
          .collection<{ _id: string }>(name)
          .updateMany({}, { $set: { description: 'forged' } }),
      );
    expect((await Promise.all(changes)).some(({ modifiedCount }) => modifiedCount === 1)).toBe(true);
    const { projections } = await verifyReadModels(config);
    expect(projections.flatMap(({ differences }) => differences)).toEqual([
      { projection: 'bank_accounts', key: account, kind: 'different', fields: ['description'] },
    ]);
  });

  it('beside embedded events the publisher comes back too, for the restored log', {
    timeout: 120_000,
  }, async () => {
    const servers = await startServerStores();
    onTestFinished(() => servers.stop());
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const bankIn = (name: string) => {
      const { OPENBANK_READ_MODELS = '' } = servers.settings;
      return loadConfig({ OPENBANK_READ_MODELS, OPENBANK_DATA_DIR: directory.file(name) });
    };
    const { events } = await openEventStore(bankIn('bank'));
    await events.append('person-1', newEvents(5), 'no_stream');
    const state = await openReadModelStore(bankIn('bank').publisherState);
    onTestFinished(() => state.close());
    const { name: projection, version } = reactorCollection('cloudevents');
    await state.prepare([reactorCollection(projection)], events.storeId);
    await state.commit({ writes: [], deadLetters: [], checkpoints: [{ projection, version, position: 4n }] });
    await events.close();
    await backUpStore(bankIn('bank'), directory.file('backup'));
    const { storeId } = await restoreStore(bankIn('restored'), directory.file('backup'), { position: 3n });
    await state.prepare([reactorCollection(projection)], storeId, false);
    expect(await state.checkpoints()).toContainEqual({ projection, version, position: 3n });
  });
});
