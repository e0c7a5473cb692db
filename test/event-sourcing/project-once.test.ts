/** Projections folded once, as they stood at a time: every stream is there up to its first event that is later. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import type { EventReader, NewEvent, SubscribeOptions } from '../../src/event-sourcing/event-store.ts';
import { OperatorRequests } from '../../src/event-sourcing/operator-requests.ts';
import { projectOnce } from '../../src/event-sourcing/project-once.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { newId } from '../../src/new-id.ts';
import { settings } from '../domain/property-settings.ts';
import { mustAppend } from '../support/event-builders.ts';
import {
  filled,
  opened,
  WALLET_STREAM_PREFIX,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { type WalletDocument, wallets } from '../support/wallet-projections.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const timeOf = (tick: number) => new Date(Date.UTC(2026, 0, 1) + tick).toISOString();

/** An event of one of a few wallets, at some time. */
interface Happened {
  readonly wallet: number;
  readonly tick: number;
}

async function storeOf(log: readonly Happened[]): Promise<WatchedEventStore> {
  const store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  const begun = new Set<number>();
  for (const { wallet, tick } of log) {
    const [event] = walletEvents(`w${wallet}`, begun.has(wallet) ? filled(1) : opened()) as [NewEvent];
    begun.add(wallet);
    const metadata = { ...event.metadata, timestamp: timeOf(tick) };
    await store.append(walletType.stream(`w${wallet}`), [{ ...event, metadata }], 'any');
  }
  return store;
}

async function projected(reader: EventReader, tick?: number): Promise<Record<string, number>> {
  const store = openSqliteReadModelStore({ kind: 'memory' });
  try {
    await projectOnce({
      reader,
      store,
      codec: walletCodec,
      projections: [wallets],
      streamPrefixes: [WALLET_STREAM_PREFIX],
      ...(tick === undefined ? {} : { time: timeOf(tick) }),
    });
    const found = await store.find<WalletDocument>(wallets, { order: 'oldest_first', limit: 100 });
    return Object.fromEntries(found.map(({ key, document }) => [key, document?.balance ?? -1]));
  } finally {
    await store.close();
  }
}

function naive(log: readonly Happened[], tick: number): Record<string, number> {
  const balances: Record<string, number> = {};
  const ended = new Set<number>();
  for (const { wallet, tick: at } of log) {
    if (at > tick) ended.add(wallet);
    if (!ended.has(wallet)) balances[`w${wallet}`] = (balances[`w${wallet}`] ?? -1) + 1;
  }
  return balances;
}

describe('a projection at a time', () => {
  it('equals the fold of each stream up to its first later event, whatever the clocks did', async () => {
    const happened = fc.record({
      wallet: fc.integer({ min: 0, max: 3 }),
      tick: fc.integer({ min: 0, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(happened, { maxLength: 40 }),
        fc.integer({ min: 0, max: 9 }),
        async (log, tick) => {
          const store = await storeOf(log);
          expect(await projected(store, tick)).toEqual(naive(log, tick));
          await store.close();
        },
      ),
      settings(10, 250),
    );
  });

  it('is the newest without a time, also of an empty log, and never waits for more', async () => {
    const store = await storeOf([]);
    expect(await projected(store)).toEqual({});
    const full = await storeOf([
      { wallet: 1, tick: 5 },
      { wallet: 1, tick: 3 },
    ]);
    expect(await projected(full)).toEqual({ w1: 1 });
  });

  it('has what came after requests of operators, however late they are in the log', async () => {
    const store = await storeOf([
      { wallet: 1, tick: 1 },
      { wallet: 1, tick: 2 },
    ]);
    const requests = new OperatorRequests({ store, newId, now: () => new Date(timeOf(3)) });
    const context = { correlation_id: 'c', causation_id: 'c' };
    for (const [index] of ['first', 'second', 'third'].entries()) {
      const data = { consumer: 'wallets' };
      await requests.record({ type: 'DeadLettersRetryRequestedV1', data }, context);
      await mustAppend(store, walletType.stream('w1'), walletEvents('w1', filled(1)), index + 1);
    }
    expect(await projected(store)).toEqual({ w1: 4 });
  });

  it('tells how much it has read, whether it counts or not', async () => {
    const store = await storeOf([1, 9, 2].map((tick) => ({ wallet: 1, tick })));
    const models = openSqliteReadModelStore({ kind: 'memory' });
    const told: [events: number, position: bigint][] = [];
    await projectOnce({
      reader: store,
      store: models,
      codec: walletCodec,
      projections: [wallets],
      streamPrefixes: [WALLET_STREAM_PREFIX],
      time: timeOf(5),
      onRead: (events, position) => told.push([events, position]),
    });
    await models.close();
    expect(told.at(-1)).toEqual([3, await store.headPosition()]);
  });

  it('stays right when the log breaks off and is read again', async () => {
    // The first wallet goes beyond the time and comes back; a second reading must not find it ended too early.
    const log = [1, 9, 2].map((tick) => ({ wallet: 1, tick })).concat({ wallet: 2, tick: 1 });
    const store = await storeOf(log);
    let broken = false;
    store.onSubscribe = async function* (batches) {
      for await (const batch of batches) {
        if (!broken) {
          broken = true;
          yield { ...batch, events: batch.events.slice(0, 3), caughtUp: false };
          throw new StoreError('unavailable', 'The connection was lost.');
        }
        yield batch;
      }
    };
    expect(await projected(store, 5)).toEqual({ w1: 0, w2: 0 });
  });

  it('is given up when the store does not answer', async () => {
    const store = await storeOf([{ wallet: 1, tick: 1 }]);
    const lost = new StoreError('unavailable', 'Nobody answers.');
    store.onSubscribe = async function* (_batches, _signal: SubscribeOptions['signal']) {
      yield* [];
      throw lost;
    };
    await expect(projected(store, 5)).rejects.toBe(lost);
  });
});
