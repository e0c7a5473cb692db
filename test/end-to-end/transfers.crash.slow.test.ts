/** The service is killed with SIGKILL at each step of a transfer; after a restart the transfer ends as it should. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { DYING_SERVICE, spawnService } from './service-process.ts';

const MOMENTS: readonly TransferMoment[] = [
  'requested',
  'debit_settled',
  'debit_recorded',
  'credit_settled',
  'credit_recorded',
];

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => directory.remove());

it.each(MOMENTS)(
  'killed at %s',
  async (moment) => {
    const dataDir = directory.file(moment);
    const settings = { OPENBANK_DATA_DIR: dataDir, LOG_LEVEL: 'silent', DIE_AT: moment };
    const dying = await spawnService(settings, undefined, DYING_SERVICE);
    await dying.answers();
    const { client } = dying;
    const from = await openAccount(client, { initial_balance: '100.00' });
    const to = await openAccount(client);
    const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Rent' };
    await expect(client.fetch('POST', '/api/v1/transactions/transfer', { body })).rejects.toThrow();
    expect((await dying.ended).signal).toBe('SIGKILL');

    const bank: RunningBank = await startBank({ dataDir });
    try {
      await eventually('the end of the transfer', async () => {
        const { items } = (await bank.client.call('listTransfers')).body;
        return items.length === 1 && items[0]?.status === 'COMPLETED';
      });
      const { token } = await bank.client.call('deposit', { body: posting(to, '1.00') });
      const balances = await Promise.all(
        [from, to].map(async (id) => (await bank.client.call('getAccount', { params: { id }, token })).body),
      );
      expect(balances.map(({ balance }) => balance)).toEqual(['70.00', '31.00']);
    } finally {
      await bank.close();
    }
  },
  60_000,
);
