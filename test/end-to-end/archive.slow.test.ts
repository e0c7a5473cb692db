/** The archive of the embedded store. */
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished } from 'vitest';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeArchive } from './archive.cases.ts';

describeArchive('embedded', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const dataDir = directory.file('bank');
  return {
    locations: {
      eventStore: { kind: 'file', path: directory.file('bank/events.db') },
      archiveDir: directory.file('bank/archive'),
    },
    file: (name) => directory.file(name),
    start: (hooks) => startBank({ dataDir, ...(hooks && { hooks }) }),
    async forgetReadModels() {
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(`${dataDir}/read-models.db${suffix}`, { force: true });
    },
    async removeForGood(streams) {
      // They went when they were cut: nothing but the closed books is left of each.
      const db = new DatabaseSync(`${dataDir}/events.db`, { readOnly: true });
      const rows = db.prepare(
        `SELECT t.name AS type FROM events e JOIN streams s ON s.id = e.stream JOIN types t ON t.id = e.type
         WHERE s.name = ? ORDER BY e.revision`,
      );
      for (const stream of streams) {
        expect(rows.all(stream)).toEqual([{ type: 'BankAccountBooksClosedDomainEventV1' }]);
      }
      db.close();
    },
  };
});
