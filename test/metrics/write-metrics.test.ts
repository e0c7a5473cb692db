/** What a repository tells its metrics: appends by outcome, events, and whether the state was in memory. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { newId } from '../../src/new-id.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import {
  fill,
  filled,
  open,
  someone,
  spend,
  type Wallet,
  type WalletDecision,
  type WalletEvent,
  type WalletRefusal,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

let store: WatchedEventStore;
let metrics: ServiceMetrics;
let wallets: Repository<Wallet, WalletEvent, WalletRefusal>;
beforeEach(() => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  metrics = new ServiceMetrics({ version: '1.2.3', role: 'all', node: 'here' });
  const options = { store, newId, now: () => new Date(), observer: metrics.repository('Wallet') };
  wallets = new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, options);
});
afterEach(() => store.close());

const run = (decide: WalletDecision) => wallets.execute('one', decide, someone);

async function figures() {
  const page = new MetricsPage((await metrics.page()).text);
  return {
    appends: page.table('openbank_appends_total'),
    events: page.value('openbank_appended_events_total', { aggregate: 'Wallet' }),
    timed: page.value('openbank_append_duration_seconds_count'),
    lookups: page.table('openbank_aggregate_lookups_total'),
  };
}

it('begins with zeros, so that a first failure is a step and not a new line', async () => {
  const page = new MetricsPage((await metrics.page()).text);
  expect(page.samples('openbank_appends_total').map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ['ok', 0],
    ['conflict', 0],
    ['error', 0],
  ]);
});

it('commands that are folded into one append are one append, with all of their events', async () => {
  await run(open());
  await Promise.all([run(fill(1, 2)), run(fill(3)), run(fill(4))]);
  expect(await figures()).toEqual({
    appends: { 'Wallet ok': 2 },
    events: 5,
    timed: 2,
    lookups: { 'Wallet hit': 1, 'Wallet miss': 1 },
  });
});

it('a conflict is counted beside the append that worked after it', async () => {
  await run(open());
  const other = walletEvents('one', filled(10));
  expect((await store.inner.append('wallet-one', other, 'any')).ok).toBe(true);
  expect((await run(fill(1))).ok).toBe(true);
  expect(await figures()).toMatchObject({
    appends: { 'Wallet ok': 2, 'Wallet conflict': 1 },
    events: 2,
    timed: 3,
  });
});

it('a store that fails is an error, and made no event durable', async () => {
  await run(open());
  store.onAppend = () => Promise.reject(new StoreError('unavailable', 'It is gone.'));
  await expect(run(fill(1))).rejects.toThrow('It is gone.');
  expect(await figures()).toMatchObject({
    appends: { 'Wallet ok': 1, 'Wallet error': 1 },
    events: 1,
    timed: 2,
  });
});

it('a refusal appends nothing', async () => {
  await run(open());
  expect((await run(spend(1))).ok).toBe(false);
  expect(await figures()).toMatchObject({ appends: { 'Wallet ok': 1 }, events: 1 });
});

it('what is loaded, asked for or changed is looked up once', async () => {
  await run(open());
  await wallets.load('one');
  await wallets.exists('one');
  await wallets.exists('two');
  expect((await figures()).lookups).toEqual({ 'Wallet hit': 2, 'Wallet miss': 2 });
});
