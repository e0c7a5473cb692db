/** A bank on files that makes backups, for tests of them over the API. */
import { expect, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export async function bankIn(dataDir: string, settings: Record<string, string>): Promise<RunningBank> {
  const bank = await startBank({ dataDir, settings });
  onTestFinished(() => bank.close());
  return bank;
}

export async function files() {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  return directory;
}

export async function finishedBackup({ client }: RunningBank) {
  const { body: begun } = await client.call('startBackup');
  let list = (await client.call('listBackups')).body;
  await eventually('the end of the backup', async () => {
    list = (await client.call('listBackups')).body;
    return list.running === null;
  });
  expect(list.running).toBeNull();
  return { begun, list };
}

const VERIFIED = 'openbank_backup_verified_timestamp_seconds';
const FAILING = 'openbank_backup_failing';

export async function gaugesOf({ client }: RunningBank) {
  const page = new MetricsPage((await client.call('metrics')).body);
  return { verified: page.value(VERIFIED), failing: page.value(FAILING) };
}
