/** A rebuild on servers, shared by two workers, one of which is killed: another goes on, and one swap comes of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { withClient } from '../support/mongodb-server.ts';
import { type ServerStores, serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const missing = await serverStoresMissing();
const WITHIN_MS = 60_000;

describe.skipIf(missing !== undefined)(`rebuilds on servers ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  let stores: ServerStores;
  let api: ServiceProcess;
  let workers: ServiceProcess[];
  let started = 0;

  const startRole = (role: 'api' | 'worker') => {
    started += 1;
    const OPENBANK_DATA_DIR = directory.file(`${role}-${started}`);
    return startService({ ...stores.settings, OPENBANK_ROLE: role, OPENBANK_DATA_DIR, LOG_LEVEL: 'fatal' });
  };
  beforeAll(async () => {
    stores = await startServerStores();
    api = await startRole('api');
    workers = await Promise.all([startRole('worker'), startRole('worker')]);
  }, 120_000);
  afterAll(async () => {
    for (const service of [api, ...workers]) await service.end();
    await stores.stop();
    directory.remove();
  });

  const status = async (name: string) => {
    const { items } = (await api.client.call('listProjections')).body;
    return items.find((one) => one.name === name);
  };

  it('end in one swap, whoever of the workers is killed meanwhile', async () => {
    const { client } = api;
    const account = await openAccount(client, { owner_id: await registerAlice(client) });
    for (let n = 0; n < 20; n += 1) await client.call('deposit', { body: posting(account, '1.00') });
    const caughtUp = async () => (await status('bank_accounts'))?.lag_ms === 0;
    await eventually('the read models', caughtUp, WITHIN_MS);
    const before = (await status('bank_accounts'))?.served_build ?? 0;
    await client.call('pauseProjection', { params: { name: 'bank_accounts' } });
    await client.call('rebuildProjection', { params: { name: 'bank_accounts' } });
    const isNoted = async () => (await status('bank_accounts'))?.rebuild?.build === before + 1;
    await eventually('the rebuild noted', isNoted, WITHIN_MS);
    await workers.shift()?.end('SIGKILL');
    const { token } = await client.call('deposit', { body: posting(account, '5.00') });
    await client.call('resumeProjection', { params: { name: 'bank_accounts' } });
    const isServed = async () => (await status('bank_accounts'))?.served_build === before + 1;
    await eventually('the new build', isServed, WITHIN_MS);
    await eventually('the read models', caughtUp, WITHIN_MS);
    const { body } = await client.call('getAccount', { params: { id: account }, token });
    expect(body.balance).toBe('25.00');
    expect((await client.call('listAccounts')).body.items).toHaveLength(1);
    // Whoever looks into the database finds what is served under the plain name, whichever build it is.
    const found = await withClient(String(stores.settings.OPENBANK_READ_MODELS), (mongo) =>
      mongo.db().collection('bank_accounts').find({ owner_id: body.owner_id }).toArray(),
    );
    expect(found).toMatchObject([{ _id: account, balance: '25.00' }]);
  }, 180_000);
});
