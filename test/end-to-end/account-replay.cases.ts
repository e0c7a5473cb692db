/** Replaying an account over HTTP: one that is well, and one whose stream was forged. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { livelyAccount } from '../support/lively-account.ts';
import type { RunningBank } from '../support/running-bank.ts';

/** What no bank of this program writes, between events that it could have written. */
const FORGED: readonly { readonly type: string; readonly data: object }[] = [
  created(newId()),
  posted(newId(), usd('CREDIT', '10.00', '10.00')),
  posted(newId(), usd('DEBIT', '15.00', '-5.00')),
  { type: 'BankAccountTeleportedDomainEventV9', data: {} },
  { type: 'BankAccountCreatedDomainEventV1', data: { owner_id: newId(), overdraft_limit: 'a lot' } },
  posted(newId(), usd('CREDIT', 'much', '1.00')),
  posted(newId(), { ...usd('CREDIT', '1.00', '1.00'), balance: undefined as never }),
  posted(newId(), usd('CREDIT', '4.00', '0.00')),
  posted(newId(), usd('CREDIT', '1.00', '1.00')),
];

/** @param start starts a bank after `seed` has written into its store */
export function describeAccountReplay(
  where: string,
  start: (seed: (store: EventStore) => Promise<void>) => Promise<RunningBank>,
): void {
  describe(`the replay of an account, ${where}`, () => {
    const forged = newId();
    let bank: RunningBank;
    let lively: string;
    beforeAll(async () => {
      bank = await start((store) => forgeAccount(store, forged, FORGED));
      lively = await livelyAccount(bank);
    });
    afterAll(() => bank?.close());

    const replayed = async (id: string, query = '') =>
      (await bank.client.call('getAccountReplay', { params: { id }, query })).body;

    it('shows each event of an account that is well, its state before and after, and nothing broken', async () => {
      const { account_id, from, to, items, next_cursor } = await replayed(lively, 'limit=200');
      const events = await bank.client.call('listAccountEvents', {
        params: { id: lively },
        query: 'limit=200',
      });
      expect([account_id, from, next_cursor]).toEqual([lively, 0, undefined]);
      expect(to).toBe(items.length - 1);
      expect(
        items.map(({ event_id, revision, position, at, type, data }) => [
          event_id,
          revision,
          position,
          at,
          type,
          data,
        ]),
      ).toEqual(
        events.body.items.map(({ id, revision, position, metadata, type, data }) => [
          id,
          revision,
          position,
          metadata.timestamp,
          type,
          data,
        ]),
      );
      expect(items.flatMap(({ findings, today }) => [...findings, ...(today ? [today] : [])])).toEqual([]);
      expect(items[0]?.before).toBeNull();
      for (const [index, { revision, after }] of items.entries()) {
        if (index > 0) expect(items[index]?.before).toEqual(items[index - 1]?.after);
        const then = await bank.client.call('getAccountState', {
          params: { id: lively },
          query: { revision },
        });
        expect(then.body).toMatchObject(after ?? {});
      }
    });

    it('asks the rules of today when it is told to', async () => {
      const { items } = await replayed(lively, 'rules=current');
      const kinds = items.map(({ today }) => today?.kind);
      expect(kinds.filter((kind) => kind !== 'same')).toEqual(['not_judged']);
      const { items: odd } = await replayed(forged, 'rules=current&from=2&to=2');
      expect(odd[0]?.today).toMatchObject({ kind: 'refused', code: 'insufficient_funds' });
    });

    it('gives the same steps on pages of any size, of a part of the stream too', async () => {
      const whole = await replayed(lively, 'limit=200&from=3&to=11');
      expect(whole.items.map(({ revision }) => revision)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
      for (const limit of [1, 4, 9]) {
        const steps: unknown[] = [];
        let pages = 0;
        for (let cursor: string | undefined = '3'; cursor !== undefined; pages += 1) {
          const page = await replayed(lively, `limit=${limit}&from=3&to=11&cursor=${cursor}`);
          expect([page.from, page.to]).toEqual([3, 11]);
          steps.push(...page.items);
          cursor = page.next_cursor;
        }
        expect([pages, steps]).toEqual([Math.ceil(9 / limit), whole.items]);
      }
    });

    it('names what broke, where it broke, and goes on behind it', async () => {
      const { items } = await replayed(forged);
      const found = items.flatMap(({ revision, findings }) => findings.map(({ code }) => [revision, code]));
      expect(found).toEqual([
        [2, 'overdrawn'],
        [3, 'unknown_event_type'],
        [4, 'failing_upcast'],
        [5, 'not_applicable'],
        [6, 'malformed'],
      ]);
      expect(items.map(({ after }) => after?.balance)).toEqual([
        '0.00',
        '10.00',
        '-5.00',
        '-5.00',
        '-5.00',
        '-5.00',
        '-4.00',
        '0.00',
        '1.00',
      ]);
      const judged = await replayed(forged, 'rules=current');
      expect(judged.items.slice(3, 6).map(({ today }) => today?.kind)).toEqual([
        'not_judged',
        'not_judged',
        'not_judged',
      ]);
    });

    it('shows only what is remarkable, each step once, whatever the size of a page', async () => {
      const revisions: number[] = [];
      for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
        const page = await replayed(forged, `findings_only=true&limit=2&cursor=${cursor}`);
        expect(page.items.length).toBeLessThanOrEqual(2);
        revisions.push(...page.items.map(({ revision }) => revision));
        cursor = page.next_cursor;
      }
      expect(revisions).toEqual([2, 3, 4, 5, 6]);
      expect((await replayed(lively, 'findings_only=true')).items).toEqual([]);
      // Today's rules name the account that money went to, which these do not.
      const differing = await replayed(forged, 'findings_only=true&rules=current&from=7');
      expect(differing.items.map(({ revision, today }) => [revision, today?.kind])).toEqual([
        [7, 'otherwise'],
        [8, 'otherwise'],
      ]);
      expect((await replayed(forged, 'findings_only=true&from=7')).items).toEqual([]);
    });

    it('says which revision is the newest when it is asked for a later one', async () => {
      for (const field of ['from', 'to']) {
        const options = { params: { id: forged }, query: `${field}=9` };
        const { problem } = await bank.client.refused('getAccountReplay', options);
        expect(problem).toMatchObject({ code: 'revision_not_found', last_revision: 8 });
      }
    });
  });
}

/** Writes these events as those of an account. */
export async function forgeAccount(
  store: EventStore,
  id: string,
  events: readonly { readonly type: string; readonly data: object }[],
): Promise<void> {
  const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id });
  const written = events.map(({ type, data }) => newEvent({ type, data, metadata }));
  await mustAppend(store, bankAccountStream(id), written, 'no_stream');
}
