/** Projections are rebuilt while the bank is at work: reads go on, nothing is lost, and operators see and steer it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cliOn } from '../cli/in-process.ts';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { DepositLoad } from './deposit-load.ts';

let directory: TemporaryDirectory;
let bank: RunningBank;

/** One bank for all tests of a `describe`: none of them leaves anything paused or under way. */
function onOneBank(): void {
  beforeAll(async () => {
    directory = temporaryDirectory();
    bank = await startBank({ dataDir: directory.file('bank') });
  });
  afterAll(async () => {
    await bank.close();
    directory.remove();
  });
}

const projection = async (name: string) => {
  const { items } = (await bank.client.call('listProjections')).body;
  return items.find((one) => one.name === name);
};
const status = (name: string) => projection(name).then((found) => ({ ...found }));
const servedBuild = async (name: string) => (await status(name)).served_build;
const isBeingRebuilt = async (name: string) => (await status(name)).rebuild !== null;
const refusal = async (
  operation: 'rebuildProjection' | 'cancelRebuild' | 'pauseProjection',
  name: string,
) => {
  const answer = await bank.client.try(operation, { params: { name } });
  return answer.ok ? answer.status : [answer.problem.status, answer.problem.code];
};

async function caughtUp(): Promise<void> {
  await eventually('no lag', async () => {
    const { items } = (await bank.client.call('listProjections')).body;
    return items.every(({ lag_events }) => lag_events === 0);
  });
}

describe('a rebuild under traffic', () => {
  onOneBank();

  it('keeps answering reads, sees every write, and folds the same in the end', async () => {
    const owner = await registerAlice(bank.client);
    const accounts = [];
    for (let n = 0; n < 5; n += 1) accounts.push(await openAccount(bank.client, { owner_id: owner }));
    await caughtUp();
    const load = new DepositLoad(bank.client, accounts, 4, Math.random);
    let reads = 0;
    let done = false;
    const reading = (async () => {
      while (!done) {
        const { body } = await bank.client.call('listAccounts');
        reads += 1;
        expect(body.items).toHaveLength(5);
      }
    })();
    for (const name of ['bank_accounts', 'transactions', 'bank_accounts']) {
      const before = await servedBuild(name);
      await bank.client.call('rebuildProjection', { params: { name } });
      await eventually(`${name} rebuilt`, async () => (await servedBuild(name)) !== before);
      await eventually(`${name} ready for the next`, async () => !(await isBeingRebuilt(name)));
    }
    await load.stop();
    done = true;
    await reading;
    expect(reads).toBeGreaterThan(0);
    await caughtUp();
    const { items } = (await bank.client.call('listAccounts')).body;
    for (const { id, balance, transaction_count } of items) {
      const own = load.acknowledged.filter(({ account_id }) => account_id === id);
      const cents = own.reduce((sum, one) => sum + one.cents, 0n);
      expect(BigInt(balance.replace('.', ''))).toBe(cents);
      expect(transaction_count).toBe(own.length);
    }
  });
});

describe('operators', () => {
  onOneBank();

  it('see what is served, and cannot ask for what makes no sense', async () => {
    expect(await status('bank_accounts')).toMatchObject({
      group: 'accounts',
      stale: false,
      state: 'running',
    });
    expect(await refusal('rebuildProjection', 'nothing')).toEqual([404, 'projection_not_found']);
    expect(await refusal('cancelRebuild', 'bank_accounts')).toEqual([409, 'no_rebuild']);
    await bank.client.call('pauseProjection', { params: { name: 'accounts' } });
    expect(await refusal('pauseProjection', 'persons')).toEqual([409, 'projection_paused']);
    expect(await refusal('rebuildProjection', 'persons')).toBe(202);
    expect(await refusal('rebuildProjection', 'bank_accounts')).toEqual([409, 'rebuild_in_progress']);
    await eventually('the pause', async () => (await status('persons')).state === 'paused');
    expect((await status('transactions')).state).toBe('running');
    await bank.client.call('cancelRebuild', { params: { name: 'owner_summaries' } });
    await bank.client.call('resumeProjection', { params: { name: 'accounts' } });
    await eventually('the end of the pause', async () => (await status('persons')).state === 'running');
    expect((await status('persons')).rebuild).toBeNull();
  });

  it('asked at once for the same, get one rebuild', async () => {
    // So that none of them is done before the last one asks.
    await bank.client.call('pauseProjection', { params: { name: 'transactions' } });
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => refusal('rebuildProjection', 'transactions')),
    );
    expect(asked.filter((one) => one === 202)).toHaveLength(1);
    await bank.client.call('cancelRebuild', { params: { name: 'transactions' } });
    await bank.client.call('resumeProjection', { params: { name: 'transactions' } });
  });

  it('do it from the command line', async () => {
    await openAccount(bank.client, { owner_id: await registerAlice(bank.client) });
    const run = cliOn(bank.url);
    expect((await run('rebuild', 'bank_accounts')).stdout).toContain('rebuild: persons, bank_accounts');
    expect((await run('projections')).stdout).toMatch(/bank_accounts +accounts +\d+ +running/);
    expect(await run('rebuild', 'nothing', '--no-wait')).toMatchObject({ code: 5 });
    expect((await run('projections', 'pause', 'holds')).stdout).toContain('pause: holds');
    expect((await run('projections', 'resume', 'holds')).stdout).toContain('resume: holds');
  });

  it('are told on the command line in which state a rebuild is that does not get on', async () => {
    await bank.client.call('pauseProjection', { params: { name: 'holds' } });
    const waiting = cliOn(bank.url)('rebuild', 'holds');
    const said = () => vi.mocked(process.stderr.write).mock.calls.join('\n');
    await eventually('word of the pause', () => said().includes('events/s, paused'));
    await bank.client.call('resumeProjection', { params: { name: 'holds' } });
    expect(await waiting).toMatchObject({ code: 0, stdout: expect.stringContaining('are served') });
  });
});

describe('a restart', () => {
  onOneBank();

  it('in the middle of a rebuild lets it go on', async () => {
    const account = await openAccount(bank.client, { owner_id: await registerAlice(bank.client) });
    for (let n = 0; n < 20; n += 1) await bank.client.call('deposit', { body: posting(account, '1.00') });
    await caughtUp();
    await bank.client.call('pauseProjection', { params: { name: 'accounts' } });
    await bank.client.call('rebuildProjection', { params: { name: 'accounts' } });
    await eventually('the rebuild', () => isBeingRebuilt('bank_accounts'));
    await bank.close();
    bank = await startBank({ dataDir: directory.file('bank') });
    expect(await status('bank_accounts')).toMatchObject({
      state: 'paused',
      rebuild: { reason: 'requested' },
    });
    await bank.client.call('resumeProjection', { params: { name: 'accounts' } });
    await eventually('the swap', async () => !(await isBeingRebuilt('bank_accounts')));
    const { body } = await bank.client.call('getAccount', { params: { id: account } });
    expect(body.balance).toBe('20.00');
  });
});
