/** Each thing that may be wrong with streams, made for real, and seen through the API and the command line. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { cliOn } from '../cli/in-process.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type StoredStreams, storeStreams } from '../support/stored-streams.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const LONG_AGO = '2025-01-01T12:00:00.000Z';

let directory: TemporaryDirectory;
let bank: RunningBank;
let streams: StoredStreams;
/** A healthy account of today, with three events. */
let fresh = '';
let orphan = '';

beforeAll(async () => {
  directory = temporaryDirectory();
  const dataDir = directory.file('bank');
  const location = { kind: 'file', path: join(dataDir, 'events.db') } as const;
  const store = openSqliteEventStore(location);
  streams = await storeStreams(store, LONG_AGO);
  await store.close();
  damage(location.path);
  let drives = true;
  bank = await startBank({
    dataDir,
    hooks: {
      transferFailpoint() {
        if (!drives) throw new StoreError('unavailable', 'Nobody drives this transfer.');
      },
    },
  });
  const account = await openAccount(bank.client, { initial_balance: '100.00' });
  const other = await openAccount(bank.client);
  await bank.client.call('deposit', { body: posting(account, '1.00') });
  fresh = `bank-account-${account.replaceAll('-', '')}`;
  drives = false;
  await bank.client.try('transfer', {
    body: {
      from_account_id: account,
      to_account_id: other,
      amount: '5.00',
      description: 'x',
    },
  });
  await eventually('the orphan', async () => {
    const { items } = (await bank.client.call('listOrphanTransfers', { query: { minutes: 0 } })).body;
    orphan = items[0]?.id ?? '';
    return items.length === 1;
  });
  await eventually('all streams', async () => {
    const { categories } = (await bank.client.call('getStreamHealthSummary')).body;
    return categories.find(({ category }) => category === 'bank-account')?.streams === 7;
  });
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

/** Takes an event out of the middle of two streams; the second one does not begin before its gap any more. */
function damage(path: string): void {
  const db = new DatabaseSync(path);
  const idOf = (name: string) =>
    (db.prepare('SELECT id FROM streams WHERE name = ?').get(name) as { id: number }).id;
  const remove = db.prepare('DELETE FROM events WHERE stream = ? AND revision = ?');
  remove.run(idOf(streams.willHaveGap), 2);
  remove.run(idOf(streams.willBeCut), 1);
  db.prepare('UPDATE streams SET first_revision = 2 WHERE id = ?').run(idOf(streams.willBeCut));
  db.close();
}

type List = 'longest' | 'stale' | 'problems' | 'snapshot_lag';

async function listed(list: List, query: Record<string, string | number> = {}) {
  return (await bank.client.call('listStreamHealth', { query: { list, ...query } })).body;
}

async function namesIn(list: List, query: Record<string, string | number> = {}): Promise<string[]> {
  return (await listed(list, query)).items.map(({ stream }) => stream);
}

async function health(name: string) {
  return (await bank.client.call('getStreamHealth', { params: { name } })).body;
}

describe('a stream', () => {
  it('that is well says how long, how large and how old it is, and how fast it grows', async () => {
    const { body } = await bank.client.call('readStream', { params: { name: fresh } });
    const bytes = body.items.map(({ data, metadata }) =>
      Buffer.byteLength(JSON.stringify(data) + JSON.stringify(metadata)),
    );
    const [first, last] = [body.items[0], body.items.at(-1)];
    expect(body.items.length).toBeGreaterThanOrEqual(3);
    expect(await health(fresh)).toMatchObject({
      stream: fresh,
      category: 'bank-account',
      first_revision: 0,
      length: body.items.length,
      events: body.items.length,
      bytes: bytes.reduce((sum, one) => sum + one, 0),
      age_days: 0,
      quiet_days: 0,
      events_last_7_days: body.items.length,
      events_per_day: body.items.length,
      problems: [],
      faults: [],
      gaps: [],
      snapshot: { revision: null, lag: body.items.length },
      first_event: { id: first?.id, type: first?.type, revision: 0, at: first?.metadata.timestamp },
      last_event: { id: last?.id, type: last?.type, revision: last?.revision },
    });
  });

  it('of long ago has no rate, however many events it has', async () => {
    const state = await health(streams.long);
    expect(state).toMatchObject({ length: 150, events_last_7_days: 0, events_per_day: 0 });
    expect(state.quiet_days).toBe(state.age_days);
    expect(state.quiet_days).toBeGreaterThan(300);
  });

  it('with a gap says where', async () => {
    expect(await health(streams.willHaveGap)).toMatchObject({
      length: 4,
      events: 3,
      problems: ['gap'],
      faults: [{ fault: 'gap', count: 1, since_revision: 3, newest_revision: 3 }],
      gaps: [{ after_revision: 1, next_revision: 3, cut_off: false }],
    });
  });

  it('whose gap was cut off since is well', async () => {
    expect(await health(streams.willBeCut)).toMatchObject({
      problems: [],
      gaps: [{ after_revision: 0, next_revision: 2, cut_off: true }],
      first_event: { revision: 2 },
    });
  });

  it('with events that nobody can read says which, and its documents are dead letters as ever', async () => {
    expect(await health(streams.unknownType)).toMatchObject({
      length: 2,
      problems: ['unknown_type'],
      faults: [{ fault: 'unknown_type', count: 1, newest_type: 'BankAccountTeleportedDomainEventV9' }],
    });
    expect(await health(streams.failingUpcast)).toMatchObject({
      problems: ['failing_upcast'],
      faults: [
        { fault: 'failing_upcast', newest_type: 'BankAccountCreatedDomainEventV1', newest_revision: 0 },
      ],
    });
    const letters = (await bank.client.call('listDeadLetters')).body.items;
    expect(letters.map(({ stream }) => stream)).toEqual(
      expect.arrayContaining([streams.unknownType, streams.failingUpcast]),
    );
    expect(letters.map(({ projection }) => projection)).not.toContain('stream_health');
  });
});

describe('the lists', () => {
  it('give the longest first, page by page', async () => {
    const all = await namesIn('longest');
    expect(all[0]).toBe(streams.long);
    expect(all.length).toBeGreaterThanOrEqual(10);
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listed('longest', { limit: 3, ...(cursor ? { cursor } : {}) });
      paged.push(...page.items.map(({ stream }) => stream));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(paged.toSorted()).toEqual(all.toSorted());
    expect(await namesIn('longest', { category: 'transfer' })).toEqual([
      `transfer-${orphan.replaceAll('-', '')}`,
    ]);
  });

  it('give what has been quiet for long and should not be', async () => {
    const quiet = [
      streams.long,
      streams.unknownType,
      streams.failingUpcast,
      streams.willHaveGap,
      streams.willBeCut,
    ];
    expect((await namesIn('stale')).toSorted()).toEqual(quiet.toSorted());
    expect(await namesIn('stale', { days: 36_500 })).toEqual([]);
    expect(await namesIn('stale', { category: 'transfer' })).toEqual([]);
  });

  it('give what is wrong, and nothing else', async () => {
    const wrong = [streams.unknownType, streams.failingUpcast, streams.willHaveGap];
    expect((await namesIn('problems')).toSorted()).toEqual(wrong.toSorted());
  });

  it('give accounts whose snapshots lag, until there is one', async () => {
    const { items } = await listed('snapshot_lag');
    expect(items).toMatchObject([
      { stream: streams.long, problems: ['snapshot_lag'], snapshot: { revision: null, lag: 150 } },
    ]);
    const [, ...parts] = /^.*-(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(streams.long) ?? [];
    await bank.client.call('takeSnapshot', { params: { id: parts.join('-') } });
    expect(await namesIn('snapshot_lag')).toEqual([]);
    expect((await health(streams.long)).snapshot).toEqual({ revision: 149, lag: 0 });
  });

  it('give transfers that nobody drives, once they have stood still for long enough', async () => {
    const orphans = async (minutes: number) =>
      (await bank.client.call('listOrphanTransfers', { query: { minutes } })).body.items.map(({ id }) => id);
    expect(await orphans(0)).toEqual([orphan]);
    expect(await orphans(60)).toEqual([]);
  });
});

describe('the figures', () => {
  it('count streams, events and faults by kind', async () => {
    const { categories, longest } = (await bank.client.call('getStreamHealthSummary')).body;
    const ofAccounts = categories.find(({ category }) => category === 'bank-account');
    const all = (await listed('longest', { category: 'bank-account', limit: 200 })).items;
    const sum = (name: 'events' | 'bytes') => all.reduce((total, one) => total + one[name], 0);
    expect(ofAccounts).toMatchObject({ streams: 7, events: sum('events'), bytes: sum('bytes') });
    expect(ofAccounts?.with_faults).toEqual({
      any: 4,
      gap: 2,
      unknown_type: 1,
      failing_upcast: 1,
      unreadable: 0,
    });
    expect(ofAccounts?.lengths.find(({ up_to }) => up_to === 500)).toEqual({ up_to: 500, streams: 1 });
    expect(longest[0]?.stream).toBe(streams.long);
    expect(categories.map(({ category }) => category)).toEqual(['person', 'bank-account', 'transfer']);
  });

  it('are metrics, too', async () => {
    const page = new MetricsPage((await bank.client.call('metrics')).body);
    const accounts = { category: 'bank-account' };
    expect(page.value('openbank_streams', accounts)).toBe(7);
    expect(page.value('openbank_streams_with_faults', { ...accounts, fault: 'unknown_type' })).toBe(1);
    expect(page.value('openbank_streams_by_length', { ...accounts, up_to: '100' })).toBe(6);
    expect(page.value('openbank_streams_by_length', { ...accounts, up_to: '+Inf' })).toBe(7);
    expect(page.value('openbank_orphan_transfers')).toBe(0);
    expect(page.value('openbank_snapshots_lagging')).toBe(0);
    expect(page.value('openbank_snapshot_lag_events')).toBeLessThan(100);
    expect(page.value('openbank_archive_volumes')).toBe(0);
  });
});

describe('./openbank streams', () => {
  it('shows them all, the lists, and one', async () => {
    const cli = cliOn(bank.url);
    const all = await cli('streams');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toMatch(/bank-account +7 /);
    expect(all.stdout).toContain(streams.long);
    expect(all.stdout).toContain('Orphan transfers  0');
    const quiet = async (...flags: string[]) =>
      (await cli('streams', ...flags, '-q')).stdout.trim().split('\n');
    expect((await quiet('--longest'))[0]).toBe(streams.long);
    expect(await quiet('--stale', '--days', '60')).toHaveLength(5);
    expect(await quiet('--problems')).toHaveLength(3);
    expect(await quiet('--orphans', '--minutes', '0')).toEqual([orphan]);
    expect((await cli('streams', '--orphans')).stdout).toBe('There are no orphan transfers.\n');
    expect((await cli('streams', '--snapshot-lag')).stdout).toBe('There are no such streams.\n');
    const one = await cli('streams', streams.willHaveGap);
    expect(one.stdout).toMatch(/Gaps +1 to 3\n/);
    const { stdout } = await cli('streams', streams.willHaveGap, '--json');
    expect(JSON.parse(stdout)).toEqual(await health(streams.willHaveGap));
  });

  it.each([[['--stale', '--longest']], [['bank-account-1', '--stale']]])('refuses %j', async (flags) => {
    expect(await cliOn(bank.url)('streams', ...flags)).toMatchObject({ code: 2, stdout: '' });
  });
});
