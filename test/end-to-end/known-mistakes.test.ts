/**
 * Mistakes of the program that this bank follows, each shown not to be here. Two more are in `read-side.slow.test.ts`:
 * events that cannot be decoded and are dropped, and projections that count a redelivered event twice.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { OPERATIONS, type OperationId } from '../support/bank-client.ts';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let bank: RunningBank;
beforeAll(async () => {
  directory = temporaryDirectory();
  bank = await startBank({ dataDir: directory.file('bank') });
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

async function restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  await bank.close();
  await meanwhile();
  bank = await startBank({ dataDir: directory.file('bank') });
}

it('a deposit of 100 is still 100 after the account was loaded again', async () => {
  const id = await openAccount(bank.client);
  await bank.client.call('deposit', { body: posting(id, 100) });
  await restart();
  const { body, token } = await bank.client.call('deposit', { body: posting(id, 1) });
  expect(body.balance).toBe('101.00');
  expect((await bank.client.call('getAccount', { params: { id }, token })).body.balance).toBe('101.00');
});

it('what one account holds is not on another, loaded afresh or not', async () => {
  const [first, second] = [await openAccount(bank.client), await openAccount(bank.client)];
  await bank.client.call('deposit', { body: posting(first, 100) });
  await bank.client.call('deposit', { body: posting(second, 7) });
  await restart();
  const refused = await bank.client.refused('withdrawal', { body: posting(second, '7.01') });
  expect(refused.problem.available_balance).toBe('7.00');
  const { token } = await bank.client.call('withdrawal', { body: posting(second, 7) });
  const balances = [first, second].map(
    async (id) => (await bank.client.call('getAccount', { params: { id }, token })).body.balance,
  );
  expect(await Promise.all(balances)).toEqual(['100.00', '0.00']);
});

it('a negative amount moves no money, on whichever route', async () => {
  const id = await openAccount(bank.client, { initial_balance: '500.00', overdraft_limit: '500.00' });
  const moving = (Object.keys(OPERATIONS) as OperationId[]).filter(
    (operation) =>
      OPERATIONS[operation][0] === 'POST' && /deposit|withdraw|interest|transfer/i.test(operation),
  );
  expect(moving.length).toBeGreaterThanOrEqual(5);
  for (const operation of moving) {
    const { account_id, ...rest } = posting(id, '-100');
    const between = { from_account_id: account_id, to_account_id: await openAccount(bank.client), ...rest };
    const ofAccount = OPERATIONS[operation][1].includes('{id}') ? rest : { account_id, ...rest };
    const body = operation === 'transfer' ? between : ofAccount;
    const { problem } = await bank.client.refused(operation, { params: { id }, body });
    expect([operation, problem.code]).toEqual([operation, 'amount_not_positive']);
  }
  expect((await bank.client.call('listAccountEvents', { params: { id } })).body.items).toHaveLength(2);
});

it('an owner’s id is a value, never a piece of a query', async () => {
  const owner_id = await registerAlice(bank.client);
  const id = await openAccount(bank.client, { owner_id });
  const { token } = await bank.client.call('depositOnAccount', {
    params: { id: await openAccount(bank.client) },
    body: { amount: 1, description: 'Of someone else' },
  });
  for (const injected of ["' || '1'=='1", '{"$ne":null}', `${owner_id}' OR '1'='1`, '*', '%']) {
    const { problem } = await bank.client.refused('getAccountsByOwner', {
      params: { owner_id: injected },
      token,
    });
    expect(problem.code).toBe('invalid_id');
  }
  const { items } = (await bank.client.call('getAccountsByOwner', { params: { owner_id }, token })).body;
  expect(items.map((account) => account.id)).toEqual([id]);
});

it('an account whose creation was written in the first version is a full account', async () => {
  const owner_id = await registerAlice(bank.client);
  const id = randomUUID();
  await restart(async () => {
    const store = openSqliteEventStore({ kind: 'file', path: directory.file('bank/events.db') });
    const created = newEvent({
      type: 'BankAccountCreatedDomainEventV1',
      data: { owner_id, overdraft_limit: 500 },
      metadata: newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id }),
    });
    await mustAppend(store, `bank-account-${id.replaceAll('-', '')}`, [created], 'no_stream');
    await store.close();
  });
  const { body, token } = await bank.client.call('withdrawal', { body: posting(id, 500) });
  expect(body).toMatchObject({ balance: '-500.00', currency: 'USD', revision: 1 });
  const account = await bank.client.call('getAccount', { params: { id }, token });
  expect(account.body).toMatchObject({
    owner: 'Alice Smith',
    account_type: 'CHECKING',
    currency: 'USD',
    overdraft_limit: '500.00',
    available_balance: '0.00',
  });
  const raw = await bank.client.call('listAccountEvents', { params: { id } });
  expect(raw.body.items[0]).toMatchObject({
    type: 'BankAccountCreatedDomainEventV1',
    data: { overdraft_limit: 500 },
  });
});
