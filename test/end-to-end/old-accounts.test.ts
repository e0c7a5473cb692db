/** Accounts of version 1 in the embedded store. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { loadConfig } from '../../src/config.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { verifyReadModels } from '../../src/store-tools/verify-read-models.ts';
import { openAccount } from '../support/customers.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { storeVersion1Account } from '../support/version-1-account.ts';
import { describeOldAccounts } from './old-accounts.cases.ts';
import { expectOneSentence } from './one-sentence.ts';
import { runToTheEnd } from './service-process.ts';

async function oldStore() {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const dataDir = directory.file('bank');
  mkdirSync(dataDir);
  const path = join(dataDir, 'events.db');
  const write = async <T>(work: (store: EventStore) => Promise<T>): Promise<T> => {
    const store = openSqliteEventStore({ kind: 'file', path });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const settings = { OPENBANK_DATA_DIR: dataDir, OPENBANK_EVENT_STORE: `sqlite:${path}` };
  return { settings, roles: [{}], write };
}

describeOldAccounts('embedded', oldStore);

it('the process ends with exit code 2 and one sentence', async () => {
  const { settings, write } = await oldStore();
  await write((store) => storeVersion1Account(store, 'EUR'));
  const ended = await runToTheEnd(settings);
  expect(ended.code).toBe(2);
  expectOneSentence(ended, 'OPENBANK_DEFAULT_CURRENCY=USD ', 'EUR');
  await expect(verifyReadModels(loadConfig(settings))).rejects.toMatchObject({ code: 'invalid_request' });
});

it('a store without such accounts takes any setting, before and after', async () => {
  const { settings } = await oldStore();
  const currencyOf = async (id: string, setting: string) => {
    const bank = await startBank({ settings: { ...settings, OPENBANK_DEFAULT_CURRENCY: setting } });
    try {
      const account = id === '' ? await openAccount(bank.client, { initial_balance: '7.00' }) : id;
      const { body } = await bank.client.call('getAccountBalance', { params: { id: account } });
      return { account, currency: body.currency };
    } finally {
      await bank.close();
    }
  };
  const { account, currency } = await currencyOf('', 'USD');
  expect([currency, (await currencyOf(account, 'EUR')).currency]).toEqual(['USD', 'USD']);
});
