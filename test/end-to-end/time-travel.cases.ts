/** Accounts as they were, over HTTP: a past with known times, and a lively account against the naive fold of its events. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountMoment } from '../../src/application/account-moment.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { type BankAccount, type BankAccountEvent, bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore, NewEvent } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import type { CallOptions } from '../support/bank-client.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { livelyAccount } from '../support/lively-account.ts';
import type { RunningBank } from '../support/running-bank.ts';

const FREEZE: BankAccountEvent = {
  type: 'BankAccountFrozenDomainEventV1',
  data: { scope: 'ALL', reason: 'Court order' },
};

/** The third was decided by a process whose clock was behind. */
const PAST: readonly (readonly [time: string, event: BankAccountEvent])[] = [
  ['2026-01-10T08:00:00.000Z', created(newId(), { overdraft_limit: '50.00' })],
  ['2026-01-10T08:00:01.000Z', posted(newId(), usd('CREDIT', '100.00', '100.00'))],
  ['2026-01-10T08:00:00.500Z', posted(newId(), usd('DEBIT', '30.00', '70.00'))],
  ['2026-01-12T12:00:00.000Z', FREEZE],
  ['2026-01-31T23:59:59.999Z', posted(newId(), usd('CREDIT', '1.00', '71.00'))],
];

type Written = readonly [time: string, event: Pick<NewEvent, 'type' | 'data'>];

const BROKEN: Readonly<Record<string, Written[1]>> = {
  'of an unknown type': { type: 'BankAccountTurnedIntoGoldDomainEventV9', data: {} },
  'that cannot be applied': {
    type: 'BankAccountOverdraftLimitChangedDomainEventV1',
    data: { old_limit: '50.00', new_limit: 'much' },
  },
};
const BROKEN_AT = 2;

/** @param start starts a bank after `seed` has written into its store */
export function describeTimeTravel(
  what: string,
  start: (seed: (store: EventStore) => Promise<void>) => Promise<RunningBank>,
): void {
  describe(`time travel, ${what}`, () => {
    const past = newId();
    const broken = Object.entries(BROKEN).map(([what, event]) => ({ what, event, id: newId() }));
    let bank: RunningBank;
    beforeAll(async () => {
      bank = await start(async (store) => {
        await writePast(store, past);
        for (const { id, event } of broken) {
          const written: Written = ['2026-01-11T00:00:00.000Z', event];
          await writePast(store, id, [...PAST.slice(0, BROKEN_AT), written, ...PAST.slice(BROKEN_AT)]);
        }
      });
    });
    afterAll(() => bank?.close());

    const of = (query: string): CallOptions => ({ params: { id: past }, query });
    const balanceAt = async (at: string) => {
      const { body } = await bank.client.call('getAccountBalance', of(`at=${at}`));
      return [body.balance, body.revision, body.at, body.changed_at];
    };

    const figuresAt = async (at: string) => (await balanceAt(at)).slice(0, 2);

    it('counts an event at exactly the instant, and normalises whatever offset it is asked in', async () => {
      const second = ['70.00', 2, '2026-01-10T08:00:01.000Z', PAST[2]?.[0]];
      expect(await balanceAt('2026-01-10T08:00:01Z')).toEqual(second);
      expect(await balanceAt('2026-01-10T09:00:01.000999%2B01:00')).toEqual(second);
      expect(await balanceAt('2026-01-10T13:45:01.000%2B05:45')).toEqual(second);
      // An offset whose plus sign the URL has taken.
      expect(await balanceAt('2026-01-10T22:00:01+14:00')).toEqual(second);
      expect(await balanceAt('2026-01-10t08:00:01.000-00:00')).toEqual(second);
      expect(await figuresAt('2026-01-31T23:59:59.998Z')).toEqual(['70.00', 3]);
      expect(await figuresAt('2026-01-31T23:59:59.999Z')).toEqual(['71.00', 4]);
    });

    it('lets an event of a clock that was behind count from the event before it on', async () => {
      expect(await figuresAt('2026-01-10T08:00:00.000Z')).toEqual(['0.00', 0]);
      expect(await figuresAt('2026-01-10T08:00:00.999Z')).toEqual(['0.00', 0]);
      expect(await figuresAt('2026-01-10T08:00:01.000Z')).toEqual(['70.00', 2]);
    });

    it('says when the account was opened, and what its newest revision is', async () => {
      const early = await bank.client.refused('getAccountState', of('at=2026-01-10T07:59:59.999Z'));
      expect(early.problem).toMatchObject({
        code: 'account_not_open_yet',
        opened_at: '2026-01-10T08:00:00.000Z',
      });
      const late = await bank.client.refused('getAccountState', of('revision=5'));
      expect(late.problem).toMatchObject({ code: 'revision_not_found', last_revision: 4 });
      const soon = new Date(Date.now() + 60_000).toISOString();
      const future = await bank.client.refused('getAccountBalance', of(`at=${soon}`));
      expect(future.problem).toMatchObject({ code: 'time_in_future', now: expect.any(String) });
    });

    it('shows the full state, and is the newest without a point', async () => {
      const { body } = await bank.client.call('getAccountState', of('revision=2'));
      expect(body).toMatchObject({
        status: 'ACTIVE',
        frozen: null,
        balance: '70.00',
        available_balance: '120.00',
      });
      expect(body.debited).toEqual({ day: '2026-01-10', amount: '30.00' });
      const newest = await bank.client.call('getAccountState', of(''));
      expect(newest.body).toMatchObject({ status: 'SUSPENDED', balance: '71.00', revision: 4, at: null });
      expect(newest.body.changed_at).toBe('2026-01-31T23:59:59.999Z');
    });

    it('tells the difference of two moments, and each event in between with what it changed', async () => {
      const range = 'from=2026-01-10T08:00:01Z&to=2026-01-31T23:59:59.999Z';
      const { body } = await bank.client.call('getAccountChanges', of(range));
      expect(body.changes).toEqual([
        { field: 'status', before: 'ACTIVE', after: 'SUSPENDED' },
        { field: 'frozen', before: null, after: 'ALL' },
        { field: 'balance', before: '70.00', after: '71.00' },
        { field: 'available_balance', before: '120.00', after: '121.00' },
      ]);
      expect([body.from.revision, body.to.revision, body.event_count]).toEqual([2, 4, 2]);
      expect(
        body.events.map(({ revision, changes }) => [revision, changes.map(({ field }) => field)]),
      ).toEqual([
        [3, ['status', 'frozen']],
        [4, ['balance', 'available_balance']],
      ]);
    });

    it('compares with nothing before the opening, and finds nothing where nothing happened', async () => {
      const all = await bank.client.call('getAccountChanges', of('from=2025-12-31T00:00:00Z'));
      expect(all.body.from).toEqual({ at: '2025-12-31T00:00:00.000Z', revision: null, changed_at: null });
      expect(all.body.event_count).toBe(5);
      expect(all.body.changes).toContainEqual({ field: 'currency', before: null, after: 'USD' });
      const quiet = 'from=2026-01-13T00:00:00Z&to=2026-01-14T00:00:00Z';
      const { body } = await bank.client.call('getAccountChanges', of(quiet));
      expect([body.changes, body.events, body.event_count, body.next_cursor]).toEqual([[], [], 0, undefined]);
      const backwards = 'from=2026-01-14T00:00:00Z&to=2026-01-13T00:00:00Z';
      const { problem } = await bank.client.refused('getAccountChanges', of(backwards));
      expect([problem.code, problem.errors?.[0]?.pointer]).toEqual(['invalid_range', '/to']);
    });

    it('pages through the events of a difference without a gap', async () => {
      const seen: number[][] = [];
      let cursor = '';
      do {
        const query = `from_revision=0&limit=3${cursor && `&cursor=${cursor}`}`;
        const { body } = await bank.client.call('getAccountChanges', of(query));
        expect(body.event_count).toBe(4);
        seen.push(body.events.map(({ revision }) => revision));
        cursor = body.next_cursor ?? '';
      } while (cursor !== '');
      expect(seen).toEqual([[1, 2, 3], [4]]);
    });

    it.each(broken)('goes up to an event $what, names it, and does not pass it', async ({ id }) => {
      const ofBroken = (query: string): CallOptions => ({ params: { id }, query });
      const { body } = await bank.client.call('getAccountBalance', ofBroken(`revision=${BROKEN_AT - 1}`));
      expect([body.balance, body.revision]).toEqual(['100.00', BROKEN_AT - 1]);
      const before = await bank.client.call('getAccountState', ofBroken('at=2026-01-10T23:59:59Z'));
      expect([before.body.balance, before.body.revision]).toEqual(['100.00', BROKEN_AT - 1]);
      const expected = {
        status: 500,
        code: 'event_unreadable',
        stream: bankAccountStream(id),
        revision: BROKEN_AT,
      };
      for (const query of ['', `revision=${BROKEN_AT}`, 'revision=4', 'at=2026-01-31T23:59:59.999Z']) {
        const balance = await bank.client.refused('getAccountBalance', ofBroken(query));
        expect([balance.status, balance.problem]).toMatchObject([500, expected]);
        const state = await bank.client.refused('getAccountState', ofBroken(query));
        expect(state.problem).toMatchObject(expected);
        const range = query.replace('revision', 'to_revision').replace('at=', 'to=');
        const changes = await bank.client.refused('getAccountChanges', ofBroken(range));
        expect(changes.problem).toMatchObject(expected);
      }
    });

    it('is at every revision and every instant what the events up to it make', async () => {
      const id = await livelyAccount(bank);
      const { items } = (await bank.client.call('listAccountEvents', { params: { id } })).body;
      const times = items.map(({ metadata }) => String(metadata.timestamp));
      let state: BankAccount | undefined;
      for (const [revision, { type, data }] of items.entries()) {
        const timestamp = times[revision] as string;
        state = bankAccountType.evolve(state, { type, data } as unknown as BankAccountEvent, timestamp);
        const expected = accountMoment(id, { state, revision, timestamp }, null);
        const at = async (query: string) =>
          (await bank.client.call('getAccountState', { params: { id }, query })).body;
        expect(await at(`revision=${revision}`)).toEqual(expected);
        // Several events may share an instant: then all of them count.
        if (times[revision + 1] === timestamp) continue;
        expect(await at(`at=${timestamp}`)).toEqual({ ...expected, at: timestamp });
        const next = times[revision + 1];
        if (next === undefined) continue;
        const justBefore = new Date(Date.parse(next) - 1).toISOString();
        expect(await at(`at=${justBefore}`)).toEqual({ ...expected, at: justBefore });
      }
    });
  });
}

async function writePast(store: EventStore, id: string, past: readonly Written[] = PAST): Promise<void> {
  const events = past.map(([timestamp, { type, data }]) =>
    newEvent({
      type,
      data,
      metadata: newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id, timestamp }),
    }),
  );
  await mustAppend(store, bankAccountStream(id), events, 'no_stream');
}
