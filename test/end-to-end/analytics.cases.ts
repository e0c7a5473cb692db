/** Analytics over HTTP: a past with known figures, and a present that readers see at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BankAccountEvent, bankAccountStream } from '../../src/domain/bank-account.ts';
import { personStream } from '../../src/domain/person.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { ALICE, created, type PostedFields, posted, usd } from '../support/bank-events.ts';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import type { RunningBank } from '../support/running-bank.ts';

/** A currency with four decimals that no other test uses. */
const RARE = 'CLF';
const rare = (direction: 'CREDIT' | 'DEBIT', amount: string): PostedFields => ({
  direction,
  amount,
  balance: '0.0000',
  currency: RARE,
});

const WITHIN_MS = 60_000;

type Past = readonly (readonly [time: string, event: BankAccountEvent])[];

const OPENED = '2025-12-29T08:00:00.000Z';
const [RENT, SALARY, BONUS] = [newId(), newId(), newId()];

/** Around the turn of a year, whose first days belong to the week that began in the old one. */
const ofFirst = (owner: string): Past => [
  [OPENED, created(owner)],
  ['2025-12-31T23:59:59.999Z', posted(SALARY, usd('CREDIT', '1000.00', '1000.00'))],
  [
    '2026-01-01T00:00:00.000Z',
    {
      type: 'BankAccountHoldPlacedDomainEventV1',
      data: { hold_id: newId(), amount: '77.00', currency: 'USD', description: 'No movement' },
    },
  ],
  ['2026-01-01T00:00:00.000Z', posted(RENT, usd('DEBIT', '400.10', '599.90'))],
  ['2026-01-04T23:59:59.999Z', posted(newId(), usd('DEBIT', '0.05', '599.85'))],
  ['2026-01-05T00:00:00.000Z', posted(BONUS, usd('CREDIT', '1000.00', '1599.85'))],
  // Decided by a process whose clock was behind: it counts on the day that its time names.
  ['2026-01-04T23:58:00.000Z', posted(newId(), usd('DEBIT', '0.10', '1599.75'))],
];
const ofSecond = (owner: string): Past => [
  [OPENED, created(owner)],
  ['2026-01-02T12:00:00.000Z', posted(newId(), usd('CREDIT', '5.00', '5.00'))],
];
const ofThird = (owner: string): Past => [
  [OPENED, created(owner, { currency: RARE, overdraft_limit: '0.0000' })],
  ['2026-01-02T12:00:00.000Z', posted(newId(), rare('CREDIT', '0.0003'))],
  ['2026-01-02T13:00:00.000Z', posted(newId(), rare('CREDIT', '0.0002'))],
];

/** @param start starts a bank after `seed` has written into its store */
export function describeAnalytics(
  what: string,
  start: (seed: (store: EventStore) => Promise<void>) => Promise<RunningBank>,
): void {
  describe(`analytics, ${what}`, () => {
    const [owner, first, second, third] = [newId(), newId(), newId(), newId()];
    let bank: RunningBank;
    beforeAll(async () => {
      bank = await start(async (store) => {
        await write(store, 'Person', personStream(owner), owner, [
          [OPENED, { type: 'PersonRegisteredDomainEventV1', data: ALICE }],
        ]);
        const accounts = { [first]: ofFirst(owner), [second]: ofSecond(owner), [third]: ofThird(owner) };
        for (const [id, past] of Object.entries(accounts))
          await write(store, 'BankAccount', bankAccountStream(id), id, past);
      });
      const caughtUp = async () => {
        const { items } = (await bank.client.call('listProjections')).body;
        return items.every(({ lag_ms }) => lag_ms === 0);
      };
      await eventually('the past in the read models', caughtUp, WITHIN_MS);
    }, 2 * WITHIN_MS);
    afterAll(() => bank?.close());

    const of = async (id: string, query: string) =>
      (await bank.client.call('getAccountAnalytics', { params: { id }, query })).body;
    const ofOwner = async (query: string) =>
      (await bank.client.call('getOwnerAnalytics', { params: { id: owner }, query })).body;
    const ofBank = async (query: string) => (await bank.client.call('getBankAnalytics', { query })).body;

    it('tell totals, averages, flows and the largest of a range, and the same of each month in it', async () => {
      const { buckets, ...whole } = await of(first, 'from=2025-12-30&to=2026-01-31&interval=month');
      const largest = (amount: string, transaction_id: string, date: string) => ({
        amount,
        transaction_id,
        date,
      });
      expect(whole).toEqual({
        account_id: first,
        currency: 'USD',
        from: '2025-12-30T00:00:00.000Z',
        to: '2026-02-01T00:00:00.000Z',
        interval: 'month',
        complete: true,
        transaction_count: 5,
        credit_count: 2,
        debit_count: 3,
        total_credits: '2000.00',
        total_debits: '400.25',
        net_flow: '1599.75',
        average_transaction: '480.05',
        average_credit: '1000.00',
        // 400.25 / 3 = 133.416…
        average_debit: '133.42',
        largest_credit: largest('1000.00', SALARY, '2025-12-31'),
        largest_debit: largest('400.10', RENT, '2026-01-01'),
      });
      expect(
        buckets.map(({ name, from, to, net_flow, largest_credit }) => [
          name,
          from,
          to,
          net_flow,
          largest_credit,
        ]),
      ).toEqual([
        [
          '2025-12',
          '2025-12-30T00:00:00.000Z',
          '2026-01-01T00:00:00.000Z',
          '1000.00',
          largest('1000.00', SALARY, '2025-12-31'),
        ],
        [
          '2026-01',
          '2026-01-01T00:00:00.000Z',
          '2026-02-01T00:00:00.000Z',
          '599.75',
          largest('1000.00', BONUS, '2026-01-05'),
        ],
      ]);
    });

    it('break down by day and by ISO week, with those on which nothing happened', async () => {
      const days = await of(first, 'from=2025-12-31&to=2026-01-05');
      expect(days.buckets.map((one) => [one.name, one.transaction_count, one.net_flow])).toEqual([
        ['2025-12-31', 1, '1000.00'],
        ['2026-01-01', 1, '-400.10'],
        ['2026-01-02', 0, '0.00'],
        ['2026-01-03', 0, '0.00'],
        ['2026-01-04', 2, '-0.15'],
        ['2026-01-05', 1, '1000.00'],
      ]);
      const weeks = await of(first, 'from=2025-12-31&to=2026-01-18&interval=week');
      expect(weeks.buckets.map((one) => [one.name, one.from.slice(0, 10), one.net_flow])).toEqual([
        ['2026-W01', '2025-12-31', '599.75'],
        ['2026-W02', '2026-01-05', '1000.00'],
        ['2026-W03', '2026-01-12', '0.00'],
      ]);
      expect(weeks.buckets[2]).toMatchObject({ average_transaction: null, largest_debit: null });
    });

    it.each([
      ['from=2026-01-01&to=2026-01-04', '-400.25'],
      ['from=2026-01-01T00:00:00Z&to=2026-01-05T00:00:00Z', '-400.25'],
      ['from=2025-12-31T19:00:00-05:00&to=2026-01-05T05:45:00%2B05:45', '-400.25'],
      // An offset whose plus sign the URL has taken.
      ['from=2026-01-01t14:00:00+14:00&to=2026-01-04', '-400.25'],
      ['from=2026-01-01&to=2026-01-05', '599.75'],
      ['from=2025-12-31&to=2026-01-04', '599.75'],
      ['from=2025-12-01&to=2025-12-30', '0.00'],
      ['from=2021-06-01&to=2026-01-31&interval=month', '1599.75'],
    ])('count what lies in ?%s', async (query, net) => {
      expect((await of(first, query)).net_flow).toBe(net);
    });

    it('without a range are of the last 30 days, 12 weeks or 12 months until the given end', async () => {
      const edges = async (query: string) => {
        const { from, buckets } = await of(first, query);
        return [from.slice(0, 10), buckets.length];
      };
      expect(await edges('to=2026-01-31')).toEqual(['2026-01-02', 30]);
      expect(await edges('to=2026-01-31&interval=week')).toEqual(['2025-11-10', 12]);
      expect(await edges('to=2026-01-31&interval=month')).toEqual(['2025-02-01', 12]);
      const { complete, buckets } = await of(first, '');
      expect([complete, buckets.at(-1)?.name]).toEqual([false, new Date().toISOString().slice(0, 10)]);
    });

    it('of an owner are all accounts together, each currency apart; of the bank as well', async () => {
      const range = 'from=2026-01-01&to=2026-01-31';
      const { currencies, account_count } = await ofOwner(range);
      expect(account_count).toBe(3);
      const figures = currencies.map((one) => [one.currency, one.transaction_count, one.net_flow]);
      expect(figures).toEqual([
        [RARE, 2, '0.0005'],
        ['USD', 5, '604.75'],
      ]);
      // 0.00025, half to even.
      expect(currencies[0]?.average_credit).toBe('0.0002');
      const only = await ofOwner(`${range}&currency=${RARE}`);
      expect(only).toMatchObject({ account_count: 1, currencies: [currencies[0]] });
      expect((await ofBank(`${range}&currency=${RARE}`)).currencies).toEqual([currencies[0]]);
      expect((await ofBank('from=2025-12-01&to=2025-12-02&currency=CLF')).currencies).toEqual([]);
    });

    it(
      'show what was just written to who sends its token; both ends of a transfer count, a reversal too',
      async () => {
        const { client } = bank;
        const id = await registerAlice(client);
        const [one, other] = [
          await openAccount(client, { owner_id: id }),
          await openAccount(client, { owner_id: id }),
        ];
        const deposited = await client.call('deposit', { body: posting(one, '100.00') });
        const hold = { amount: '30.00', description: 'Hotel' };
        const { body: held } = await client.call('placeHold', { params: { id: one }, body: hold });
        const captured = { params: { id: one, hold_id: held.id }, body: { amount: '20.00' } };
        await client.call('captureHold', captured);
        const transfer = {
          from_account_id: one,
          to_account_id: other,
          amount: '10.00',
          description: 'Between my own',
        };
        await client.call('transfer', { body: transfer });
        const { token } = await client.call('reverseTransaction', {
          params: { id: deposited.body.transaction_id },
          body: { amount: '5.00', reason: 'Too much' },
          // The posting is looked up in the read models first.
          token: deposited.token,
        });
        const ofOne = await client.call('getAccountAnalytics', { params: { id: one }, token });
        expect(ofOne.body).toMatchObject({ credit_count: 1, debit_count: 3, net_flow: '65.00' });
        const ofBoth = await client.call('getOwnerAnalytics', { params: { id }, token });
        expect(ofBoth.body.currencies).toMatchObject([
          { currency: 'USD', credit_count: 2, debit_count: 3, total_credits: '110.00', net_flow: '75.00' },
        ]);
        const ofAll = await client.call('getBankAnalytics', { query: 'currency=USD', token });
        expect(Number(ofAll.body.currencies[0]?.transaction_count)).toBeGreaterThanOrEqual(5);
        const quiet = await openAccount(client, { owner_id: id });
        expect(await of(quiet, '')).toMatchObject({ transaction_count: 0, net_flow: '0.00' });
      },
      WITHIN_MS,
    );

    it(
      'are the same after a rebuild',
      async () => {
        const range = 'from=2025-12-01&to=2026-01-31';
        const figures = async () => [await of(first, range), await ofOwner(range), await ofBank(`${range}`)];
        const before = await figures();
        const build = async () => {
          const { items } = (await bank.client.call('listProjections')).body;
          return items.filter(({ group }) => group === 'analytics').map((one) => one.served_build);
        };
        const served = await build();
        await bank.client.call('rebuildProjection', { params: { name: 'analytics' } });
        const isSwapped = async () => (await build()).every((one, index) => one !== served[index]);
        await eventually('new builds of both', isSwapped, WITHIN_MS);
        expect(await figures()).toEqual(before);
      },
      WITHIN_MS,
    );
  });
}

async function write(
  store: EventStore,
  aggregate: string,
  stream: string,
  id: string,
  past: readonly (readonly [time: string, event: { readonly type: string; readonly data: object }])[],
): Promise<void> {
  const events = past.map(([timestamp, { type, data }]) => {
    const metadata = newMetadata({ aggregate_type: aggregate, aggregate_id: id, timestamp });
    return newEvent({ type, data: data as never, metadata });
  });
  await mustAppend(store, stream, events, 'no_stream');
}
