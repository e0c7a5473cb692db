/** Time travel on the embedded store. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import { newId } from '../../src/new-id.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeTimeTravel } from './time-travel.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeTimeTravel('embedded', (seed) => startSeededBank(directory.file('bank'), seed));

it('names an event whose content is damaged, and tells of the revisions before it', async () => {
  const id = newId();
  const stream = bankAccountStream(id);
  const bank = await startSeededBank(directory.file('damaged'), async (store) => {
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id });
    const events = [created(newId()), posted(newId(), usd('CREDIT', '1.00', '1.00'))];
    const written = events.map(({ type, data }) => newEvent({ type, data, metadata }));
    await mustAppend(store, stream, written, 'no_stream');
  });
  onTestFinished(() => bank.close());
  const db = new DatabaseSync(join(directory.file('damaged'), 'events.db'));
  db.exec(`UPDATE events SET data = '{"amou' WHERE revision = 1`);
  db.close();
  const at = (query: string) => ({ params: { id }, query });
  const { body } = await bank.client.call('getAccountBalance', at('revision=0'));
  expect(body.balance).toBe('0.00');
  for (const query of ['revision=1', 'at=2026-02-01T00:00:00Z', '']) {
    const { status, problem } = await bank.client.refused('getAccountBalance', at(query));
    expect([status, problem]).toMatchObject([500, { code: 'event_unreadable', stream, revision: 1 }]);
  }
});
