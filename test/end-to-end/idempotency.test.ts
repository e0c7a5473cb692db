/** One key, one effect: requests that are sent twice, raced, changed, refused, or remembered for a long time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const dataDir = directory.file('bank');
let bank: RunningBank;
beforeAll(async () => {
  bank = await startBank({ dataDir });
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

const key = (value: string) => ({ 'idempotency-key': value });

async function countTransactions(account: string): Promise<number> {
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  return (await bank.client.call('getAccount', { params: { id: account }, token })).body.transaction_count;
}

describe('a command with a key', () => {
  it('registers one person, opens one account and records one posting, however often it is sent', async () => {
    const person = { body: ALICE, headers: key('register') };
    const first = await bank.client.call('registerPerson', person);
    const again = await bank.client.call('registerPerson', person);
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);

    const account = { body: { owner_id: first.body.id, initial_balance: '5.00' }, headers: key('open') };
    const opened = await bank.client.call('createAccount', account);
    expect((await bank.client.call('createAccount', account)).body).toEqual(opened.body);

    const deposit = { body: posting(opened.body.id, '10.00'), headers: key('deposit') };
    const deposited = await bank.client.call('deposit', deposit);
    await bank.client.call('withdrawal', { body: posting(opened.body.id, '1.00') });
    const repeated = await bank.client.call('deposit', deposit);
    expect(repeated.body).toEqual(deposited.body);
    expect([repeated.etag, repeated.token]).toEqual([deposited.etag, deposited.token]);
    expect(await countTransactions(opened.body.id)).toBe(3);
  });

  it('is one operation on the account’s own route and under /transactions', async () => {
    const id = await openAccount(bank.client);
    const first = await bank.client.call('depositOnAccount', {
      params: { id },
      body: { amount: '1.00', description: 'One' },
      headers: key('either'),
    });
    const body = { account_id: id, amount: '1.00', description: 'One' };
    const again = await bank.client.call('deposit', { body, headers: key('either') });
    expect(again.body).toEqual(first.body);
  });

  it('records one posting when the same request races itself, and all of them get its answer', async () => {
    const id = await openAccount(bank.client);
    const send = () => bank.client.call('deposit', { body: posting(id, '2.00'), headers: key('race') });
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    expect(new Set(answers.map(({ body }) => body.transaction_id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    expect(await countTransactions(id)).toBe(1);
  });

  it('is refused with another content, and changes nothing', async () => {
    const id = await openAccount(bank.client);
    await bank.client.call('deposit', { body: posting(id, '3.00'), headers: key('content') });
    for (const operation of ['deposit', 'withdrawal'] as const) {
      const changed = { body: posting(id, '3.01'), headers: key('content') };
      const { status, problem } = await bank.client.refused(operation, changed);
      expect([status, problem.code]).toEqual([422, 'idempotency_conflict']);
    }
    const other = { body: { ...ALICE, first_name: 'Bob' }, headers: key('register') };
    expect((await bank.client.refused('registerPerson', other)).problem.code).toBe('idempotency_conflict');
    expect(await countTransactions(id)).toBe(1);
  });

  it('counts an amount as it is written: the same one in other digits is other content', async () => {
    const id = await openAccount(bank.client);
    await bank.client.call('deposit', { body: posting(id, '1.00'), headers: key('digits') });
    const { problem } = await bank.client.refused('deposit', {
      body: posting(id, '1'),
      headers: key('digits'),
    });
    expect(problem.code).toBe('idempotency_conflict');
    expect(await countTransactions(id)).toBe(1);
  });

  it('does not burn its key by a refusal: the corrected request goes through', async () => {
    const id = await openAccount(bank.client);
    const send = (amount: string) => ({ body: posting(id, amount), headers: key('refused') });
    expect((await bank.client.refused('withdrawal', send('9.00'))).problem.code).toBe('insufficient_funds');
    await bank.client.call('deposit', { body: posting(id, '5.00') });
    const answer = await bank.client.call('withdrawal', send('5.00'));
    expect(answer.headers.get('idempotent-replayed')).toBeNull();
    expect(answer.body.balance).toBe('0.00');
  });

  it('is recognised whatever revision the client insists on: it was done at that one', async () => {
    const id = await openAccount(bank.client);
    const send = () =>
      bank.client.call('depositOnAccount', {
        params: { id },
        body: { amount: '1.00', description: 'Guarded' },
        headers: { ...key('guarded'), 'if-match': '"0"' },
      });
    const first = await send();
    expect((await send()).body).toEqual(first.body);
  });

  it('counts within one account: another one has its own', async () => {
    const owner_id = await registerAlice(bank.client);
    const accounts = [
      await openAccount(bank.client, { owner_id }),
      await openAccount(bank.client, { owner_id }),
    ];
    for (const id of accounts) {
      await bank.client.call('deposit', { body: posting(id, '1.00'), headers: key('shared') });
    }
    expect(await Promise.all(accounts.map(countTransactions))).toEqual([1, 1]);
  });

  it('shows the log a hash of its key, never the key', async () => {
    const id = await openAccount(bank.client);
    await bank.client.call('deposit', { body: posting(id, '1.00'), headers: key('a secret of the client') });
    const { body } = await bank.client.call('listAccountEvents', { params: { id } });
    expect(JSON.stringify(body)).not.toContain('secret of the client');
    expect(body.items[1]?.metadata.idempotency_key).toMatch(/^[\w-]{22}$/);
  });
});
