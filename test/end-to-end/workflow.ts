/** What a customer does, from registration to the closed account, over HTTP: the same on every kind of stores. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projections as readModels } from '../../src/projections/index.ts';
import { ADDRESS, ALICE, openAccount, registerAlice } from '../support/customers.ts';
import type { RunningBank } from '../support/running-bank.ts';

/** Suites of a bank whose stores are of that kind; `start` composes it. */
export function describeWorkflow(kind: string, start: () => Promise<RunningBank>, onServers = false): void {
  describe(`a bank on ${kind}`, () => {
    let bank: RunningBank;
    let call: RunningBank['client']['call'];
    beforeAll(async () => {
      bank = await start();
      call = bank.client.call.bind(bank.client);
    });
    afterAll(() => bank.close());

    it('takes Alice from her registration to her balance, as in the guide', async () => {
      // The bodies are the guide's own text: its numbers have trailing zeros, which JavaScript would drop.
      const alice = await call('registerPerson', {
        raw: `{
          "first_name": "Alice",
          "last_name": "Smith",
          "date_of_birth": "1990-05-15",
          "nationality": "US",
          "gender": "FEMALE"
        }`,
      });
      expect(alice.body).toMatchObject({ first_name: 'Alice', date_of_birth: '1990-05-15', revision: 0 });
      expect(alice.headers.get('location')).toBe(`/api/v1/persons/${alice.body.id}`);

      const opened = await call('createAccount', {
        raw: `{ "owner_id": "${alice.body.id}", "overdraft_limit": 500.00 }`,
      });
      expect(opened.body).toMatchObject({
        owner_id: alice.body.id,
        account_type: 'CHECKING',
        status: 'ACTIVE',
        currency: 'USD',
        balance: '0.00',
        available_balance: '500.00',
        overdraft_limit: '500.00',
      });
      const { id } = opened.body;

      const deposited = await call('deposit', {
        raw: `{ "account_id": "${id}", "amount": 1000.00, "description": "Initial deposit" }`,
      });
      expect(deposited.body).toMatchObject({
        account_id: id,
        to_account_id: id,
        type: 'DEPOSIT',
        direction: 'CREDIT',
        amount: '1000.00',
        currency: 'USD',
        balance: '1000.00',
        description: 'Initial deposit',
        revision: 1,
      });

      const account = await call('getAccount', { params: { id }, token: deposited.token });
      expect(account.body).toMatchObject({
        id,
        owner: 'Alice Smith',
        balance: '1000.00',
        available_balance: '1500.00',
        held: '0.00',
        transaction_count: 1,
        total_credits: '1000.00',
        total_debits: '0.00',
        largest_transaction: '1000.00',
        last_transaction_at: deposited.body.recorded_at,
        revision: 1,
      });
      const owned = await call('getAccountsByOwner', { params: { owner_id: alice.body.id } });
      expect(owned.body).toEqual({ items: [account.body] });
    });

    it('answers each route that a Location header names', async () => {
      const alice = await call('registerPerson', { body: { ...ALICE, first_name: 'Ann' } });
      const account = await call('createAccount', { body: { owner_id: alice.body.id } });
      const paid = await call('depositOnAccount', {
        params: { id: account.body.id },
        body: { amount: '1', description: 'One' },
      });
      const answers = await Promise.all(
        [alice, account, paid].map(async ({ headers }) => {
          const path = String(headers.get('location'));
          return (await bank.client.fetch('GET', path, { token: paid.token })).json();
        }),
      );
      expect(answers).toEqual([
        alice.body,
        expect.objectContaining({ id: account.body.id, balance: '1.00' }),
        paid.body,
      ]);
    });

    it('pays out, pays interest, and moves the overdraft limit', async () => {
      const id = await openAccount(bank.client, { overdraft_limit: '100.00', initial_balance: '250.50' });
      const out = await call('withdrawal', {
        body: { account_id: id, amount: '300.50', description: 'Rent' },
      });
      expect(out.body).toMatchObject({
        type: 'WITHDRAWAL',
        direction: 'DEBIT',
        from_account_id: id,
        balance: '-50.00',
      });
      const interest = await call('interest', {
        body: { account_id: id, amount: 0.07, description: 'March' },
      });
      expect(interest.body).toMatchObject({ type: 'INTEREST', direction: 'CREDIT', balance: '-49.93' });
      const limit = await call('changeOverdraftLimit', {
        params: { id },
        body: { overdraft_limit: 49.93 },
      });
      expect(limit.body).toMatchObject({ overdraft_limit: '49.93', available_balance: '0.00', revision: 4 });

      const account = await call('getAccount', { params: { id }, token: limit.token });
      expect(account.body).toMatchObject({
        balance: '-49.93',
        available_balance: '0.00',
        overdraft_limit: '49.93',
        transaction_count: 3,
        total_credits: '250.57',
        total_debits: '300.50',
        largest_transaction: '300.50',
        revision: 4,
      });
      const unchanged = await call('changeOverdraftLimit', {
        params: { id },
        body: { overdraft_limit: '49.93' },
      });
      expect(unchanged.body).toEqual(limit.body);
      expect(unchanged.token).toBe('');
    });

    it('opens with an initial balance in one append: two events, one commit', async () => {
      const owner_id = await registerAlice(bank.client);
      const opened = await call('createAccount', {
        body: { owner_id, initial_balance: '75.00', account_type: 'SAVINGS', currency: 'EUR' },
      });
      expect(opened.body).toMatchObject({
        balance: '75.00',
        currency: 'EUR',
        account_type: 'SAVINGS',
        revision: 1,
      });
      const { items } = (await call('listAccountEvents', { params: { id: opened.body.id } })).body;
      expect(items.map((event) => event.type)).toEqual([
        'BankAccountCreatedDomainEventV2',
        'BankAccountTransactionRecordedDomainEventV1',
      ]);
      expect(opened.token.split(':')[1]).toBe(items[1]?.position);
      expect(items[1]?.metadata.causation_id).toBe(items[0]?.metadata.causation_id);
    });

    it('closes an empty account for a reason, and shows it in the owner’s summary', async () => {
      const owner_id = await registerAlice(bank.client);
      const empty = await openAccount(bank.client, { owner_id });
      await openAccount(bank.client, { owner_id, initial_balance: '10.00' });
      const yen = await openAccount(bank.client, { owner_id, currency: 'JPY', initial_balance: 500 });
      const closed = await call('closeAccount', { params: { id: empty }, body: { reason: 'Moved abroad' } });
      expect(closed.body).toMatchObject({ status: 'CLOSED', balance: '0.00', revision: 1 });

      const { body: summary } = await call('getOwnerSummary', {
        params: { id: owner_id },
        token: closed.token,
      });
      expect(summary).toMatchObject({
        owner_id,
        total_accounts: 3,
        active_accounts: 2,
        closed_accounts: 1,
        total_balance: { USD: '10.00', JPY: '500' },
      });
      const [last] = (
        await call('listAccountEvents', { params: { id: empty }, query: { direction: 'backwards' } })
      ).body.items;
      expect(last?.data).toEqual({ reason: 'Moved abroad', final_balance: '0.00' });
      expect((await call('getAccount', { params: { id: empty } })).body.status).toBe('CLOSED');
      expect((await call('getAccount', { params: { id: yen } })).body.balance).toBe('500');
    });

    it('knows a person without an account, and one who has just come', async () => {
      const registered = await call('registerPerson', { body: { ...ALICE, address: ADDRESS } });
      const { id } = registered.body;
      const none = { total_accounts: 0, active_accounts: 0, closed_accounts: 0, total_balance: {} };
      for (const token of ['', registered.token]) {
        expect((await call('getOwnerSummary', { params: { id }, token })).body).toEqual({
          owner_id: id,
          ...none,
          last_activity: null,
        });
        expect((await call('getPerson', { params: { id }, token })).body).toEqual(registered.body);
        expect((await call('getAccountsByOwner', { params: { owner_id: id }, token })).body.items).toEqual(
          [],
        );
      }
    });

    it('does on an account’s own routes what it does under /transactions', async () => {
      const id = await openAccount(bank.client, { overdraft_limit: 5 });
      const put = await call('depositOnAccount', {
        params: { id },
        body: { amount: 500, description: 'Salary' },
      });
      expect(put.body).toMatchObject({
        account_id: id,
        type: 'DEPOSIT',
        amount: '500.00',
        balance: '500.00',
      });
      const taken = await call('withdrawOnAccount', {
        params: { id },
        body: { amount: '505.00', description: 'Rent' },
      });
      expect(taken.body).toMatchObject({ type: 'WITHDRAWAL', balance: '-5.00' });

      const history = await call('listAccountTransactions', { params: { id }, token: taken.token });
      expect(history.body).toEqual({ items: [taken.body, put.body] });
      const one = await call('getTransaction', { params: { id: put.body.transaction_id } });
      expect(one.body).toEqual(put.body);
    });

    it('shows raw events and the same events in the stream browser, with their whole envelopes', async () => {
      const owner_id = await registerAlice(bank.client);
      const opened = await call('createAccount', {
        body: { owner_id, overdraft_limit: '500.00' },
        headers: { 'x-request-id': 'request-7', 'x-correlation-id': 'order-42' },
      });
      expect(opened.headers.get('x-request-id')).toBe('request-7');
      const { id } = opened.body;
      await call('deposit', { body: { account_id: id, amount: '1.10', description: 'Coffee money' } });

      const raw = (await call('listAccountEvents', { params: { id } })).body.items;
      const stream = `bank-account-${id.replaceAll('-', '')}`;
      expect((await call('readStream', { params: { name: stream } })).body.items).toEqual(raw);
      expect(raw[0]).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'BankAccountCreatedDomainEventV2',
        stream,
        revision: 0,
        position: expect.stringMatching(/^\d+$/),
        recorded_at: expect.any(String),
        data: { owner_id, overdraft_limit: '500.00', account_type: 'CHECKING', currency: 'USD' },
        metadata: {
          aggregate_type: 'BankAccount',
          aggregate_id: id,
          timestamp: expect.any(String),
          correlation_id: 'order-42',
          causation_id: 'request-7',
        },
      });
      expect(raw[1]?.data).toMatchObject({ type: 'DEPOSIT', amount: '1.10', to_account_id: id });
      expect(String(opened.token.split(':')[1])).toBe(raw[0]?.position);

      if (onServers) {
        expect(await bank.client.refused('listStreams', {})).toMatchObject({
          problem: { code: 'not_supported' },
        });
      } else {
        const found = (await call('listStreams', { query: { prefix: stream } })).body.items;
        expect(found).toEqual([
          { stream, first_revision: 0, last_revision: 1, last_recorded_at: raw[1]?.recorded_at },
        ]);
      }
      const people = (
        await call('readStream', { params: { name: `person-${owner_id.replaceAll('-', '')}` } })
      ).body;
      expect(people.items[0]?.data).toEqual(ALICE);
    });

    it('takes ids in capitals, which are the same UUIDs', async () => {
      const id = await openAccount(bank.client);
      const posted = await call('deposit', {
        body: { account_id: id.toUpperCase(), amount: '1', description: 'One' },
      });
      expect(posted.body.account_id).toBe(id);
      const read = await call('getAccount', { params: { id: id.toUpperCase() }, token: posted.token });
      expect(read.body).toMatchObject({ id, balance: '1.00' });
    });

    it('says when a reader has the newest document already', async () => {
      const id = await openAccount(bank.client);
      const { token } = await call('depositOnAccount', {
        params: { id },
        body: { amount: 1, description: 'x' },
      });
      const { etag } = await call('getAccount', { params: { id }, token });
      const headers = { 'if-none-match': String(etag) };
      const same = await bank.client.fetch('GET', `/api/v1/accounts/${id}`, { headers });
      expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', '"1"']);
      const later = await call('depositOnAccount', { params: { id }, body: { amount: 1, description: 'x' } });
      const newer = await bank.client.fetch('GET', `/api/v1/accounts/${id}`, { headers, token: later.token });
      expect([newer.status, newer.headers.get('etag')]).toEqual([200, '"2"']);
    });

    it('is alive, ready, and tells how far its projections are', async () => {
      expect((await call('live')).body).toEqual({ status: 'live' });
      expect((await call('ready')).body).toEqual({
        status: 'ready',
        role: 'all',
        event_store: 'reachable',
        read_models: 'reachable',
        projections: 'running',
        dead_letters: 0,
      });
      const { token } = await call('registerPerson', { body: ALICE });
      await call('listPersons', { token });
      const { event_store, projections, pid } = (await call('status')).body;
      expect(pid).toBe(process.pid);
      // A server has events of its own behind ours, and its positions do not count events.
      const [written, head] = [token.split(':')[1], event_store.head_position].map((text) =>
        BigInt(text ?? 0),
      );
      expect(head).toBeGreaterThanOrEqual(written ?? 0n);
      if (!onServers) expect(head).toBe(written);
      const lag = onServers ? null : 0;
      expect(projections.map(({ name, lag_events, state }) => [name, lag_events, state])).toEqual(
        readModels.map(({ name }) => [name, lag, 'running']),
      );
    });
  });
}
