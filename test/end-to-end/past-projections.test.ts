/** Projections as they stood at a time, on the embedded store. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { newId } from '../../src/new-id.ts';
import { eventually } from '../support/eventually.ts';
import { startBank } from '../support/running-bank.ts';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describePastProjections, folded } from './past-projections.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describePastProjections('embedded', ['bank_accounts'], async (seed) => {
  const dataDir = directory.file('bank');
  const bank = await startSeededBank(dataDir, seed);
  return {
    bank,
    settings: { OPENBANK_DATA_DIR: dataDir },
    readModels: join(dataDir, 'read-models.db'),
  };
});

const PLACE = /^past-projections-/;

function filesIn(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) => PLACE.test(name));
}

describe('past projections', () => {
  it('leave nothing when they are ended or the bank is, and what a crash left is gone at the start', async () => {
    const dataDir = directory.file('ending');
    const leftover = join(dataDir, `past-projections-${newId()}`);
    mkdirSync(leftover, { recursive: true });
    writeFileSync(join(leftover, 'read-models.db'), 'from before a crash');
    writeFileSync(`${leftover}.lock`, '');
    const bank = await startBank({ dataDir });
    onTestFinished(() => bank.close());
    const { client } = bank;
    expect(filesIn(dataDir)).toEqual([]);

    const { id } = (await client.call('startPastProjection', { body: { projection: 'persons' } })).body;
    const params = { id };
    await eventually('its file', () =>
      filesIn(dataDir).some((name) => name.endsWith(`${id}/read-models.db`)),
    );
    expect((await client.call('removePastProjection', { params })).status).toBe(204);
    expect(filesIn(dataDir).filter((name) => name.includes(id))).toEqual([]);
    for (const operation of ['getPastProjection', 'listPastDocuments', 'removePastProjection'] as const) {
      const { problem } = await client.refused(operation, { params });
      expect(problem.code).toBe('past_projection_not_found');
    }

    const finished = await folded(bank, { projection: 'persons' });
    const files = () => filesIn(dataDir).filter((name) => name.includes(finished.id));
    expect(files().some((name) => name.endsWith('read-models.db'))).toBe(true);
    await client.call('removePastProjection', { params: { id: finished.id } });
    expect(files()).toEqual([]);

    await client.call('startPastProjection', { body: { projection: 'persons' } });
    await bank.close();
    expect(filesIn(dataDir)).toEqual([]);
  });
});
