/** Snapshots in a running service: it is restarted, and an account with many events is loaded through one. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { pastAccounts } from '../../src/application/past-accounts.ts';
import { type BankAccount, bankAccountStream } from '../../src/domain/bank-account.ts';
import { SnapshotStore } from '../../src/event-sourcing/snapshots/snapshot-store.ts';
import { snapshotStream } from '../../src/event-sourcing/snapshots/snapshot-streams.ts';
import { exportStore } from '../../src/store-tools/move-stores.ts';
import { cliOn } from '../cli/in-process.ts';
import { posted } from '../support/account-history.ts';
import { openAccount, posting } from '../support/customers.ts';
import { collect, mustAppend, newEvent } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const settings = {
  OPENBANK_SNAPSHOT_EVERY: '20',
  OPENBANK_SNAPSHOT_KEEP: '2',
  OPENBANK_SNAPSHOT_MILESTONE_EVERY: '50',
};

let directory: ReturnType<typeof temporaryDirectory>;
let bank: RunningBank;
const start = () => startBank({ dataDir: directory.file('data'), settings });
const restart = async () => {
  await bank.close();
  bank = await start();
};
const page = async () => new MetricsPage((await bank.client.call('metrics')).body);
const loads = async (result: string) =>
  (await page()).sum('openbank_snapshot_loads_total', { aggregate: 'BankAccount', result });
const written = async () =>
  (await page()).sum('openbank_snapshots_written_total', { aggregate: 'BankAccount' });

/** Deposits one after the other, so that each is an append of its own. */
async function deposits(account: string, times: number, key?: string): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const headers = key ? { 'idempotency-key': `${key}-${time}` } : {};
    await bank.client.call('deposit', { body: posting(account, '12.50'), headers });
  }
}

/** Deposits of 1.00, a snapshot that tells of a million, and one behind it that nobody can read. */
async function writeWrongSnapshot(account: string, at: { behind: number; events: number }): Promise<void> {
  const store = openSqliteEventStore({ kind: 'file', path: directory.file('data/events.db') });
  const stream = bankAccountStream(account);
  const deposits = Array.from({ length: at.events }, (_, index) => {
    const amounts = { amount: '1.00', balance: `${index + 1}.00` };
    return newEvent({ ...posted({ type: 'DEPOSIT', direction: 'CREDIT', ...amounts }) });
  });
  await mustAppend(store, stream, deposits, 0);
  const snapshots = new SnapshotStore<BankAccount>({
    store,
    aggregate: bankAccountType,
    retention: { newest: 10 },
    newId: randomUUID,
    now: () => new Date(),
  });
  const found = await pastAccounts(store, createBankCodec('USD')).at(account, { revision: at.behind });
  if (found.kind !== 'found') throw new Error('the account is not there');
  const [event] = await collect(store.readStream(stream, { from: at.behind, limit: 1 }));
  const { state, revision } = found.moment;
  const latest = new Date().toISOString();
  const operations = { recent: [], hasForgotten: false };
  const wrong = { state: { ...state, balance: 100_000_000n }, revision, eventId: event?.id ?? '', latest };
  await snapshots.write(account, { ...wrong, operations });
  await mustAppend(store, snapshotStream(stream), [newEvent({ type: 'Strange' })], 'any');
  await store.close();
}

describe('a bank on files', () => {
  beforeEach(async () => {
    directory = temporaryDirectory();
    bank = await start();
  });
  afterEach(async () => {
    await bank.close();
    directory.remove();
  });

  it('an account with many events is loaded through a snapshot after a restart, and forgets no key', async () => {
    const account = await openAccount(bank.client);
    await deposits(account, 65, 'salary');
    await eventually('three snapshots', async () => (await written()) === 3);
    await restart();
    const again = await bank.client.call('deposit', {
      body: posting(account, '12.50'),
      headers: { 'idempotency-key': 'salary-58' },
    });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect([await loads('used'), await loads('missed')]).toEqual([1, 0]);
    const { body } = await bank.client.call('deposit', { body: posting(account, '1.00') });
    expect([body.balance, body.revision]).toEqual(['813.50', 66]);
  });

  it('what looks into the past remember of a wrong snapshot is gone when an audit has found it', async () => {
    const account = await openAccount(bank.client);
    await bank.close();
    await writeWrongSnapshot(account, { behind: 450, events: 520 });
    bank = await start();
    const balance = async () => {
      const query = 'revision=510';
      return (await bank.client.call('getAccountBalance', { params: { id: account }, query })).body.balance;
    };
    // It is in order as far as anyone can tell; what follows asks for an audit.
    expect(await balance()).toBe('1000060.00');
    await bank.client.call('getAccountState', { params: { id: account } });
    await eventually('an audit', async () => (await balance()) === '510.00');
  });

  it('operators take snapshots and see which are kept, over HTTP and from a terminal', async () => {
    const account = await openAccount(bank.client);
    await deposits(account, 55);
    await eventually('two snapshots', async () => (await written()) === 2);
    const taken = await bank.client.call('takeSnapshot', { params: { id: account } });
    expect(taken.body).toEqual({ account_id: account, revision: 55, written: true });
    const again = await bank.client.call('takeSnapshot', { params: { id: account } });
    expect(again.body.written).toBe(false);
    const { items } = (await bank.client.call('listSnapshots', { params: { id: account } })).body;
    expect(items.map(({ kind, revision }) => [kind, revision])).toEqual([
      ['MILESTONE', 55],
      ['NEWEST', 39],
      ['NEWEST', 55],
    ]);
    const run = cliOn(bank.url);
    expect(await run('snapshot', 'list', account)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('MILESTONE'),
    });
    expect(await run('snapshot', 'take', account, '-q')).toMatchObject({ code: 0, stdout: '55\n' });
    const nobody = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1aff';
    for (const operation of ['takeSnapshot', 'listSnapshots'] as const) {
      expect(await bank.client.refused(operation, { params: { id: nobody } })).toMatchObject({
        problem: { code: 'account_not_found' },
      });
    }
    expect(await run('snapshot', 'take', nobody)).toMatchObject({ code: 5 });
  });

  it('snapshots are left out of listings, counts and exports, and no projection meets them', async () => {
    const account = await openAccount(bank.client);
    await deposits(account, 3);
    await bank.client.call('takeSnapshot', { params: { id: account } });
    const stream = `snapshot-bank-account-${account.replaceAll('-', '')}`;
    const names = async (prefix?: string) => {
      const { items } = (await bank.client.call('listStreams', { query: prefix ? { prefix } : {} })).body;
      return items.map((one) => one.stream);
    };
    expect((await names()).filter((name) => name.startsWith('snapshot'))).toEqual([]);
    expect(await names('snapshot-')).toEqual([stream]);
    const [event] = (await bank.client.call('readStream', { params: { name: stream } })).body.items;
    expect(event?.data).toMatchObject({ revision: 3, state: { balance: { $bigint: '3750' } } });
    const status = (await bank.client.call('status')).body;
    // A person, an account, three deposits.
    expect(status.event_store.events).toBe(5);
    await eventually('projections that have seen all, and set nothing aside', async () => {
      const { projections } = (await bank.client.call('status')).body;
      return projections.every(({ lag_events, dead_letters }) => lag_events === 0 && dead_letters === 0);
    });
    await bank.close();
    const exported = await exportStore(
      { eventStore: { kind: 'file', path: directory.file('data/events.db') }, archiveDir: undefined },
      directory.file('export'),
    );
    expect([exported.events, exported.streams]).toEqual([5, 2]);
  });
});

it('docs/snapshots.md names every setting with its default', () => {
  const text = readFileSync(new URL('../../docs/snapshots.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(OPENBANK_SNAPSHOT_\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  expect(rows).toEqual([
    ['OPENBANK_SNAPSHOT_EVERY', '100'],
    ['OPENBANK_SNAPSHOT_AGE_DAYS', '7'],
    ['OPENBANK_SNAPSHOT_SLOW_LOAD_MS', '100'],
    ['OPENBANK_SNAPSHOT_KEEP', '10'],
    ['OPENBANK_SNAPSHOT_MILESTONE_EVERY', '1000'],
    ['OPENBANK_SNAPSHOT_AUDIT_SECONDS', '60'],
  ]);
});
