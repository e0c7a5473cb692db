/** The check that read models and events agree: silent where they do, and telling where they do not. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type VerifyReport, verifyReadModels } from '../../src/store-tools/verify-read-models.ts';
import { openAccount, posting } from '../support/customers.ts';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function of({ projections }: VerifyReport, name: string) {
  return projections.find(({ projection }) => projection === name);
}

it('finds nothing while a bank runs; later a document that was changed, one that is gone and one too many', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const dataDir = directory.file('bank');
  const bank = await startBank({ dataDir });
  onTestFinished(() => bank.close());
  const [changed, gone] = [await openAccount(bank.client), await openAccount(bank.client)];
  const body = posting(changed, '5.00');
  const writers = Array.from({ length: 50 }, () => bank.client.call('deposit', { body }));
  const config = loadConfig({ OPENBANK_DATA_DIR: dataDir });
  const whileWriting = await verifyReadModels(config);
  await Promise.all(writers);
  const agreed = await verifyReadModels(config);
  for (const report of [whileWriting, agreed]) {
    expect(report.projections.map((one) => [one.projection, one.notCompared, one.differences])).toEqual(
      report.projections.map(({ projection }) => [projection, undefined, []]),
    );
  }
  expect(of(agreed, 'bank_accounts')).toMatchObject({ equal: 2, moving: 0 });
  expect(of(agreed, 'transactions')).toMatchObject({ equal: 50, moving: 0 });
  await bank.close();

  const db = new DatabaseSync(join(dataDir, 'read-models.db'));
  const tables = db.prepare(
    "SELECT name FROM sqlite_schema WHERE name LIKE 'collection_bank_accounts_%' AND type = 'table'",
  );
  const { name } = tables.get() as { name: string };
  db.prepare(`UPDATE ${name} SET document = json_set(document, '$.balance', '1000000.00') WHERE key = ?`).run(
    changed,
  );
  db.prepare(`UPDATE ${name} SET key = 'forged' WHERE key = ?`).run(gone);
  db.close();
  const found = of(await verifyReadModels(config), 'bank_accounts');
  expect(found?.differenceCount).toBe(3);
  expect(found?.differences).toEqual(
    expect.arrayContaining([
      { projection: 'bank_accounts', key: changed, kind: 'different', fields: ['balance'] },
      { projection: 'bank_accounts', key: gone, kind: 'missing', fields: [] },
      { projection: 'bank_accounts', key: 'forged', kind: 'extra', fields: [] },
    ]),
  );
});

it('says why it compares nothing: read models without a bank, behind, or of another log', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const dataDir = directory.file('bank');
  const bank = await startBank({ dataDir });
  await openAccount(bank.client);
  const { body } = await bank.client.call('status');
  expect(body.event_store.events).toBe(2);
  await bank.close();
  const config = loadConfig({ OPENBANK_DATA_DIR: dataDir });
  const change = (sql: string) => {
    const db = new DatabaseSync(join(dataDir, 'read-models.db'));
    db.exec(sql);
    db.close();
  };
  const reasons = async () => {
    const { projections } = await verifyReadModels(config);
    return new Set(projections.map(({ notCompared }) => notCompared));
  };
  change('UPDATE checkpoints SET position = 1');
  expect(await reasons()).toEqual(new Set(['behind']));
  change('UPDATE checkpoints SET position = 3');
  expect(await reasons()).toEqual(new Set(['beyond_the_log']));
  change('DELETE FROM live_builds');
  expect(await reasons()).toEqual(new Set(['not_filled']));
});
