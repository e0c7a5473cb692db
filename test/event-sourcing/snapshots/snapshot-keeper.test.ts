/** What keeps snapshots: its queue has a bound, audits choose by themselves, and closing ends everything. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import type { RememberedOperation } from '../../../src/event-sourcing/operation-log.ts';
import { type Snapshot, toSnapshotEvent } from '../../../src/event-sourcing/snapshots/snapshot.ts';
import { WAITING_WORK_MAX } from '../../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { snapshotStream } from '../../../src/event-sourcing/snapshots/snapshot-streams.ts';
import { newId } from '../../../src/new-id.ts';
import { collect, mustAppend } from '../../support/event-builders.ts';
import { eventually } from '../../support/eventually.ts';
import {
  keptRevisions,
  NOW,
  type SnapshotBench,
  snapshotBench,
  snapshotWallet,
} from '../../support/snapshot-bench.ts';
import {
  fill,
  filled,
  opened,
  someone,
  spent,
  type Wallet,
  walletEvents,
  walletType,
} from '../../support/wallet.ts';
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

/** Puts a snapshot of a wallet that holds 12 where its newest ones are. */
async function forge(
  change: (made: ReturnType<typeof snapshotOfTwelve>) => { of: string; snapshot: object },
) {
  const events = await collect(store.inner.readStream(walletType.stream('one')));
  const { of, snapshot } = change(snapshotOfTwelve(events));
  const event = toSnapshotEvent(snapshotWallet, of, snapshot as Snapshot<Wallet>, {
    id: newId(),
    takenAt: NOW,
  });
  await mustAppend(store.inner, snapshotStream(walletType.stream('one')), [event], 'any');
}

function snapshotOfTwelve(events: readonly RecordedEvent[]) {
  const event = events[12] as RecordedEvent;
  const latest = event.metadata.timestamp;
  const operations = { recent: [], hasForgotten: false };
  const snapshot = {
    state: { owner: 'ann', balance: 12 },
    revision: 12,
    eventId: event.id,
    latest,
    operations,
  };
  return { of: 'one', snapshot };
}

it('a snapshot of another aggregate is not used', async () => {
  await given('one', 12);
  await forge((made) => ({ ...made, of: 'two' }));
  const { wallets, heard, keeper } = bench();
  await wallets.load('one');
  await keeper.settled();
  expect(heard.slice(0, 2)).toEqual(['discarded unreadable', 'load missed']);
});

it('a snapshot without operations, such as serve looks into the past, is nothing to load from', async () => {
  await given('one', 12);
  await forge(({ of, snapshot: { operations: _none, ...snapshot } }) => ({ of, snapshot }));
  const { wallets, heard } = bench();
  await wallets.load('one');
  expect(heard[0]).toBe('load missed');
});

it.each([
  ['has one too many', (own: readonly RememberedOperation[]) => [...own, ...own]],
  ['has forgotten one, and does not say so', (own: readonly RememberedOperation[]) => own.slice(1)],
  [
    'has one of other content',
    (own: readonly RememberedOperation[]) => own.map((one) => ({ ...one, contentHash: 'x' })),
  ],
])('an audit finds a memory of operations that %s', async (_what, change) => {
  await given('one', 12);
  const first = bench({ policy: {} });
  const operation = { id: 'key', contentHash: 'hash' };
  await first.wallets.execute('one', fill(1), { ...someone, operation });
  const { wallets, keeper, heard } = bench({ policy: {} });
  await wallets.takeSnapshot('one');
  const [kept] = await keeper.list('one');
  if (!kept?.read.usable) throw new Error('there is no snapshot');
  const { snapshot } = kept.read;
  const operations = { recent: change(snapshot.operations?.recent ?? []), hasForgotten: false };
  await forge(({ of }) => ({ of, snapshot: { ...snapshot, operations } }));
  keeper.audit('one');
  await keeper.settled();
  expect(heard.slice(-2)).toEqual(['audit repaired', 'discarded wrong']);
});

it('an audit finds nothing wrong where a clock stepped back', async () => {
  const events = walletEvents('one', opened(), ...Array(12).fill(filled(1))).map((event, index) => {
    const timestamp = `2026-01-01T00:00:${index === 5 ? 59 : 10 + index}.000Z`;
    return { ...event, metadata: { ...event.metadata, timestamp } };
  });
  await mustAppend(store.inner, walletType.stream('one'), events, 'no_stream');
  const { wallets, keeper, heard } = bench({ policy: {} });
  await wallets.takeSnapshot('one');
  keeper.audit('one');
  await keeper.settled();
  expect(heard.at(-1)).toBe('audit sound');
});
