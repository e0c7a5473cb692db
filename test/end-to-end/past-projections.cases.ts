/** Projections as they stood at a time, over HTTP: against the live read models, and against what the command line tells. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReadModelReader } from '../../src/composition/open-stores.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import type { PastDocument, PastProjection } from '../../src/http/schemas/past-projections.ts';
import { newId } from '../../src/new-id.ts';
import { projections } from '../../src/projections/index.ts';
import { runInProcess } from '../cli/in-process.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { posting } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { livelyAccount } from '../support/lively-account.ts';
import type { RunningBank } from '../support/running-bank.ts';

const LIMIT_CHANGED = 'BankAccountOverdraftLimitChangedDomainEventV1';
const POSTED = 'BankAccountTransactionRecordedDomainEventV1';

/** Nothing in a URL that does not mean something. */
const ODD_REFERENCE = 'a/b?c=d&e#f %2F..+"ü"語';

export interface PastBank {
  readonly bank: RunningBank;
  /** With which the command line finds the same store. */
  readonly settings: Readonly<Record<string, string>>;
  /** File with the live documents. */
  readonly readModels: string;
}

/** Folds one to its end. */
export async function folded(
  { client }: Pick<RunningBank, 'client'>,
  body: { projection: string; at?: string },
): Promise<PastProjection> {
  const begun = await client.call('startPastProjection', { body });
  expect(begun.headers.get('location')).toBe(`/admin/past-projections/${begun.body.id}`);
  return ended({ client }, begun.body.id);
}

export async function ended({ client }: Pick<RunningBank, 'client'>, id: string): Promise<PastProjection> {
  let past = (await client.call('getPastProjection', { params: { id } })).body;
  await eventually('the end of the fold', async () => {
    past = (await client.call('getPastProjection', { params: { id } })).body;
    return past.state !== 'RUNNING';
  });
  return past;
}

/** Page by page. */
export async function documentsOf(
  { client }: Pick<RunningBank, 'client'>,
  id: string,
  limit = 200,
): Promise<PastDocument[]> {
  const items: PastDocument[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await client.call('listPastDocuments', { params: { id }, query: { limit, cursor } });
    expect(body.items.length).toBeLessThanOrEqual(limit);
    items.push(...body.items);
    cursor = body.next_cursor;
  } while (cursor !== undefined);
  return items;
}

/** @param start starts a bank after `seed` has written into its store */
export function describePastProjections(
  what: string,
  compared: readonly string[],
  start: (seed: (store: EventStore) => Promise<void>) => Promise<PastBank>,
): void {
  describe(`past projections, ${what}`, () => {
    const broken = newId();
    let past: PastBank;
    let bank: RunningBank;
    let account: string;
    beforeAll(async () => {
      past = await start((store) => writeBroken(store, broken));
      bank = past.bank;
      account = await livelyAccount(bank);
      const body = { ...posting(account, '1.00'), external_reference: ODD_REFERENCE };
      await bank.client.call('deposit', { body });
      await eventually('read models that have seen all', async () => {
        const { items } = (await bank.client.call('listProjections')).body;
        return items.every(({ lag_events, lag_ms }) => (lag_events ?? lag_ms) === 0);
      });
    });
    afterAll(() => bank?.close());

    it.each(compared)('are what is served, without a time (%s)', async (name) => {
      const collection = projections.find((one) => one.name === name);
      if (!collection) throw new Error(`there is no projection ${name}`);
      const { id, ...told } = await folded(bank, { projection: name });
      expect(told).toMatchObject({ state: 'FINISHED', at: null, percent: 100, error: null });
      const documents = await documentsOf(bank, id);
      expect([documents.length, told.documents]).toEqual([told.documents, documents.length]);
      expect(documents.length).toBeGreaterThan(0);
      const live = await openReadModelReader({ kind: 'file', path: past.readModels });
      try {
        for (const { key, document, blocked } of documents) {
          const { document: served = null, blocked: isBlocked } =
            (await live.readModels.get(collection, key)) ?? {};
          expect({ key, document, blocked }).toEqual({ key, document: served, blocked: isBlocked });
        }
        const listed = collection.listed
          ? await live.readModels.find(collection, { order: 'oldest_first', limit: 1_000 })
          : [];
        if (collection.listed) expect(documents.map(({ key }) => key)).toEqual(listed.map(({ key }) => key));
      } finally {
        await live.close();
      }
    });

    it('are what the command line tells of the same time, page by page and one by one', async () => {
      const { items } = (await bank.client.call('listAccountEvents', { params: { id: account } })).body;
      const third = items[3];
      const at = String(third?.metadata.timestamp);
      const { id, ...told } = await folded(bank, { projection: 'bank_accounts', at });
      expect(told).toMatchObject({ state: 'FINISHED', at, dead_letters: 2 });
      const letter = { document_key: broken, stream: bankAccountStream(broken) };
      expect(told.first_dead_letters).toEqual([
        { ...letter, revision: 1, event_type: LIMIT_CHANGED, cause: expect.any(String) },
        { ...letter, revision: 2, event_type: POSTED, cause: 'waits_for_earlier' },
      ]);
      const documents = await documentsOf(bank, id, 1);
      const args = ['project', 'bank_accounts', '--at', at, '--json', '--limit', '1000'];
      const { stdout } = await runInProcess(args, past.settings);
      const lines = stdout.trim().split('\n');
      expect(documents).toEqual(lines.map((line) => ({ blocked: false, ...JSON.parse(line) })));
      const revisions = documents.map(({ key, document, blocked }) => [key, document?.revision, blocked]);
      expect(revisions).toContainEqual([account, third?.revision, false]);
      expect(revisions).toContainEqual([broken, 0, true]);
      const params = { id, key: account };
      expect((await bank.client.call('getPastDocument', { params })).body).toEqual(
        documents.find(({ key }) => key === account),
      );
      const unknown = await bank.client.refused('getPastDocument', { params: { id, key: newId() } });
      expect(unknown.problem.code).toBe('document_not_found');
    });

    it('are empty before the first event, in whatever offset that is told', async () => {
      const told = await folded(bank, { projection: 'bank_accounts', at: '2025-12-31t23:59:59.999-00:00' });
      expect(told).toMatchObject({ state: 'FINISHED', at: '2025-12-31T23:59:59.999Z', documents: 0 });
      expect(told.events).toBeGreaterThan(10);
      expect(await documentsOf(bank, told.id)).toEqual([]);
    });

    it('have documents under any key', async () => {
      const { id } = await folded(bank, { projection: 'external_references' });
      const key = `${account}/${ODD_REFERENCE}`;
      const { body } = await bank.client.call('getPastDocument', { params: { id, key } });
      expect(body).toMatchObject({ key, document: { external_reference: ODD_REFERENCE } });
    });

    it('take no cursor of another list', async () => {
      const [newest, ...older] = (await bank.client.call('listPastProjections')).body.items;
      const other = older.find(({ documents }) => Number(documents) > 1);
      const page = { params: { id: String(other?.id) }, query: { limit: 1 } };
      const { next_cursor } = (await bank.client.call('listPastDocuments', page)).body;
      for (const cursor of [String(next_cursor), 'x', '', '%00', 'cGFzdA']) {
        const request = { params: { id: String(newest?.id) }, query: { cursor } };
        const refused = await bank.client.refused('listPastDocuments', request);
        expect([refused.status, refused.problem.code]).toEqual([422, 'invalid_cursor']);
      }
    });
  });
}

/** An account that was opened on the first of January, with an event that cannot be folded. */
async function writeBroken(store: EventStore, id: string): Promise<void> {
  const metadata = newMetadata({
    aggregate_type: 'BankAccount',
    aggregate_id: id,
    timestamp: '2026-01-01T00:00:00.000Z',
  });
  const limit = { old_limit: '0.00', new_limit: 'much' };
  const events = [
    created(newId()),
    { type: LIMIT_CHANGED, data: limit },
    posted(newId(), usd('CREDIT', '1.00', '1.00')),
  ];
  const written = events.map(({ type, data }) => newEvent({ type, data, metadata }));
  await mustAppend(store, bankAccountStream(id), written, 'no_stream');
}
