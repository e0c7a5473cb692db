/** Loads that end late: what they read is older than what is known by then, and must not take its place. */
import { expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { ReadStreamOptions, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { newId } from '../../src/new-id.ts';
import { collect, mustAppend } from '../support/event-builders.ts';
import {
  fill,
  opened,
  someone,
  type Wallet,
  type WalletEvent,
  type WalletRefusal,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

/** A store whose reads of streams can be held up when they have read all, as on the way of an answer. */
class LateEventStore extends WatchedEventStore {
  delivery: Promise<void> = Promise.resolve();

  override async *readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent> {
    const { delivery } = this;
    const events = await collect(super.readStream(stream, options));
    await delivery;
    yield* events;
  }
}

async function newBench(cachedAggregatesMax?: number) {
  const store = new LateEventStore(openSqliteEventStore({ kind: 'memory' }));
  for (const id of ['one', 'two'])
    await mustAppend(store, `wallet-${id}`, walletEvents(id, opened()), 'no_stream');
  const newRepository = () =>
    new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, {
      store,
      newId,
      now: () => new Date(),
      ...(cachedAggregatesMax === undefined ? {} : { cachedAggregatesMax }),
    });
  const wallets = newRepository();
  const run = (key: string, on = wallets) =>
    on.execute('one', fill(1), { ...someone, operation: { id: key, contentHash: 'a hash' } });
  await run('before', newRepository());
  /** Begins to load, and has read all that there is. */
  const beginToLoad = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.delivery = promise;
    const reads = store.reads.length;
    const loaded = wallets.load('one');
    while (store.reads.length === reads) await new Promise(setImmediate);
    store.delivery = Promise.resolve();
    return async () => {
      resolve();
      return await loaded;
    };
  };
  return { store, wallets, run, beginToLoad };
}

it.each([
  ['a command ran when it ended', undefined],
  ['the aggregate had left memory meanwhile', 1],
])(
  'does nothing twice that was done while a load was under way, and %s',
  async (_what, cachedAggregatesMax) => {
    const { store, wallets, run, beginToLoad } = await newBench(cachedAggregatesMax);
    const endLoading = await beginToLoad();
    await run('first');
    store.onAppend = async (proceed) => {
      store.onAppend = undefined;
      // Where there is room for one only, it takes the place of the other.
      await wallets.load('two');
      await endLoading();
      return proceed();
    };
    await run('second');
    expect(await run('first')).toMatchObject({ ok: true, value: { replayed: true, revision: 2 } });
    expect(await collect(store.inner.readStream('wallet-one'))).toHaveLength(4);
    await store.close();
  },
);

it('does not forget what is newer', async () => {
  const { store, wallets, run, beginToLoad } = await newBench();
  const endLoading = await beginToLoad();
  await run('first');
  expect(await endLoading()).toMatchObject({ revision: 2, state: { balance: 2 } });
  expect(await wallets.recent('one')).toMatchObject({ balance: 2 });
  await store.close();
});
