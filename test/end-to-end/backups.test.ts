/** Backups over the API, one at a time. A whole life of them is in `backups.slow.test.ts`. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAccount } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { bankIn, files, finishedBackup, gaugesOf } from './backed-up-bank.ts';

describe('the routes of backups', () => {
  it('tell of a directory that cannot be made, and take the next request', async () => {
    const { file } = await files();
    const bank = await bankIn(file('data'), { OPENBANK_BACKUP_DIR: '/proc/openbank' });
    for (let tries = 0; tries < 2; tries += 1) {
      const { list } = await finishedBackup(bank);
      expect(list.last_failure).toMatchObject({ code: 'unavailable' });
      expect(list.last_failure?.detail).toMatch(/^\/proc\/openbank cannot be made \(E[A-Z]+\)\.$/);
    }
    expect((await gaugesOf(bank)).failing).toBe(1);
  });

  it('make one at a time, and say what became of one that failed', async () => {
    const { file } = await files();
    const bank = await bankIn(file('data'), { OPENBANK_BACKUP_DIR: file('backup') });
    await openAccount(bank.client);
    await bank.client.call('startBackup');
    const second = await bank.client.try('startBackup');
    expect(second).toMatchObject({ ok: false, problem: { status: 409, code: 'backup_in_progress' } });
    await eventually('the end of the first', async () => {
      return (await bank.client.call('listBackups')).body.running === null;
    });
    const [segment = ''] = readdirSync(join(file('backup'), 'events'));
    writeFileSync(join(file('backup'), 'events', segment), 'not what it was');
    const { list } = await finishedBackup(bank);
    expect(list.last_failure).toMatchObject({ code: 'corrupt' });
    expect(list.last_failure?.detail).toContain('its checksum is not the one in its name');
    expect(list.items).toHaveLength(1);
    writeFileSync(join(file('backup'), 'backup.json'), '{}');
    expect((await bank.client.call('listBackups')).body).toMatchObject({
      items: [],
      damage: expect.stringContaining('backup.json is damaged'),
    });
  });

  it('refuse where there is no directory for them, and have no gauges there', async () => {
    const { file } = await files();
    const bank = await bankIn(file('data'), {});
    const refused = await bank.client.try('startBackup');
    expect(refused).toMatchObject({ ok: false, problem: { status: 409, code: 'backups_not_configured' } });
    expect((await bank.client.call('listBackups')).body).toMatchObject({ configured: false, items: [] });
    // Nobody is to be woken for want of what nobody asked for.
    expect(await gaugesOf(bank)).toEqual({ verified: undefined, failing: undefined });
  });
});
