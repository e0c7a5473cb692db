/** Backups of a bank at work, the bank that a restore makes of one, and what the gauges tell meanwhile. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { restoreStore } from '../../src/store-tools/back-up-stores.ts';
import { verifyReadModels } from '../../src/store-tools/verify-read-models.ts';
import { CloudEventSink } from '../support/cloud-event-sink.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { bankIn, files, finishedBackup, gaugesOf } from './backed-up-bank.ts';

it('gauges tell when the newest was verified, and whether all is well', async () => {
  const { file } = await files();
  const bank = await bankIn(file('data'), { OPENBANK_BACKUP_DIR: file('backup') });
  expect(await gaugesOf(bank)).toEqual({ verified: undefined, failing: 0 });
  await openAccount(bank.client);
  const { list } = await finishedBackup(bank);
  const verifiedAt = Date.parse(String(list.items[0]?.verified_at)) / 1_000;
  await eventually('a newer page', async () => (await gaugesOf(bank)).verified !== undefined);
  expect(await gaugesOf(bank)).toEqual({ verified: verifiedAt, failing: 0 });
  const [manifest = ''] = readdirSync(file('backup')).filter((name) => name.endsWith('.json'));
  writeFileSync(join(file('backup'), manifest), '{}');
  await eventually('a page that says so', async () => (await gaugesOf(bank)).failing === 1);
});

it('the routes make them while the bank runs; what is restored is another store, and publishes nothing again', async () => {
  const { file } = await files();
  const sink = await CloudEventSink.start();
  onTestFinished(() => sink.goAway());
  const settings = { CLOUD_EVENT_SINK: sink.url, OPENBANK_BACKUP_DIR: file('backup') };
  const bank = await bankIn(file('data'), settings);
  const account = await openAccount(bank.client);
  const { token } = await bank.client.call('deposit', { body: posting(account, '5.00') });
  await eventually('three published events', () => sink.received.length === 3);
  // Its checkpoint is written a moment later.
  await eventually('a backup that knows what was published', async () => {
    const { list } = await finishedBackup(bank);
    expect(list).toMatchObject({ configured: true, last_failure: null, damage: null });
    expect(list.items[0]).toMatchObject({ number: list.items.length, events: 3 });
    return list.items.length >= 2;
  });
  await bank.client.call('deposit', { body: posting(account, '1000.00') });
  await eventually('a fourth published event', () => sink.received.length === 4);
  await bank.close();

  const restored = loadConfig({ OPENBANK_DATA_DIR: file('restored') });
  await restoreStore(restored, file('backup'), undefined);
  const again = await bankIn(file('restored'), settings);
  const refused = await again.client.try('getAccount', { params: { id: account }, token });
  expect(refused).toMatchObject({ ok: false, problem: { code: 'foreign_consistency_token' } });
  const { body, token: newToken } = await again.client.call('deposit', { body: posting(account, '7.00') });
  expect(body.balance).toBe('12.00');
  const { body: read } = await again.client.call('getAccount', {
    params: { id: account },
    token: newToken,
  });
  expect(read.balance).toBe('12.00');
  await eventually('the new event at the sink', () => sink.received.length >= 5);
  expect(sink.received).toHaveLength(5);
  expect(new Set(sink.received.map(({ id }) => id)).size).toBe(5);
  const { projections } = await verifyReadModels(restored);
  expect(projections.map(({ notCompared, differenceCount }) => [notCompared, differenceCount])).toEqual(
    projections.map(() => [undefined, 0]),
  );
  const other = await finishedBackup(again);
  expect(other.list.last_failure).toMatchObject({ code: 'invalid_request' });
  expect(other.list.last_failure?.detail).toContain('A restored bank is another store');
});
