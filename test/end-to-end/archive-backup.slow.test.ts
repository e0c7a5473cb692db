/** Backups of a bank with an archive: all events are in them, and a restored bank has them in its store again. */
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { backUpStore, type RestorePoint, restoreStore } from '../../src/store-tools/back-up-stores.ts';
import { exportStore } from '../../src/store-tools/move-stores.ts';
import { livelyAccount } from '../support/lively-account.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { archive, quiet } from './archive.cases.ts';

it('a backup has what the archive holds, whenever it was begun', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const bankIn = (name: string) => loadConfig({ OPENBANK_DATA_DIR: directory.file(name) });
  const bank = await startBank({ dataDir: directory.file('bank') });
  onTestFinished(() => bank.close());
  await livelyAccount(bank);
  await quiet(bank);
  const early = await backUpStore(bankIn('bank'), directory.file('early'));
  expect(await archive(bank)).toMatchObject({ state: 'FINISHED', accounts: 1 });
  await quiet(bank);
  await backUpStore(bankIn('bank'), directory.file('early'));
  await backUpStore(bankIn('bank'), directory.file('late'));
  const whole = await exportStore(bankIn('bank'), directory.file('whole'));
  await bank.close();

  const restored = async (backup: string, name: string, to?: RestorePoint) => {
    await restoreStore(bankIn(name), directory.file(backup), to);
    return exportStore(bankIn(name), directory.file(`${name}.exported`));
  };
  const { events, digest } = whole;
  expect(await restored('early', 'from-early')).toMatchObject({ events, digest });
  expect(await restored('late', 'from-late')).toMatchObject({ events, digest });
  const before = await restored('late', 'before-the-cut', { position: early.run.last_position as bigint });
  expect(before).toMatchObject({ events: early.run.events, digest: early.run.digest });
  expect(settingsIn(directory.file('from-late/events.db'))).toEqual([]);
});

/** Streams that are cut off, or say that they are to be; snapshots keep to their own number. */
function settingsIn(path: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare("SELECT name FROM streams WHERE first_revision > 0 OR metadata LIKE '%truncateBefore%'")
      .all();
  } finally {
    db.close();
  }
}
