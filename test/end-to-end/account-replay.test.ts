/** Replaying an account over HTTP, on the embedded store; rows that are damaged too. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import { newId } from '../../src/new-id.ts';
import { cliOn } from '../cli/in-process.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeAccountReplay, forgeAccount } from './account-replay.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeAccountReplay('embedded', (seed) => startSeededBank(directory.file('bank'), seed));

it('a replay names a row that is damaged and goes on behind it, through the API and the command line', async () => {
  const id = newId();
  const undone = newId();
  const dataDir = directory.file('damaged');
  const paid = (balance: string, transaction = newId()) =>
    posted(transaction, usd('CREDIT', '1.00', balance));
  // To judge it, the posting that it undoes is looked up behind what is damaged.
  const reversal = {
    type: 'REVERSAL',
    reverses_transaction_id: undone,
    ...usd('DEBIT', '1.00', '1.00'),
  } as const;
  const bank = await startSeededBank(dataDir, async (store) => {
    const payments = [paid('1.00'), paid('2.00'), paid('3.00'), paid('4.00', undone), paid('5.00')];
    await forgeAccount(store, id, [created(newId()), ...payments, posted(newId(), reversal)]);
    const db = new DatabaseSync(`${dataDir}/events.db`);
    const ofAccount = 'stream = (SELECT id FROM streams WHERE name = ?) AND revision = ?';
    const damage = (column: string, text: string, revision: number) =>
      db
        .prepare(`UPDATE events SET ${column} = ? WHERE ${ofAccount}`)
        .run(text, bankAccountStream(id), revision);
    damage('data', '{"amount":', 2);
    damage('metadata', 'null', 3);
    damage('data', '7', 5);
    db.close();
  });
  onTestFinished(() => bank.close());
  const { body } = await bank.client.call('getAccountReplay', { params: { id }, query: 'rules=current' });
  const codes = body.items.map(({ findings }) => findings.map(({ code }) => code));
  expect(codes).toEqual([[], [], ['unreadable'], ['unreadable'], ['balance_differs'], ['unreadable'], []]);
  expect(body.items.map(({ after }) => after?.balance)).toEqual([
    '0.00',
    '1.00',
    '1.00',
    '1.00',
    '2.00',
    '2.00',
    '1.00',
  ]);
  expect(body.items.at(-1)?.today?.kind).toBe('otherwise');
  expect(body.items.map(({ at }) => Date.parse(at))).not.toContain(Number.NaN);
  const { code, stdout } = await cliOn(bank.url, dataDir)('replay', id, '--rules', '--json');
  const lines = stdout.trimEnd().split('\n');
  expect([code, lines.map((line) => JSON.parse(line))]).toEqual([1, body.items]);
  const text = await cliOn(bank.url, dataDir)('replay', id, '--findings');
  expect(text.stdout).toContain('✗ unreadable: What the store holds there cannot be read.');
});
