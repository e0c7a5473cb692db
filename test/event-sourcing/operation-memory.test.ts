/** What aggregates in memory remember together: who forgets first, and that nothing is done twice for it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import {
  type OperationArchive,
  OperationLog,
  operationOf,
  type RecordedOperation,
} from '../../src/event-sourcing/operation-log.ts';
import { KEPT_OPERATIONS_MIN, OperationMemory } from '../../src/event-sourcing/operation-memory.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { newId } from '../../src/new-id.ts';
import { settings } from '../domain/property-settings.ts';
import { collect, mustAppend } from '../support/event-builders.ts';
import {
  fill,
  filled,
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

const nobodyIsBusy = () => true;

function logOf(count: number): OperationLog {
  const log = new OperationLog();
  for (let index = 1; index <= count; index += 1)
    log.note({ id: `key-${index}`, contentHash: 'a hash' }, index, index);
  return log;
}

describe('a memory that is too full', () => {
  it('halves what those remember who did nothing for longest, and leaves the others alone', () => {
    const memory = new OperationMemory(250);
    const [idle, lively] = [logOf(100), logOf(100)];
    memory.note('idle', idle);
    memory.note('lively', lively);
    memory.relieve(nobodyIsBusy);
    expect([idle.size, lively.size]).toEqual([100, 100]);
    memory.note('third', logOf(51));
    memory.relieve(nobodyIsBusy);
    expect([idle.size, lively.size]).toEqual([50, 100]);
    expect(idle.find('key-50')).toBeUndefined();
    expect(idle.horizon).toBe('key-51');
    expect(memory.isOverfull).toBe(false);
  });

  it('takes nothing from who is busy, nor the last few of anybody, and then says that it is overfull', () => {
    const memory = new OperationMemory(10);
    const [busy, idle] = [logOf(100), logOf(30)];
    memory.note('busy', busy);
    memory.note('idle', idle);
    memory.relieve((id) => id !== 'busy');
    expect([busy.size, idle.size]).toEqual([100, KEPT_OPERATIONS_MIN]);
    expect(memory.isOverfull).toBe(true);
    memory.drop('busy');
    memory.drop('idle');
    expect(memory.isOverfull).toBe(false);
  });
});

/** All operations of all streams, a turn late; it must have come as far as it is asked for. */
function archiveOf(store: EventStore, onAsked: () => Promise<unknown> = nextTurn): OperationArchive {
  return {
    async find({ id }, operationIds, oldestRemembered) {
      const events = await collect(store.readStream(`wallet-${id}`));
      const done = new Map(
        events.flatMap(({ metadata, revision }): [string, RecordedOperation][] => {
          const operation = operationOf(metadata);
          const { contentHash = '' } = operation ?? {};
          return operation
            ? [[operation.id, { contentHash, firstRevision: revision, lastRevision: revision }]]
            : [];
        }),
      );
      expect(done.has(oldestRemembered)).toBe(true);
      await onAsked();
      return new Map([...done].filter(([operationId]) => operationIds.includes(operationId)));
    },
  };
}

const WALLETS = ['one', 'two', 'three'];

async function newBench(onAsked?: () => Promise<unknown>) {
  const store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  for (const id of WALLETS)
    await mustAppend(store, `wallet-${id}`, walletEvents(id, opened(), filled(100)), 'no_stream');
  const wallets = new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, {
    store,
    newId,
    now: () => new Date(),
    rememberedOperationsMax: 4 * KEPT_OPERATIONS_MIN,
    archive: archiveOf(store.inner, onAsked),
  });
  const run = (wallet: string, key: string) =>
    wallets.execute(wallet, fill(1), { ...someone, operation: { id: key, contentHash: 'a hash' } });
  return { store, run };
}

describe('a repository whose memory is small', () => {
  it('does everything once, whatever is asked for again, at once or much later', async () => {
    const wanted = fc.record({ wallet: fc.constantFrom(...WALLETS), key: fc.nat({ max: 60 }) });
    const together = fc.array(fc.array(wanted, { minLength: 1, maxLength: 8 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(together, async (rounds) => {
        const { store, run } = await newBench();
        for (const round of rounds) {
          const answers = await Promise.all(round.map(({ wallet, key }) => run(wallet, `key-${key}`)));
          expect(answers.every(({ ok }) => ok)).toBe(true);
        }
        for (const id of WALLETS) {
          const keys = rounds.flat().flatMap(({ wallet, key }) => (wallet === id ? [key] : []));
          const events = await collect(store.inner.readStream(`wallet-${id}`));
          expect(events).toHaveLength(2 + new Set(keys).size);
        }
        await store.close();
      }),
      settings(60),
    );
  });

  it('lets nobody forget while a command is under way', async () => {
    let meanwhile: () => Promise<unknown> = nextTurn;
    const { store, run } = await newBench(() => meanwhile());
    for (let index = 1; index <= 90; index += 1) await run('one', `key-${index}`);
    await run('two', 'key-1');
    const oldestRemembered = 'key-46';
    meanwhile = async () => {
      meanwhile = nextTurn;
      await Promise.all(Array.from({ length: 60 }, (_, index) => run('two', `more-${index}`)));
    };
    const [again, fresh] = await Promise.all([run('one', oldestRemembered), run('one', 'never seen')]);
    expect(again).toMatchObject({ ok: true, value: { replayed: true, revision: 47 } });
    expect(fresh).toMatchObject({ ok: true, value: { revision: 92 } });
    await store.close();
  });

  it('keeps the aggregates themselves in memory', async () => {
    const { store, run } = await newBench();
    for (let index = 0; index < 300; index += 1) await run(WALLETS[index % 3] as string, `key-${index}`);
    expect(store.reads).toHaveLength(WALLETS.length);
    await store.close();
  });
});
