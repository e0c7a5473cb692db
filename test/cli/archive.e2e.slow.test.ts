/** `archive`: from the command line, against a bank that runs, and beside it. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { livelyAccount } from '../support/lively-account.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { cliOn } from './in-process.ts';
import type { Outcome } from './run-cli.ts';

const directory = temporaryDirectory();
const dataDir = directory.file('data');
let bank: RunningBank;
let cli: (...args: string[]) => Promise<Outcome>;
beforeAll(async () => {
  bank = await startBank({ dataDir });
  cli = cliOn(bank.url, dataDir);
  const id = await livelyAccount(bank);
  const { token } = await bank.client.call('deposit', {
    body: { account_id: id, amount: '1.00', description: 'x' },
  });
  await bank.client.call('listAccounts', { token });
});
afterAll(async () => {
  await bank.close();
  directory.remove();
});

it('counts, archives, tells what there is, and checks it', async () => {
  const run = ['archive', 'run', '--min-events', '10'];
  expect(await cli('archive', 'verify')).toMatchObject({
    code: 0,
    stdout: 'Volumes that are as they were written: 0\n',
  });
  const counted = await cli(...run, '--dry-run', '--json');
  expect(JSON.parse(counted.stdout)).toMatchObject({
    state: 'FINISHED',
    dry_run: true,
    accounts: 1,
    volume: null,
  });
  expect(await cli('archive', 'status')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('no volumes'),
  });
  const early = await cli(...run, '--up-to', '2020-01-01T00:00:00Z', '--json');
  expect(JSON.parse(early.stdout)).toMatchObject({ state: 'FINISHED', examined: 2, accounts: 0 });
  const done = await cli(...run);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toMatch(/State +FINISHED\n/);
  const status = await cli('archive', 'status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ volume_count: 1, volumes: [{ streams: 1, cut: true }] });
  expect((await cli('archive', 'status')).stdout).toContain(JSON.parse(status.stdout).volumes[0].volume);
  expect((await cli('archive', 'verify')).stdout).toContain('Volumes that are as they were written: 1\n');
});

it('finds damage', async () => {
  const archiveDir = join(dataDir, 'archive');
  const files = readdirSync(archiveDir, { recursive: true, encoding: 'utf8' });
  const segment = files.find((file) => file.endsWith('.ndjson.gz')) as string;
  writeFileSync(join(archiveDir, segment), 'nothing');
  const { code, stdout, stderr } = await cli('archive', 'verify');
  expect([code, stderr]).toEqual([1, expect.stringContaining('Damaged volumes: 1 of 1.')]);
  expect(stdout).toContain('checksum');
});

it.each([
  [['run', '--min-events', '1'], '--min-events must be a whole number from 2 to 1000000000'],
  [['run', '--accounts', 'x'], '--accounts must be a whole number'],
  [['away'], "'archive away'"],
])('archive %j is a mistake', async (args, message) => {
  const outcome = await cli('archive', ...args);
  expect([outcome.code, outcome.stdout]).toEqual([2, '']);
  expect(outcome.stderr).toContain(message);
});

it('is refused where nothing can be archived', async () => {
  const inMemory = await startBank();
  const { code, stderr } = await cliOn(inMemory.url)('archive', 'run');
  await inMemory.close();
  expect([code, stderr]).toEqual([1, expect.stringContaining('OPENBANK_ARCHIVE_DIR')]);
});
