/** Operations: what is asked for twice is done once, and answered the same, whatever happens between. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import {
  type Operation,
  OperationLog,
  operationMetadata,
  REMEMBERED_OPERATIONS_MAX,
} from '../../src/event-sourcing/operation-log.ts';
import { Repository, type RepositoryOptions } from '../../src/event-sourcing/repository.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { newId } from '../../src/new-id.ts';
import { collect, mustAppend } from '../support/event-builders.ts';
import {
  fill,
  filled,
  open,
  opened,
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
let wallets: Repository<Wallet, WalletEvent, WalletRefusal>;
let clock = 0;
beforeEach(() => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  wallets = newRepository();
});
afterEach(() => store.close());

/** Another one knows nothing: it stands for another process, or for this one after a restart. */
function newRepository(options: Partial<RepositoryOptions<Wallet>> = {}) {
  const now = () => {
    clock += 1_000;
    return new Date(clock);
  };
  return new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, {
    store,
    newId,
    now,
    ...options,
  });
}

const operation = (id: string, contentHash = `content of ${id}`) => ({ id, contentHash });
const run = (decide: WalletDecision, of?: Operation, expected?: number, on = wallets) =>
  on.execute('one', decide, of ? { ...someone, operation: of } : someone, expected);

async function givenWallet(...events: WalletEvent[]): Promise<void> {
  await mustAppend(store, 'wallet-one', walletEvents('one', opened(), filled(100), ...events), 'no_stream');
}

const count = async () => (await collect(store.inner.readStream('wallet-one'))).length;

describe('an operation', () => {
  it('stands in the metadata of each of its events', async () => {
    await givenWallet();
    await run(fill(1, 2), operation('a'));
    const events = await collect(store.readStream('wallet-one', { from: 2 }));
    expect(events.map(({ metadata }) => metadata)).toMatchObject([
      { idempotency_key: 'a', idempotency_hash: 'content of a' },
      { idempotency_key: 'a', idempotency_hash: 'content of a' },
    ]);
    expect(events[0]?.metadata).not.toHaveProperty('operation');
  });

  it('that has two names is found by either, by all who have read the stream, and its log is bounded', async () => {
    await givenWallet();
    const both = { ...operation('a'), alias: operation('b') };
    const first = await run(fill(1), both);
    expect((await collect(store.readStream('wallet-one', { from: 2 })))[0]?.metadata).toMatchObject({
      idempotency_key: 'a',
      idempotency_hash: 'content of a',
      idempotency_alias: 'b',
      idempotency_alias_hash: 'content of b',
    });
    for (const on of [wallets, newRepository()]) {
      for (const again of [
        both,
        operation('a'),
        operation('b'),
        { ...operation('b'), alias: operation('c') },
      ]) {
        const outcome = await run(fill(1), again, undefined, on);
        expect(outcome).toMatchObject({
          value: { replayed: true, revision: first.ok && first.value.revision },
        });
      }
      for (const [other, operationId] of [
        [operation('b', 'other'), 'b'],
        [{ ...operation('c'), alias: operation('a', 'other') }, 'a'],
        [{ ...operation('a', 'other'), alias: operation('b', 'other') }, 'a'],
      ] as const) {
        const refused = await run(fill(1), other, undefined, on);
        expect(refused).toEqual({ ok: false, rejection: { code: 'idempotency_conflict', operationId } });
      }
    }
    const log = new OperationLog();
    for (let n = 1; n <= REMEMBERED_OPERATIONS_MAX; n += 1)
      log.note({ ...operation(`a${n}`), alias: operation(`b${n}`) }, n, n);
    expect([log.size, log.find('a500'), log.horizon]).toEqual([REMEMBERED_OPERATIONS_MAX, undefined, 'a501']);
  });

  it('that comes again gets the first answer again, and writes nothing', async () => {
    await givenWallet();
    const first = await run(fill(1, 2), operation('a'));
    const again = await run(fill(1, 2), operation('a'));
    expect(first.ok && again.ok && again.value).toStrictEqual({
      ...(first.ok && first.value),
      replayed: true,
    });
    expect(await count()).toBe(4);
  });

  it('gets its first answer also after others, with the state as it was then', async () => {
    await givenWallet();
    const first = await run(spend(60), operation('a'));
    await run(fill(500), operation('b'));
    await run(spend(1));
    const again = await run(spend(60), operation('a'));
    expect(again).toStrictEqual({ ok: true, value: { ...(first.ok ? first.value : {}), replayed: true } });
    expect(again.ok && again.value.state.balance).toBe(40);
    expect(await count()).toBe(5);
  });

  it('that comes again where it would be refused by now gets its first answer', async () => {
    await givenWallet();
    await run(spend(100), operation('a'));
    expect(await run(spend(100), operation('a'))).toMatchObject({ ok: true, value: { replayed: true } });
    expect(await run(spend(100), operation('b'))).toMatchObject({ ok: false });
  });

  it('is known after a restart, and to another process', async () => {
    await givenWallet();
    const first = await run(spend(60), operation('a'));
    const again = await run(spend(60), operation('a'), undefined, newRepository());
    expect(again).toStrictEqual({ ok: true, value: { ...(first.ok ? first.value : {}), replayed: true } });
    expect(await count()).toBe(3);
  });

  it('that two processes are asked for at once is done by one', async () => {
    await givenWallet();
    const other = newRepository();
    await Promise.all([wallets.load('one'), other.load('one')]);
    const answers = await Promise.all([
      run(spend(60), operation('a')),
      run(spend(60), operation('a'), undefined, other),
    ]);
    expect(answers.map((one) => one.ok && one.value.replayed === true).toSorted()).toEqual([false, true]);
    expect(await count()).toBe(3);
  });

  it('that is asked for many times at once is done once', async () => {
    await givenWallet();
    const answers = await Promise.all(Array.from({ length: 20 }, () => run(fill(1), operation('a'))));
    expect(answers.filter((one) => one.ok && one.value.replayed)).toHaveLength(19);
    expect(new Set(answers.map((one) => one.ok && one.value.position)).size).toBe(1);
    expect(store.appends).toHaveLength(2);
    expect(await count()).toBe(3);
  });

  it('with another content is a conflict, alone and in one append with the first', async () => {
    await givenWallet();
    const conflict = { ok: false, rejection: { code: 'idempotency_conflict', operationId: 'a' } };
    const [first, second] = await Promise.all([
      run(fill(1), operation('a')),
      run(fill(2), operation('a', 'something else')),
    ]);
    expect([first?.ok, second]).toEqual([true, conflict]);
    expect(await run(fill(2), operation('a', 'something else'))).toEqual(conflict);
    expect(await count()).toBe(3);
  });

  it('that was refused may be tried again', async () => {
    await givenWallet();
    expect(await run(spend(500), operation('a'))).toMatchObject({ ok: false });
    await run(fill(1_000));
    expect(await run(spend(500), operation('a', 'corrected'))).toMatchObject({ ok: true });
  });

  it('that changed nothing is not remembered', async () => {
    await givenWallet();
    await run(fill(), operation('a'));
    expect(await run(fill(5), operation('a', 'another'))).toMatchObject({ ok: true });
  });

  it('is not held against the revision that its client saw before it', async () => {
    await givenWallet();
    await run(fill(1), operation('a'), 1);
    expect(await run(fill(1), operation('a'), 1)).toMatchObject({ ok: true, value: { replayed: true } });
    expect(await run(fill(1), operation('b'), 1)).toMatchObject({ ok: false });
  });

  it('whose append got through without an answer is found when it is tried again', async () => {
    await givenWallet();
    store.onAppend = async (proceed) => {
      await proceed();
      throw new StoreError('unavailable', 'The answer got lost.');
    };
    await expect(run(spend(60), operation('a'))).rejects.toThrow('lost');
    store.onAppend = undefined;
    expect(await run(spend(60), operation('a'))).toMatchObject({ ok: true, value: { replayed: true } });
    expect(await count()).toBe(3);
  });

  it('that created the aggregate is known for ever', async () => {
    await run(open('zoe'), operation('creation'));
    for (let number = 0; number < REMEMBERED_OPERATIONS_MAX + 5; number += 100) {
      const group = Array.from({ length: 100 }, (_, index) => run(fill(1), operation(`${number + index}`)));
      await Promise.all(group);
    }
    for (const repository of [wallets, newRepository()]) {
      const again = await run(open('zoe'), operation('creation'), undefined, repository);
      expect(again).toMatchObject({
        ok: true,
        value: { replayed: true, state: { balance: 0 }, revision: 0 },
      });
    }
  });

  it('whose events are gone fails, and is not done again', async () => {
    await givenWallet();
    await run(fill(1), operation('a'));
    await run(fill(1), operation('b'));
    await store.setStreamMetadata('wallet-one', { truncateBefore: 3 });
    await expect(run(fill(1), operation('a'))).rejects.toThrow('are gone');
  });

  it('takes its place in the bound of the cache', async () => {
    const small = newRepository({ cachedAggregatesMax: 2 });
    for (const id of ['a', 'b', 'c']) {
      await small.execute(id, open(), { ...someone, operation: operation('creation') });
      await small.execute(id, fill(1), { ...someone, operation: operation('x') });
    }
    const again = await small.execute('a', fill(1), { ...someone, operation: operation('x') });
    expect(again).toMatchObject({ ok: true, value: { replayed: true } });
  });
});

describe('an operation log', () => {
  it('remembers the newest ones, and that which came first of all', () => {
    const log = new OperationLog();
    const last = REMEMBERED_OPERATIONS_MAX + 10;
    for (let revision = 0; revision <= last; revision += 1) {
      log.note(operation(`op-${revision}`), revision, revision);
    }
    expect(log.size).toBe(REMEMBERED_OPERATIONS_MAX);
    expect(log.find('op-0')).toMatchObject({ firstRevision: 0, lastRevision: 0 });
    expect(log.find(`op-${last - REMEMBERED_OPERATIONS_MAX}`)).toBeUndefined();
    expect(log.find(`op-${last - REMEMBERED_OPERATIONS_MAX + 1}`)).toBeDefined();
  });

  it('joins the events of one operation, in whatever order and however often they are noted', () => {
    const log = new OperationLog();
    for (const revision of [4, 5, 6, 5, 4]) log.note(operation('a'), revision, revision);
    expect(log.find('a')).toEqual({ contentHash: 'content of a', firstRevision: 4, lastRevision: 6 });
    log.note(operation('creation'), 0, 0);
    log.note(operation('creation'), 1, 1);
    expect(log.find('creation')).toMatchObject({ firstRevision: 0, lastRevision: 1 });
    expect(log.size).toBe(1);
  });

  it('keeps the order of the stream when what it has forgotten is noted again by a load that is slow', () => {
    const log = new OperationLog();
    const noteAll = () => {
      for (let revision = 1; revision <= 10; revision += 1)
        log.note(operation(`op-${revision}`), revision, revision);
    };
    noteAll();
    log.keepNewest(3);
    noteAll();
    expect([log.size, log.horizon]).toEqual([3, 'op-8']);
    log.keepNewest(1);
    expect([log.size, log.horizon]).toEqual([1, 'op-10']);
  });

  it('is not needed without operations', () => {
    expect(operationMetadata(undefined)).toEqual({});
  });
});
