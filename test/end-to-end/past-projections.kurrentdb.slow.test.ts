/** Projections as they stood at a time, on a KurrentDB: the one that `KURRENTDB_TEST_URL` names, or else the double. */
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { openAccount } from '../support/customers.ts';
import { startBank } from '../support/running-bank.ts';
import { KurrentDbStandIn } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describePastProjections, folded } from './past-projections.cases.ts';

const { KURRENTDB_TEST_URL } = process.env;
const directory = temporaryDirectory();
const server = KURRENTDB_TEST_URL ? undefined : await KurrentDbStandIn.start();
afterAll(async () => {
  await server?.stop();
  directory.remove();
});

describePastProjections('on KurrentDB', ['bank_accounts', 'stream_health', 'transfers'], async (seed) => {
  const url = server?.url ?? String(KURRENTDB_TEST_URL);
  const store = await openKurrentDbEventStore(url);
  await seed(store);
  await store.close();
  const dataDir = directory.file('bank');
  const settings = { OPENBANK_EVENT_STORE: url };
  return {
    bank: await startBank({ dataDir, settings }),
    settings: { ...settings, OPENBANK_DATA_DIR: dataDir },
    readModels: join(dataDir, 'read-models.db'),
  };
});

it.skipIf(!server)('fails while the server is gone, and harms nothing', async () => {
  const own = await KurrentDbStandIn.start();
  onTestFinished(() => own.stop());
  const dataDir = directory.file('gone');
  const bank = await startBank({ dataDir, settings: { OPENBANK_EVENT_STORE: own.url } });
  onTestFinished(() => bank.close());
  await openAccount(bank.client);
  await own.kill();
  const failed = await folded(bank, { projection: 'bank_accounts' });
  expect(failed).toMatchObject({ state: 'FAILED', documents: null, error: { code: 'unavailable' } });
  await own.restart();
  const next = await folded(bank, { projection: 'bank_accounts' });
  expect(next).toMatchObject({ state: 'FINISHED', documents: 1 });
});
