/** Closing the books and the archive: whatever is cut off, the bank answers as if nothing had moved. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Hooks } from '../../src/compose.ts';
import type { EventLocations } from '../../src/composition/open-stores.ts';
import { checkArchive } from '../../src/store-tools/check-archive.ts';
import { type ExportTotals, exportStore, importIntoStore } from '../../src/store-tools/move-stores.ts';
import { replayFromStore } from '../../src/store-tools/replay-account.ts';
import { ownProjection, runProjection } from '../../src/store-tools/run-projection.ts';
import type { OperationId } from '../support/bank-client.ts';
import { posting } from '../support/customers.ts';
import { collect } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { livelyAccount } from '../support/lively-account.ts';
import type { RunningBank } from '../support/running-bank.ts';
import { folded } from './past-projections.cases.ts';

/** Where the bank under test keeps what. */
export interface ArchivedBank {
  start(hooks?: Hooks): Promise<RunningBank>;
  /** Deletes the read models of a bank that is not running. */
  forgetReadModels(): Promise<void>;
  /** Makes sure that what was cut off is not there any more. */
  removeForGood(streams: readonly string[]): Promise<void>;
  readonly locations: EventLocations & { readonly archiveDir: string };
  /** A directory for what a test writes. */
  file(name: string): string;
}

const MIN_EVENTS = 10;

export function describeArchive(where: string, prepare: () => Promise<ArchivedBank>): void {
  describe(`archived accounts, ${where}`, () => {
    it('answer as before, are rebuilt, and go on', async () => {
      const setup = await prepare();
      let interrupted = true;
      const hooks: Hooks = {
        archiveFailpoint: (step) => {
          if (interrupted && step === 'verified') throw new Error('the power goes');
        },
      };
      let bank = await setup.start(hooks);
      onTestFinished(() => bank.close());
      const id = await livelyAccount(bank);
      const other = await livelyAccount(bank);
      const key = { 'idempotency-key': 'before the books were closed' };
      const first = await bank.client.call('deposit', { body: posting(id, '1.23'), headers: key });
      await quiet(bank);
      // Books are closed, and nothing is cut: from here on nothing may change.
      expect(await archive(bank)).toMatchObject({ state: 'FAILED', accounts: 2, volume: null });
      expect(
        await readdir(join(setup.locations.archiveDir, await storeIn(setup))).catch(() => []),
      ).not.toContain(expect.stringMatching(/^\d{8}-/));
      await quiet(bank);
      const before = await everything(bank, [id, other], first.body.transaction_id);
      const exported = await exportStore(setup.locations, setup.file('before'));
      interrupted = false;
      const run = await archive(bank);
      expect(run).toMatchObject({ state: 'FINISHED', accounts: 2, error: null, more: false });
      const { volumes, volume_count } = (await bank.client.call('getArchive')).body;
      expect(volume_count).toBe(1);
      expect(volumes[0]).toMatchObject({ volume: run.volume, events: run.events, streams: 2, cut: true });
      const streams = [id, other].map((one) => `bank-account-${one.replaceAll('-', '')}`);
      await setup.removeForGood(streams);
      expect(await everything(bank, [id, other], first.body.transaction_id)).toEqual(before);

      await expectSameBeside(setup, id, exported);
      await expectPastProjection(bank, id);

      // Everything again, from nothing but the events.
      await bank.close();
      await setup.forgetReadModels();
      bank = await setup.start();
      await quiet(bank);
      expect(await everything(bank, [id, other], first.body.transaction_id)).toEqual(before);

      const again = await bank.client.call('deposit', { body: posting(id, '1.23'), headers: key });
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.body).toEqual(first.body);
      await bank.client.call('deposit', { body: posting(id, '2.00') });
      expect(await archive(bank, { dry_run: true })).toMatchObject({
        state: 'FINISHED',
        accounts: 0,
        events: 0,
      });
      expect(await archive(bank, { min_events: 2 })).toMatchObject({ accounts: 3, events: 6 });
      expect((await bank.client.call('getArchive')).body).toMatchObject({ volume_count: 2 });
      const now = (await bank.client.call('getAccountState', { params: { id } })).body;
      const then = (await bank.client.call('getAccountState', { params: { id }, query: 'revision=3' })).body;
      expect([then.revision, now.revision - then.revision > 10]).toEqual([3, true]);
    });

    it('take commands without their archive, and refuse to show a past that is damaged', async () => {
      const setup = await prepare();
      let bank = await setup.start();
      onTestFinished(() => bank.close());
      const id = await livelyAccount(bank);
      await quiet(bank);
      expect(await archive(bank)).toMatchObject({ state: 'FINISHED', accounts: 1 });
      await setup.removeForGood([`bank-account-${id.replaceAll('-', '')}`]);
      await bank.close();
      const hidden = `${setup.locations.archiveDir}.hidden`;
      await rename(setup.locations.archiveDir, hidden);
      bank = await setup.start();
      const { token } = await bank.client.call('deposit', { body: posting(id, '5.00') });
      expect((await bank.client.call('getAccount', { params: { id }, token })).body.revision).toBeGreaterThan(
        10,
      );
      expect(await refusal(bank, 'listAccountEvents', id)).toEqual(['archive_damaged']);
      expect(await refusal(bank, 'getAccountReplay', id)).toEqual(['archive_damaged']);
      await bank.close();
      await rename(hidden, setup.locations.archiveDir);
      bank = await setup.start();
      expect(await refusal(bank, 'listAccountEvents', id)).toEqual([]);
      await bank.close();
      const [segment] = await segmentsIn(setup.locations.archiveDir);
      const bytes = await readFile(segment as string);
      const altered = Buffer.from(bytes);
      altered[bytes.length >> 1] = (altered[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(segment as string, altered);
      bank = await setup.start();
      expect(await refusal(bank, 'listAccountEvents', id)).toEqual(['archive_damaged']);
      expect(await refusal(bank, 'getAccount', id)).toEqual([]);
      writeFileSync(segment as string, bytes.subarray(0, bytes.length >> 1));
      expect(await refusal(bank, 'listAccountEvents', id)).toEqual(['archive_damaged']);
      rmSync(segment as string);
      expect(await refusal(bank, 'listAccountEvents', id)).toEqual(['archive_damaged']);
    });

    it('go on beside a damaged volume that has nothing of theirs; others are told its name', async () => {
      const setup = await prepare();
      let bank = await setup.start();
      onTestFinished(() => bank.close());
      const ids = [await livelyAccount(bank), await livelyAccount(bank)] as const;
      const volumes: string[] = [];
      for (const _ of ids) {
        await quiet(bank);
        volumes.push((await archive(bank, { accounts_max: 1 })).volume ?? '');
      }
      await setup.removeForGood(ids.map((id) => `bank-account-${id.replaceAll('-', '')}`));
      await bank.close();
      const [volume = ''] = volumes;
      const index = join(setup.locations.archiveDir, await storeIn(setup), volume, 'index.db');
      const bytes = await readFile(index);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(index, bytes);
      bank = await setup.start();
      for (const operation of ['listAccountEvents', 'getAccountReplay'] as const) {
        const { problem: refused } = await bank.client.refused(operation, { params: { id: ids[0] } });
        expect(refused).toMatchObject({ status: 500, code: 'archive_damaged', volume });
        expect(refused.detail).toContain(volume);
        expect(refused.detail).not.toContain(setup.locations.archiveDir);
        expect(await refusal(bank, operation, ids[1])).toEqual([]);
      }
      const config = { ...setup.locations, defaultCurrency: 'USD' };
      const whole = { accountId: ids[1], from: 0, to: 1_000, byTodaysRules: false };
      expect((await collect(replayFromStore(config, whole))).length).toBeGreaterThan(10);
      await expectOnlyFirstDamaged(setup, volumes);
      // A file that is there and cannot be read is told in the same way, and the other volume is looked at.
      rmSync(index);
      mkdirSync(index);
      await expectOnlyFirstDamaged(setup, volumes);
      expect(await refusal(bank, 'listAccountEvents', ids[0])).toEqual(['store_unavailable']);
      expect(await refusal(bank, 'listAccountEvents', ids[1])).toEqual([]);
    });
  });
}

/** What commands beside the bank read: exports, replays, projections at a time, the archive itself. */
async function expectSameBeside(setup: ArchivedBank, accountId: string, before: ExportTotals): Promise<void> {
  const { events, digest } = await exportStore(setup.locations, setup.file('after'));
  expect({ events, digest }).toEqual({ events: before.events, digest: before.digest });
  const target = {
    eventStore: { kind: 'file', path: setup.file('fresh/events.db') },
    archiveDir: undefined,
  } as const;
  expect(await importIntoStore(target, setup.file('after'))).toMatchObject({ events, digest });
  const config = { ...setup.locations, defaultCurrency: 'USD' };
  const steps = await collect(
    replayFromStore(config, { accountId, from: 0, to: 1_000, byTodaysRules: true }),
  );
  expect(steps.length).toBeGreaterThan(10);
  expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
  expect(new Set(steps.map(({ today }) => today?.kind))).toEqual(new Set(['same', 'not_judged']));
  const plan = ownProjection('bank_accounts');
  if (!plan) throw new Error('the accounts have no projection');
  const [third] = steps.filter(({ revision }) => revision === 3);
  const then = await runProjection(config, plan, third?.at, (projected) => projected.get(accountId));
  expect(then?.document).toMatchObject({ revision: 3 });
  const checked = await collect(checkArchive(setup.locations));
  expect(checked.map(({ damage }) => damage)).toEqual([undefined]);
}

async function expectOnlyFirstDamaged(
  { locations }: ArchivedBank,
  volumes: readonly string[],
): Promise<void> {
  const checked = await collect(checkArchive(locations));
  expect(checked.map(({ record, damage }) => [record.volume, damage !== undefined])).toEqual([
    [volumes[0], true],
    [volumes[1], false],
  ]);
}

/** A projection that the service folds for a time of which the store alone tells nothing any more. */
async function expectPastProjection(bank: RunningBank, accountId: string): Promise<void> {
  const params = { id: accountId };
  const { changed_at } = (await bank.client.call('getAccountState', { params, query: 'revision=3' })).body;
  const then = (await bank.client.call('getAccountState', { params, query: `at=${changed_at}` })).body;
  const { id } = await folded(bank, { projection: 'bank_accounts', at: changed_at });
  const found = await bank.client.call('getPastDocument', { params: { id, key: accountId } });
  const { revision, balance } = then;
  expect(found.body).toMatchObject({ blocked: false, document: { revision, balance } });
}

/** Runs to the end. */
export async function archive({ client }: RunningBank, more: Readonly<Record<string, unknown>> = {}) {
  const body = { min_events: MIN_EVENTS, ...more };
  const { run_id } = (await client.call('startArchiveRun', { body })).body;
  let run = (await client.call('getArchive')).body.run;
  await eventually('the end of the run', async () => {
    run = (await client.call('getArchive')).body.run;
    return run?.state !== 'RUNNING';
  });
  if (run?.run_id !== run_id) throw new Error('another run was started');
  return run;
}

/** The projections have come as far as the log. */
export async function quiet({ client }: RunningBank): Promise<void> {
  await eventually('projections that have seen all', async () => {
    const { projections } = (await client.call('status')).body;
    return projections.every(({ lag_events, lag_ms }) => (lag_events ?? lag_ms) === 0);
  });
}

/** Whatever the API tells of accounts, now and as they were. */
async function everything({ client }: RunningBank, ids: readonly string[], transaction: string) {
  const answers: unknown[] = [];
  const ask = async (operation: OperationId, options: Parameters<RunningBank['client']['call']>[1]) => {
    const { body } = await client.call(operation, options);
    answers.push([operation, options, body]);
    return body;
  };
  for (const id of ids) {
    const params = { id };
    const state = (await client.call('getAccountState', { params })).body;
    const { items } = (await client.call('listAccountEvents', { params, query: 'limit=200' })).body;
    answers.push(items);
    for (const { revision, recorded_at } of items.filter((_, index) => index % 4 === 0)) {
      await ask('getAccountState', { params, query: `revision=${revision}` });
      await ask('getAccountBalance', { params, query: `at=${recorded_at}` });
    }
    const month = String(state.changed_at).slice(0, 7);
    await ask('getAccountChanges', {
      params,
      query: `from_revision=2&to_revision=${state.revision}&limit=200`,
    });
    await ask('getAccountReplay', { params, query: 'rules=current&limit=200' });
    await ask('listAccountTransactions', { params, query: 'limit=200' });
    const statement = (await client.call('getStatement', { params: { id, month } })).body;
    answers.push({ ...statement, generated_at: undefined });
    await ask('getAccount', { params });
    await ask('listAccountHolds', { params });
    await ask('getOwnerSummary', { params: { id: state.owner_id } });
    const name = `bank-account-${id.replaceAll('-', '')}`;
    await ask('readStream', { params: { name }, query: 'limit=200' });
    await ask('readStream', { params: { name }, query: 'limit=200&direction=backwards' });
  }
  await ask('getTransaction', { params: { id: transaction } });
  await ask('listTransfers', { query: 'limit=200' });
  return answers;
}

/** The code of what is refused. */
async function refusal({ client }: RunningBank, operation: OperationId, id: string): Promise<string[]> {
  const outcome = await client.try(operation, { params: { id } });
  return outcome.ok ? [] : [outcome.problem.code];
}

async function storeIn({ locations }: ArchivedBank): Promise<string> {
  const [store = 'none'] = await readdir(locations.archiveDir).catch(() => []);
  return store;
}

async function segmentsIn(archiveDir: string): Promise<string[]> {
  const files = await readdir(archiveDir, { recursive: true });
  return files.filter((file) => file.endsWith('.ndjson.gz')).map((file) => join(archiveDir, file));
}
