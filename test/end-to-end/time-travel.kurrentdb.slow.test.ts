/** Time travel on a KurrentDB: the one that `KURRENTDB_TEST_URL` names, or else the double. */
import { afterAll, expect, it } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import { replayFromStore } from '../../src/store-tools/replay-account.ts';
import { ownProjection, runProjection } from '../../src/store-tools/run-projection.ts';
import { collect } from '../support/event-builders.ts';
import { livelyAccount } from '../support/lively-account.ts';
import { startBank } from '../support/running-bank.ts';
import { KurrentDbStandIn } from '../support/server-stores.ts';
import { describeTimeTravel } from './time-travel.cases.ts';

const { KURRENTDB_TEST_URL } = process.env;
const server = KURRENTDB_TEST_URL ? undefined : await KurrentDbStandIn.start();
afterAll(() => server?.stop());

describeTimeTravel('on KurrentDB', async (seed) => {
  const url = server?.url ?? String(KURRENTDB_TEST_URL);
  const store = await openKurrentDbEventStore(url);
  await seed(store);
  await store.close();
  return startBank({ settings: { OPENBANK_EVENT_STORE: url } });
});

it('an account is replayed, and a projection folded as it stood at a time, over the same events', async () => {
  const url = server?.url ?? String(KURRENTDB_TEST_URL);
  const bank = await startBank({ settings: { OPENBANK_EVENT_STORE: url } });
  const accountId = await livelyAccount(bank);
  const { body } = await bank.client.call('getAccountState', {
    params: { id: accountId },
    query: 'revision=3',
  });
  await bank.close();
  const config = {
    eventStore: { kind: 'kurrentdb', url },
    archiveDir: undefined,
    defaultCurrency: 'USD',
  } as const;
  const request = { accountId, from: 0, to: 1_000, byTodaysRules: true };
  const steps = await collect(replayFromStore(config, request));
  expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
  expect(steps.filter(({ today }) => today?.kind !== 'same').map(({ today }) => today?.kind)).toEqual([
    'not_judged',
  ]);
  const plan = ownProjection('bank_accounts');
  if (!plan) throw new Error('the accounts have no projection');
  const then = await runProjection(config, plan, body.changed_at, (projected) => projected.get(accountId));
  expect(then?.document).toMatchObject({ revision: body.revision, balance: body.balance });
});
