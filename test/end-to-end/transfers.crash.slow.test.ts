/** The service is killed with SIGKILL at each step of a transfer; after a restart the transfer ends as it should. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import { BankClient } from '../support/bank-client.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const DYING = fileURLToPath(new URL('./dying-service.ts', import.meta.url));
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

async function startDying(dataDir: string, moment: string) {
  const env = { PATH: process.env.PATH, OPENBANK_DATA_DIR: dataDir, DIE_AT: moment };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', DYING], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, client: new BankClient(`http://127.0.0.1:${String(line).trim()}`) };
}

it.each(MOMENTS)(
  'killed at %s',
  async (moment) => {
    const dataDir = directory.file(moment);
    const { child, client } = await startDying(dataDir, moment);
    const from = await openAccount(client, { initial_balance: '100.00' });
    const to = await openAccount(client);
    const ended = once(child, 'close');
    const body = { from_account_id: from, to_account_id: to, amount: '30.00', description: 'Rent' };
    await expect(client.fetch('POST', '/api/v1/transactions/transfer', { body })).rejects.toThrow();
    expect((await ended)[1]).toBe('SIGKILL');

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
