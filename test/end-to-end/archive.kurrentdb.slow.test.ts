/** The archive of a KurrentDB: the one that `KURRENTDB_TEST_URL` names, or else the double. */
import { rmSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { collect } from '../support/event-builders.ts';
import { startBank } from '../support/running-bank.ts';
import { KurrentDbStandIn } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeArchive } from './archive.cases.ts';

const { KURRENTDB_TEST_URL } = process.env;

describeArchive('on KurrentDB', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const server = KURRENTDB_TEST_URL ? undefined : await KurrentDbStandIn.start();
  onTestFinished(() => server?.stop());
  const url = server?.url ?? String(KURRENTDB_TEST_URL);
  const archiveDir = directory.file('archive');
  const dataDir = directory.file('data');
  const settings = { OPENBANK_EVENT_STORE: url, OPENBANK_ARCHIVE_DIR: archiveDir };
  return {
    locations: { eventStore: { kind: 'kurrentdb', url }, archiveDir },
    file: (name) => directory.file(name),
    start: (hooks) => startBank({ dataDir, settings, ...(hooks && { hooks }) }),
    async forgetReadModels() {
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(`${dataDir}/read-models.db${suffix}`, { force: true });
    },
    async removeForGood(streams) {
      await server?.scavenge();
      const store = await openKurrentDbEventStore(url);
      const log = await collect(store.readAll());
      await store.close();
      for (const stream of streams) {
        const types = log.filter((event) => event.stream === stream).map(({ type }) => type);
        // A real server has its own time for a scavenge.
        if (server) expect(types).toEqual(['BankAccountBooksClosedDomainEventV1']);
      }
    },
  };
});
