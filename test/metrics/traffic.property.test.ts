/** Whatever a client does, the counters say exactly that. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/new-id.ts';
import { settings } from '../domain/property-settings.ts';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

const COUNTED = {
  requests: 'openbank_http_request_duration_seconds_count',
  commands: 'openbank_commands_total',
  queries: 'openbank_queries_total',
  rejections: 'openbank_rejections_total',
  events: 'openbank_appended_events_total',
};
type Counts = Record<string, number>;

/** What a client may do, and the counters that go up by one with it. */
const ACTIONS = {
  deposit: [
    'requests POST /api/v1/transactions/deposit 201',
    'commands CreateDeposit ok',
    'events BankAccount',
  ],
  overdraw: [
    'requests POST /api/v1/transactions/withdrawal 422',
    'commands CreateWithdrawal rejected',
    'rejections CreateWithdrawal insufficient_funds',
  ],
  misspell: ['requests POST /api/v1/transactions/deposit 422'],
  guess: [
    'requests GET /api/v1/transactions/:id 404',
    'queries GetTransaction rejected',
    'rejections GetTransaction transaction_not_found',
  ],
  look: ['requests GET /admin/streams 200', 'queries ListStreams ok'],
  wander: ['requests GET unmatched 404'],
} as const;
type Action = keyof typeof ACTIONS;

let bank: RunningBank;
let account: string;
beforeAll(async () => {
  bank = await startBank();
  account = await openAccount(bank.client);
});
afterAll(() => bank.close());

async function act(action: Action): Promise<void> {
  const { client } = bank;
  switch (action) {
    case 'deposit':
      return void (await client.call('deposit', { body: posting(account, '0.01') }));
    case 'overdraw':
      return void (await client.refused('withdrawal', { body: posting(account, '1000000.00') }));
    case 'misspell':
      return void (await client.refused('deposit', { body: { ammount: 1 } }));
    case 'guess':
      return void (await client.refused('getTransaction', { params: { id: newId() } }));
    case 'look':
      return void (await client.call('listStreams'));
    case 'wander':
      return void (await client.fetch('GET', `/${newId()}`));
  }
}

async function counts(): Promise<Counts> {
  const page = new MetricsPage((await bank.client.call('metrics')).body);
  const all = Object.entries(COUNTED).flatMap(([prefix, name]) =>
    Object.entries(page.table(name)).map(([labels, value]) => [`${prefix} ${labels}`, value] as const),
  );
  return Object.fromEntries(all.filter(([name]) => !/ \/(metrics|api\/docs)\b/.test(name)));
}

const total = (all: Counts) => Object.values(all).reduce((sum, value) => sum + value, 0);

it('random traffic, one after the other and at once, is what the counters have gone up by', async () => {
  const actions = fc.array(fc.constantFrom(...(Object.keys(ACTIONS) as Action[])), {
    minLength: 1,
    maxLength: 60,
  });
  let expected = await counts();
  await fc.assert(
    fc.asyncProperty(actions, fc.boolean(), async (todo, atOnce) => {
      if (atOnce) await Promise.all(todo.map(act));
      else for (const action of todo) await act(action);
      const before = expected;
      expected = { ...before };
      for (const name of todo.flatMap((action) => ACTIONS[action]))
        expected[name] = (expected[name] ?? 0) + 1;
      let seen: Counts = {};
      // A page may be a second old; one that counts too much is wrong for ever.
      await eventually('all that was done', async () => {
        seen = await counts();
        return total(seen) >= total(expected);
      });
      expect(seen).toEqual(expected);
    }),
    settings(2),
  );
});
