/** What a customer does, on KurrentDB and MongoDB: the same as on the embedded stores. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { moveMoney } from './money-movements.ts';
import { describeWorkflow } from './workflow.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());
const missing = await serverStoresMissing();

async function startBankOnServers(): Promise<RunningBank> {
  const stores = await startServerStores();
  const bank = await startBank({ dataDir: directory.file('on-servers'), settings: stores.settings });
  return {
    ...bank,
    async close() {
      await bank.close();
      await stores.stop();
    },
  };
}

if (missing === undefined) describeWorkflow('KurrentDB and MongoDB', startBankOnServers, true);

describe.skipIf(missing !== undefined)(`money on servers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let onServers: RunningBank;
  let embedded: RunningBank;
  beforeAll(async () => {
    onServers = await startBankOnServers();
    embedded = await startBank({ dataDir: directory.file('embedded') });
  });
  afterAll(async () => {
    await onServers.close();
    await embedded.close();
  });

  it('moves as it does on the embedded stores: transfers, holds, reversals, statements', async () => {
    expect(await moveMoney(onServers.client)).toEqual(await moveMoney(embedded.client));
  });
});
