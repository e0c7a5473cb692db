/** What keeps snapshots: its queue has a bound, audits choose by themselves, and closing ends everything. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { WAITING_WORK_MAX } from '../../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { mustAppend } from '../../support/event-builders.ts';
import { eventually } from '../../support/eventually.ts';
import {
  keptRevisions,
  type SnapshotBench,
  snapshotBench,
  snapshotWallet,
} from '../../support/snapshot-bench.ts';
import { fill, filled, opened, someone, spent, walletEvents, walletType } from '../../support/wallet.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';

let store: WatchedEventStore;
const benches: SnapshotBench[] = [];
beforeEach(() => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
});
afterEach(async () => {
  for (const { keeper } of benches.splice(0)) await keeper.close();
  await store.close();
});

const bench = (options?: Parameters<typeof snapshotBench>[1]) => {
  const made = snapshotBench(store, options);
  benches.push(made);
  return made;
};
const given = (id: string, deposits: number) =>
  mustAppend(
    store.inner,
    walletType.stream(id),
    walletEvents(id, opened(), ...Array(deposits).fill(filled(1))),
    'no_stream',
  );
const count = (heard: readonly string[], what: string) => heard.filter((one) => one === what).length;

it('what does not fit into the queue is dropped, counted, and asked for again by the next event', async () => {
  const { keeper, wallets, heard } = bench();
  const ids = Array.from({ length: WAITING_WORK_MAX + 5 }, (_, index) => `wallet-${index}`);
  for (const id of ids) await given(id, 12);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  store.onAppend = (proceed, { stream }) => (stream.startsWith('snapshot-') ? held.then(proceed) : proceed());
  for (const id of ids) await wallets.load(id);
  // No more than the bound wait, and perhaps one is being written.
  const dropped = count(heard, 'skipped overloaded');
  expect([4, 5]).toContain(dropped);
  const [last = ''] = ids.slice(-1);
  release();
  await keeper.settled();
  expect(count(heard, 'written events')).toBe(ids.length - dropped);
  expect(await keptRevisions(store.inner, last)).toEqual([]);
  await wallets.execute(last, fill(1), someone);
  await keeper.settled();
  expect(await keptRevisions(store.inner, last)).toEqual([13]);
});

it('a request does not wait for the snapshot that it brings about', async () => {
  await given('one', 8);
  const { wallets, keeper, heard } = bench();
  let release = () => {};
  store.onAppend = (proceed, { stream }) =>
    stream.startsWith('snapshot-')
      ? new Promise((resolve) => (release = () => resolve(proceed())))
      : proceed();
  expect(await wallets.execute('one', fill(1), someone)).toMatchObject({ ok: true });
  expect(await wallets.execute('one', fill(1), someone)).toMatchObject({ ok: true, value: { revision: 10 } });
  expect(heard).toEqual(['load missed']);
  await eventually('the write of the snapshot', () =>
    store.appends.some(({ stream }) => stream.startsWith('snapshot-')),
  );
  release();
  await keeper.settled();
  expect(heard).toEqual(['load missed', 'written events']);
});

it('audits come by themselves, of what was written or used', async () => {
  await given('one', 12);
  const { wallets, heard } = bench({ auditEveryMs: 1 });
  await wallets.load('one');
  await eventually('an audit', () => heard.includes('audit sound'));
});

it('an audit that cannot fold the events fails, and changes nothing', async () => {
  await given('one', 12);
  const { wallets, keeper, heard, problems } = bench({
    fold: () => {
      throw new Error('no such event');
    },
  });
  await wallets.load('one');
  await keeper.settled();
  keeper.audit('one');
  await keeper.settled();
  expect(heard.at(-1)).toBe('audit failed');
  expect(problems.at(-1)).toMatchObject({ kind: 'failed', doing: 'auditing' });
  expect(await keptRevisions(store.inner, 'one')).toEqual([12]);
});

it('a snapshot that the events behind it cannot follow is wrong, and all events count', async () => {
  await given('one', 12);
  await bench().wallets.takeSnapshot('one');
  await mustAppend(store.inner, walletType.stream('one'), walletEvents('one', spent(3)), 12);
  let isImpossible = true;
  const { wallets, heard } = bench({
    aggregate: {
      ...snapshotWallet,
      // Stands for a state from which the next event is impossible.
      evolve(wallet, event, at) {
        if (!isImpossible || event.type !== 'WalletSpentV1') return snapshotWallet.evolve(wallet, event, at);
        isImpossible = false;
        throw new Error('impossible');
      },
    },
  });
  expect((await wallets.load('one'))?.state.balance).toBe(9);
  expect(heard.slice(0, 2)).toEqual(['discarded wrong', 'load missed']);
});

it('closing drops what waits, and takes no more', async () => {
  await given('one', 12);
  const { wallets, keeper, heard } = bench();
  await wallets.load('one');
  await keeper.close();
  await wallets.execute('one', fill(1), someone);
  await keeper.settled();
  expect(heard).toEqual(['load missed']);
});
