/** Projections as they stood at a time, of processes that keep no data directory: the role api on servers. */
import { mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAccount } from '../support/customers.ts';
import { serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { documentsOf, folded } from './past-projections.cases.ts';
import { startService } from './service-process.ts';

const missing = await serverStoresMissing();

describe.skipIf(missing !== undefined)(`past projections of the role api ${missing ?? ''}`, () => {
  it('lie in the place for temporary files, and are removed after a crash', async () => {
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const stores = await startServerStores();
    onTestFinished(() => stores.stop());
    const TMPDIR = directory.file('tmp');
    mkdirSync(TMPDIR);
    const places = () => readdirSync(TMPDIR).filter((name) => name.startsWith('past-projections-'));
    const start = async (name: string) => {
      const own = {
        OPENBANK_ROLE: 'api',
        OPENBANK_DATA_DIR: directory.file(name),
        LOG_LEVEL: 'fatal',
        TMPDIR,
      };
      const service = await startService({ ...stores.settings, ...own });
      onTestFinished(async () => void (await service.end('SIGKILL')));
      return service;
    };
    const first = await start('api-1');
    const account = await openAccount(first.client);
    // Nobody keeps the read models: the documents come from the events alone.
    const { id } = await folded(first, { projection: 'bank_accounts' });
    const [found] = await documentsOf(first, id);
    expect([found?.key, found?.document?.status]).toEqual([account, 'ACTIVE']);
    const second = await start('api-2');
    const unknown = await second.client.refused('getPastProjection', { params: { id } });
    expect(unknown.problem.code).toBe('past_projection_not_found');
    // The first one lives.
    expect(await documentsOf(first, id)).toHaveLength(1);
    await first.end('SIGKILL');
    expect(places()).toHaveLength(2);
    await start('api-3');
    expect(places()).toEqual([]);
  });
});
