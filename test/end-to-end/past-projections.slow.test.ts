/** All projections as they stood at a time, on the embedded store, and a service that is killed over one. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { projections } from '../../src/projections/index.ts';
import { openAccount } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describePastProjections, folded } from './past-projections.cases.ts';
import { startService } from './service-process.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const names = projections.map(({ name }) => name);

describePastProjections('embedded, all of them', names, async (seed) => {
  const dataDir = directory.file('bank');
  const bank = await startSeededBank(dataDir, seed);
  return {
    bank,
    settings: { OPENBANK_DATA_DIR: dataDir },
    readModels: join(dataDir, 'read-models.db'),
  };
});

it('what a service leaves that is killed is gone when the next one has started, and is asked for anew', async () => {
  const dataDir = directory.file('killed');
  const places = () => readdirSync(dataDir).filter((name) => name.startsWith('past-projections-'));
  const settings = { OPENBANK_DATA_DIR: dataDir, LOG_LEVEL: 'fatal' };
  const first = await startService(settings);
  onTestFinished(async () => void (await first.end('SIGKILL')));
  await openAccount(first.client);
  const { id, documents } = await folded(first, { projection: 'bank_accounts' });
  expect(documents).toBe(1);
  await first.client.call('startPastProjection', { body: { projection: 'bank_accounts' } });
  await eventually('a second directory', () => {
    const [place = ''] = places();
    return readdirSync(join(dataDir, place)).length === 2;
  });
  await first.end('SIGKILL');
  expect(places()).toHaveLength(2);
  const second = await startService(settings);
  onTestFinished(async () => void (await second.end()));
  expect(places()).toEqual([]);
  const refused = await second.client.refused('getPastProjection', { params: { id } });
  expect(refused.problem.code).toBe('past_projection_not_found');
  expect((await folded(second, { projection: 'bank_accounts' })).documents).toBe(1);
});
