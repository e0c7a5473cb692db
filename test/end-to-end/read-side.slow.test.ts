/** Read models can be lost, damaged or replayed between two runs: the log brings back what they said. */
import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { cliOn } from '../cli/in-process.ts';
import type { BankClient } from '../support/bank-client.ts';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let bank: RunningBank;
beforeEach(async () => {
  directory = temporaryDirectory();
  bank = await startBank({ dataDir: directory.file('bank') });
});
afterEach(async () => {
  await bank.close();
  directory.remove();
});

/** Stops the bank, does something to its files, and starts it again. */
async function restart(meanwhile: () => void | Promise<void>): Promise<void> {
  await bank.close();
  try {
    await meanwhile();
  } finally {
    bank = await startBank({ dataDir: directory.file('bank') });
  }
}

function removeDatabase(name: 'events' | 'read-models'): void {
  for (const suffix of ['', '-wal', '-shm', '.lock']) {
    rmSync(directory.file(`bank/${name}.db${suffix}`), { force: true });
  }
}

function changeReadModels(...statements: string[]): void {
  const db = new DatabaseSync(directory.file('bank/read-models.db'));
  for (const sql of statements) db.exec(sql);
  db.close();
}

/** A little of everything, so that every read model has something to lose. */
async function liveALittle(client: BankClient): Promise<{ owner: string; accounts: string[] }> {
  const owner = await registerAlice(client);
  const account = await openAccount(client, { owner_id: owner, overdraft_limit: '100.00' });
  const other = await openAccount(client, { owner_id: owner, initial_balance: '5.00', currency: 'EUR' });
  const closed = await openAccount(client, { owner_id: owner });
  await client.call('deposit', { body: posting(account, '20.00') });
  await client.call('withdrawal', { body: posting(account, '70.25') });
  await client.call('interest', { body: posting(other, '0.01') });
  await client.call('changeOverdraftLimit', { params: { id: account }, body: { overdraft_limit: '60.00' } });
  await client.call('closeAccount', { params: { id: closed }, body: { reason: 'Test' } });
  return { owner, accounts: [account, other, closed] };
}

/** Everything that the read models say, once they have seen all that was written. */
async function allAnswers(client: BankClient, { owner, accounts }: { owner: string; accounts: string[] }) {
  const [first = ''] = accounts;
  const { token } = await client.call('registerPerson', { body: ALICE });
  const persons = await client.call('getPerson', { params: { id: owner }, token });
  return {
    person: persons.body,
    summary: (await client.call('getOwnerSummary', { params: { id: owner } })).body,
    owned: (await client.call('getAccountsByOwner', { params: { owner_id: owner } })).body,
    listed: (await client.call('listAccounts')).body,
    transactions: (await client.call('listAccountTransactions', { params: { id: first } })).body,
  };
}

describe('after a restart', () => {
  it('read models say again what they said, whatever has happened to them', async () => {
    const ids = await liveALittle(bank.client);
    const before = await allAnswers(bank.client, ids);
    for (const [what, damage] of [
      ['nothing happened', () => {}],
      ['the file is gone', () => removeDatabase('read-models')],
      ['events come a second time', () => changeReadModels('UPDATE checkpoints SET position = 0')],
      ['checkpoints are beyond the log', () => changeReadModels('UPDATE checkpoints SET position = 1000000')],
    ] as const) {
      await restart(damage);
      expect(await allAnswers(bank.client, ids), what).toEqual(before);
    }
  });

  it('a document that is gone is folded from its stream, and stored again with the next event', async () => {
    const ids = await liveALittle(bank.client);
    const before = await allAnswers(bank.client, ids);
    await restart(() => changeReadModels('DELETE FROM collection_bank_accounts_build_1'));
    for (const account of before.owned.items) {
      expect((await bank.client.call('getAccount', { params: { id: account.id } })).body).toEqual(account);
    }
    const id = String(ids.accounts[0]);
    const { token } = await bank.client.call('deposit', { body: posting(id, '1.00') });
    const { items } = (await bank.client.call('listAccounts', { token })).body;
    expect(items).toEqual([
      expect.objectContaining({
        id,
        balance: '-49.25',
        transaction_count: 3,
        total_credits: '21.00',
        revision: 4,
      }),
    ]);
  });
});

describe('after a reset, with a new event store', () => {
  it('a token of the old one is foreign', async () => {
    const id = await registerAlice(bank.client);
    const { token } = await bank.client.call('registerPerson', { body: ALICE });
    await restart(() => {
      removeDatabase('events');
      removeDatabase('read-models');
    });
    const { problem, status } = await bank.client.refused('getPerson', { params: { id }, token });
    expect([status, problem.code]).toEqual([400, 'foreign_consistency_token']);
  });

  it('read models that were left behind show nothing of the old one', async () => {
    const ids = await liveALittle(bank.client);
    await allAnswers(bank.client, ids);
    // The other log is the longer one, so nothing but its identity tells the two apart.
    const other = await startBank({ dataDir: directory.file('other') });
    for (let number = 0; number < 30; number += 1) await registerAlice(other.client);
    await other.close();
    await restart(() => {
      removeDatabase('events');
      renameSync(directory.file('other/events.db'), directory.file('bank/events.db'));
    });
    const { token } = await bank.client.call('registerPerson', { body: ALICE });
    expect((await bank.client.call('listPersons', { token })).body.items).toHaveLength(31);
    expect((await bank.client.call('listAccounts')).body.items).toEqual([]);
    await bank.client.refused('getAccount', { params: { id: String(ids.accounts[0]) } });
  });
});

describe('an event that nobody can decode', () => {
  it('becomes a dead letter, stops commands on its account, and nothing else', async () => {
    const { accounts } = await liveALittle(bank.client);
    const [broken = '', sound = ''] = accounts;
    await restart(() => append(broken, 'BankAccountTurnedIntoGoldDomainEventV9', {}));
    const { token } = await bank.client.call('deposit', { body: posting(sound, '1.00') });
    const account = await bank.client.call('getAccount', { params: { id: sound }, token });
    expect(account.body.balance).toBe('6.01');
    expect((await bank.client.call('ready')).body.dead_letters).toBe(1);
    const blocked = await bank.client.refused('getAccount', { params: { id: broken }, token });
    expect([blocked.status, blocked.problem.code]).toEqual([503, 'read_model_blocked']);

    // A decision on a state that leaves an event out could give money away.
    const response = await bank.client.fetch('POST', '/api/v1/transactions/withdrawal', {
      body: posting(broken, '1.00'),
    });
    expect(response.status).toBe(500);
    expect((await bank.client.problemOf(response)).code).toBe('event_unreadable');
    const raw = await bank.client.call('listAccountEvents', {
      params: { id: broken },
      query: { direction: 'backwards', limit: 1 },
    });
    expect(raw.body.items[0]?.type).toBe('BankAccountTurnedIntoGoldDomainEventV9');
  });
});

describe('an event that cannot be applied', () => {
  it('blocks its own documents, which say so, and nothing else', async () => {
    const { owner, accounts } = await liveALittle(bank.client);
    const [broken = '', sound = ''] = accounts;
    await restart(() =>
      append(broken, 'BankAccountOverdraftLimitChangedDomainEventV1', {
        old_limit: '60.00',
        new_limit: 'much',
      }),
    );
    const { token } = await bank.client.call('deposit', { body: posting(sound, '1.00') });
    const blocked = await bank.client.refused('getAccount', { params: { id: broken }, token });
    expect([blocked.status, blocked.problem.code]).toEqual([503, 'read_model_blocked']);
    const list = await bank.client.refused('listAccounts');
    expect([list.status, list.problem.code]).toEqual([503, 'read_model_blocked']);
    const letters = (await bank.client.call('listDeadLetters')).body.items;
    expect(letters).toMatchObject([{ projection: 'bank_accounts', document_key: broken }]);
    const account = await bank.client.call('getAccount', { params: { id: sound } });
    expect(account.body.balance).toBe('6.01');
    expect((await bank.client.call('getOwnerSummary', { params: { id: owner } })).body.total_accounts).toBe(
      3,
    );
    const { projections } = (await bank.client.call('status')).body;
    expect(projections.map(({ name, dead_letters }) => [name, dead_letters])).toContainEqual([
      'bank_accounts',
      1,
    ]);
  });

  it('is tried again or given up by operators, over HTTP and from the command line', async () => {
    const { accounts } = await liveALittle(bank.client);
    const [broken = ''] = accounts;
    const limit = { old_limit: '60.00', new_limit: 'much' };
    await restart(() => append(broken, 'BankAccountOverdraftLimitChangedDomainEventV1', limit));
    const letters = async () => (await bank.client.call('listDeadLetters')).body.items;
    await eventually('the dead letter', async () => (await letters()).length === 1);
    const [letter] = await letters();
    const id = letter?.id ?? '';
    expect((await bank.client.refused('retryDeadLetter', { params: { id: 'x' } })).status).toBe(404);
    await bank.client.call('retryDeadLetters', { body: { projection: 'bank_accounts' } });
    await eventually('another try', async () => (await letters())[0]?.attempts === 2);
    const run = cliOn(bank.url);
    expect((await run('dead-letters', 'list', '-q')).stdout.trim()).toBe(id);
    expect(await run('dead-letters', 'discard', id, '--reason', 'Entered by mistake')).toMatchObject({
      code: 0,
    });
    await eventually('no dead letter', async () => (await letters()).length === 0);
    const { body } = await bank.client.call('getAccount', { params: { id: broken } });
    expect(body).toMatchObject({ balance: '-50.25', overdraft_limit: '60.00' });
    const gone = { params: { id }, body: { reason: 'again' } };
    expect((await bank.client.refused('discardDeadLetter', gone)).problem.code).toBe('dead_letter_not_found');
  });
});

async function append(account: string, type: string, data: object): Promise<void> {
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
  const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: account });
  const event = newEvent({ type, data, metadata });
  await mustAppend(store, `bank-account-${account.replaceAll('-', '')}`, [event], 'stream_exists');
  await store.close();
}
