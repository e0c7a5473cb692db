/** After traffic that is known, the figures of a running bank are exactly those. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { projections } from '../../src/projections/index.ts';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const REQUESTS = 'openbank_http_request_duration_seconds_count';

let directory: TemporaryDirectory;
let bank: RunningBank;
beforeEach(async () => {
  directory = temporaryDirectory();
  bank = await startBank();
});
afterEach(async () => {
  await bank.close();
  directory.remove();
});

/** The first page on which something holds: a page may be a second old. */
async function pageWhere(what: string, holds: (page: MetricsPage) => boolean): Promise<MetricsPage> {
  let page = new MetricsPage('\n');
  await eventually(what, async () => {
    page = new MetricsPage((await bank.client.call('metrics')).body);
    return holds(page);
  });
  return page;
}

const commands = (page: MetricsPage) => page.table('openbank_commands_total');

/** Requests of the bank's own routes by method, route and status: neither the scrapes nor the documentation. */
function requests(page: MetricsPage): Record<string, number> {
  const counted = Object.entries(page.table(REQUESTS));
  return Object.fromEntries(counted.filter(([labels]) => !/ \/(metrics|api\/docs)\b/.test(labels)));
}

describe('commands and queries', () => {
  it('are counted by name and outcome, refusals by code, appends and events by aggregate', async () => {
    const { client } = bank;
    const owner_id = await registerAlice(client);
    const account = await openAccount(client, { owner_id, initial_balance: '10.00' });
    for (const amount of ['1.00', '2.00', '3.00'])
      await client.call('deposit', { body: posting(account, amount) });
    await client.call('withdrawal', { body: posting(account, '4.00') });
    await client.refused('withdrawal', { body: posting(account, '100.00') });
    await client.refused('withdrawOnAccount', {
      params: { id: account },
      body: rest(posting(account, '99')),
    });
    await client.refused('deposit', { body: posting(newId(), '1.00') });
    await client.refused('getPerson', { params: { id: newId() } });

    const page = await pageWhere('the query', (one) => one.sum('openbank_queries_total') === 1);
    expect(commands(page)).toEqual({
      'RegisterPerson ok': 1,
      'CreateBankAccount ok': 1,
      'CreateDeposit ok': 3,
      'CreateDeposit rejected': 1,
      'CreateWithdrawal ok': 1,
      'CreateWithdrawal rejected': 2,
    });
    expect(page.table('openbank_queries_total')).toEqual({ 'GetPerson rejected': 1 });
    expect(page.table('openbank_rejections_total')).toEqual({
      'CreateDeposit account_not_found': 1,
      'CreateWithdrawal insufficient_funds': 2,
      'GetPerson person_not_found': 1,
    });
    // Opening with money in it is two events in one append.
    expect(page.table('openbank_appends_total')).toEqual({ 'Person ok': 1, 'BankAccount ok': 5 });
    expect(page.table('openbank_appended_events_total')).toEqual({ Person: 1, BankAccount: 6 });
    expect(page.value('openbank_append_duration_seconds_count')).toBe(6);
    expect(page.table('openbank_aggregate_lookups_total')).toEqual({
      'Person miss': 1,
      'Person hit': 1,
      'BankAccount miss': 2,
      'BankAccount hit': 6,
    });
  });

  it('that HTTP refuses for their shape never reach the application', async () => {
    await bank.client.refused('deposit', { body: { account_id: 'x' } });
    const page = await pageWhere('the request', (one) => Object.keys(requests(one)).length > 0);
    expect(requests(page)).toEqual({ 'POST /api/v1/transactions/deposit 422': 1 });
    expect(commands(page)).toEqual({});
  });
});

describe('requests', () => {
  it('are counted by the template of their route, never by their URL', async () => {
    const { client } = bank;
    const account = await openAccount(client);
    const unknown = newId();
    await client.refused('getAccount', { params: { id: unknown } });
    await client.refused('getAccount', { params: { id: newId() } });
    await client.call('listAccountEvents', { params: { id: account }, query: { limit: 1 } });
    await client.call('live');
    const page = await pageWhere('the last one', (one) => 'GET /health/live 200' in requests(one));
    expect(requests(page)).toEqual({
      'POST /api/v1/persons 201': 1,
      'POST /api/v1/accounts 201': 1,
      'GET /api/v1/accounts/:id 404': 2,
      'GET /api/v1/accounts/:id/events 200': 1,
      'GET /health/live 200': 1,
    });
    const { body } = await client.call('metrics');
    for (const id of [account, unknown]) expect(body).not.toContain(id);
  });

  it('to URLs without a route are all one, whatever their method', async () => {
    for (const path of ['/nope', '/nope/2', '/api/v1/account', '/admin'])
      await bank.client.fetch('GET', `${path}?id=${newId()}`);
    await bank.client.fetch('GET', '/api/v1/accounts/%zz');
    await bank.client.fetch('POST', '/nope', { body: {} });
    for (const method of ['PROPFIND', 'LINK']) await rawRequest(method, '/api/v1/accounts');
    const page = await pageWhere('the last one', (one) => requests(one)['other unmatched 404'] === 2);
    expect(requests(page)).toEqual({
      'GET unmatched 404': 4,
      'GET unmatched 400': 1,
      'POST unmatched 404': 1,
      'other unmatched 404': 2,
    });
  });

  it('in flight are those that have no answer yet: here the scrape itself', async () => {
    await bank.client.call('live');
    const page = await pageWhere('a page', () => true);
    expect(page.value('openbank_http_requests_in_flight')).toBe(1);
  });
});

describe('the read side', () => {
  it('shows how far it is, and that nothing is wrong', async () => {
    await openAccount(bank.client, { initial_balance: '1.00' });
    const page = await pageWhere(
      'the projections at the end',
      (one) => one.value('openbank_projection_position', { projection: 'transactions' }) === 3,
    );
    expect(page.value('openbank_event_store_head_position')).toBe(3);
    for (const [name, value] of [
      ['openbank_projection_position', 3],
      ['openbank_projection_lag_events', 0],
      ['openbank_projection_lag_seconds', 0],
      ['openbank_dead_letters', 0],
    ] as const) {
      const shown = page.samples(name).map((one) => [one.labels.projection, one.value]);
      expect(Object.fromEntries(shown), name).toEqual(
        Object.fromEntries(projections.map(({ name: projection }) => [projection, value])),
      );
    }
    expect(page.table('openbank_worker_state')).toEqual({ running: 1 });
    expect(page.table('openbank_scrape_source_up')).toEqual({
      event_store: 1,
      checkpoints: 1,
      dead_letters: 1,
      worker: 1,
      parked: 1,
      stream_health: 1,
      snapshot_lag: 1,
    });
    expect(page.sum('openbank_worker_problems_total')).toBe(0);
  });

  it('tells of dead letters, those of the worker thread too', async () => {
    await bank.close();
    const dataDir = directory.file('bank');
    bank = await startBank({ dataDir });
    const account = await openAccount(bank.client);
    await bank.close();
    await appendUnfoldable(directory.file('bank/events.db'), account);
    bank = await startBank({ dataDir });
    const page = await pageWhere('the dead letter', (one) => one.sum('openbank_dead_letters') > 0);
    expect(page.table('openbank_dead_letters')).toEqual({ bank_accounts: 1 });
    expect(page.table('openbank_worker_problems_total')).toEqual({ dead_letter: 1 });
  });
});

describe('the page', () => {
  it('says what runs here', async () => {
    const page = await pageWhere('a page', () => true);
    const [build] = page.samples('openbank_build_info');
    expect(build).toMatchObject({ value: 1, labels: { version: '0.1.0', role: 'all' } });
    expect(build?.labels.node).not.toBe('');
  });

  it('adds up its histograms', async () => {
    await openAccount(bank.client);
    const page = await pageWhere('requests', (one) => one.sum(REQUESTS) > 1);
    for (const [name, { type }] of page.families) {
      if (type !== 'histogram') continue;
      for (const { labels, value: count } of page.samples(`${name}_count`)) {
        const buckets = page.samples(`${name}_bucket`, labels).map(({ value }) => value);
        expect(buckets, name).toEqual(buckets.toSorted((one, other) => one - other));
        expect(buckets.at(-1), name).toBe(count);
      }
    }
  });
});

function rest({ account_id: _in_the_path, ...fields }: ReturnType<typeof posting>) {
  return fields;
}

/** A request that `fetch` would not send; resolves with the first bytes of the answer. */
function rawRequest(method: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(bank.url).port), '127.0.0.1');
    socket.on('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: bank\r\n\r\n`);
  });
}

async function appendUnfoldable(path: string, account: string): Promise<void> {
  const store = openSqliteEventStore({ kind: 'file', path });
  const type = 'BankAccountOverdraftLimitChangedDomainEventV1';
  const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: account });
  const event = newEvent({ type, data: { old_limit: '0.00', new_limit: 'much' }, metadata });
  await mustAppend(store, `bank-account-${account.replaceAll('-', '')}`, [event], 'stream_exists');
  await store.close();
}
