/** The repository: folding, conflicts, stale caches, failures and bounds, on the SQLite store and with faults put in. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import type { AppendResult } from '../../src/event-sourcing/event-store.ts';
import { Repository, type RepositoryOptions } from '../../src/event-sourcing/repository.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { collect, mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import {
  fill,
  filled,
  open,
  opened,
  someone,
  spend,
  spent,
  type Wallet,
  type WalletDecision,
  type WalletEvent,
  type WalletRefusal,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const NOW = '2026-03-04T05:06:07.890Z';

let store: WatchedEventStore;
let wallets: Repository<Wallet, WalletEvent, WalletRefusal>;

beforeEach(() => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  wallets = newRepository();
});
afterEach(() => store.close());

function newRepository(options: Partial<RepositoryOptions<Wallet>> = {}) {
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `00000000-0000-7000-8000-${String(ids).padStart(12, '0')}`;
  };
  return new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, {
    store,
    newId,
    now: () => new Date(NOW),
    ...options,
  });
}

const run = (decide: WalletDecision, id = 'one', expectedRevision?: number) =>
  wallets.execute(id, decide, someone, expectedRevision);

/** Opens a wallet with 100 in it, at revision 1, and forgets how. */
async function givenWallet(id = 'one'): Promise<void> {
  await mustAppend(store, `wallet-${id}`, walletEvents(id, opened(), filled(100)), 'no_stream');
  await wallets.load(id);
  store.forget();
}

/** What another process does: appends without this repository's knowledge. */
async function otherWriter(...events: WalletEvent[]): Promise<void> {
  const result = await store.inner.append('wallet-one', walletEvents('one', ...events), 'any');
  expect(result.ok).toBe(true);
}

const balanceIn = async (id = 'one') => {
  const events = await collect(store.inner.readStream(`wallet-${id}`));
  return events.map(walletCodec.decode).reduce<Wallet | undefined>(walletType.evolve, undefined)?.balance;
};

/** A promise and what settles it, for an append that a test holds up. */
function gate() {
  let release = () => {};
  const passed = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { passed, release };
}

describe('a command', () => {
  it('appends what it decided, and answers state, revision, events and position', async () => {
    const outcome = await run(open('zoe'));
    const [event] = await collect(store.readStream('wallet-one'));
    expect(outcome).toStrictEqual({
      ok: true,
      value: {
        state: { owner: 'zoe', balance: 0 },
        revision: 0,
        events: [opened('zoe')],
        stream: 'wallet-one',
        timestamp: NOW,
        position: event?.position,
      },
    });
  });

  it('writes who asked and what for into the metadata of every event', async () => {
    await givenWallet();
    const context = { ...someone, actor: 'teller-7', traceparent: '00-0-0-00' };
    await wallets.execute('one', fill(1, 2), context);
    const events = await collect(store.readStream('wallet-one', { from: 2 }));
    expect(events.map(({ metadata }) => metadata)).toEqual(
      [1, 2].map(() => ({ aggregate_type: 'Wallet', aggregate_id: 'one', timestamp: NOW, ...context })),
    );
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  });

  it('keeps who asked for it, also when it goes into one append with others', async () => {
    await givenWallet();
    const by = (actor: string) => wallets.execute('one', fill(1), { ...someone, actor });
    await Promise.all([by('ann'), run(spend(1_000)), by('bob')]);
    const events = await collect(store.readStream('wallet-one', { from: 2 }));
    expect(events.map(({ metadata }) => metadata.actor)).toEqual(['ann', 'bob']);
    expect(store.appends).toHaveLength(1);
  });

  it('that is refused appends nothing and answers the refusal', async () => {
    await givenWallet();
    expect(await run(spend(101))).toEqual({ ok: false, rejection: { code: 'too_little', balance: 100 } });
    expect(store.appends).toEqual([]);
  });

  it('that changes nothing appends nothing and answers the state, without a position', async () => {
    await givenWallet();
    expect(await run(fill())).toStrictEqual({
      ok: true,
      value: {
        state: { owner: 'ann', balance: 100 },
        revision: 1,
        events: [],
        stream: 'wallet-one',
        timestamp: NOW,
      },
    });
    expect(store.appends).toEqual([]);
  });

  it('that is accepted for an aggregate which its events do not create is a mistake of the program', async () => {
    await expect(run(() => ({ ok: true, value: [] }))).rejects.toThrow('without an event that creates it');
    expect(await wallets.load('one')).toBeUndefined();
  });

  it('reads nothing when the state is cached and the append proves it right', async () => {
    await givenWallet();
    for (let amount = 1; amount <= 5; amount += 1) await run(fill(amount));
    expect(store.reads).toEqual([]);
    expect(store.appends.map(({ expected }) => expected)).toEqual([1, 2, 3, 4, 5]);
  });

  it('of a new aggregate expects that there is no stream', async () => {
    await run(open());
    expect(store.appends.map(({ expected }) => expected)).toEqual(['no_stream']);
  });
});

describe('a creation', () => {
  const create = (decide: WalletDecision) => wallets.create('one', decide, someone);

  it('reads nothing first: the append finds out', async () => {
    expect(await create(open())).toMatchObject({ ok: true, value: { revision: 0, state: { owner: 'ann' } } });
    expect(store.reads).toEqual([]);
  });

  it('of what exists in the store but not in memory is decided anew on that', async () => {
    await otherWriter(opened(), filled(7));
    expect(await create(open('bob'))).toMatchObject({ ok: false, rejection: { code: 'exists' } });
    expect(await create(fill(3))).toMatchObject({ ok: true, value: { revision: 2, state: { balance: 10 } } });
  });

  it('that refuses what is not there looks whether it is', async () => {
    await otherWriter(opened());
    expect(await create(fill(3))).toMatchObject({ ok: true, value: { revision: 1 } });
    expect(store.appends.map(({ expected }) => expected)).toEqual([0]);
  });

  it('that waits together with another command is decided on what is there', async () => {
    await otherWriter(opened(), filled(7));
    const [created, filledUp] = await Promise.all([create(open('bob')), run(fill(1))]);
    expect(created).toMatchObject({ ok: false, rejection: { code: 'exists' } });
    expect(filledUp).toMatchObject({ ok: true, value: { state: { balance: 8 } } });
    expect(store.appends).toHaveLength(1);
  });
});

describe('commands that wait for one stream', () => {
  it('are folded into one append, each decided on the state that the ones before leave', async () => {
    await givenWallet();
    const commands = [fill(50), spend(150), fill(7), spend(7), fill(1, 2, 3)];
    const outcomes = await Promise.all(commands.map((command) => run(command)));
    expect(outcomes.map((outcome) => outcome.ok && outcome.value.state.balance)).toEqual([150, 0, 7, 0, 6]);
    expect(outcomes.map((outcome) => outcome.ok && outcome.value.revision)).toEqual([2, 3, 4, 5, 8]);
    expect(store.appends).toHaveLength(1);
    expect(store.appends[0]).toMatchObject({ stream: 'wallet-one', expected: 1 });
    expect(store.appends[0]?.events).toHaveLength(7);
    expect(await balanceIn()).toBe(6);
  });

  it('may create the aggregate and use it at once', async () => {
    const outcomes = await Promise.all([run(open()), run(fill(5)), run(spend(5)), run(open('bob'))]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, false]);
    expect(store.appends).toHaveLength(1);
    expect((await wallets.load('one'))?.revision).toBe(2);
  });

  it('are not disturbed by a refusal in the middle', async () => {
    await givenWallet();
    const outcomes = await Promise.all([run(spend(60)), run(spend(60)), run(spend(40)), run(spend(1))]);
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.value.state.balance : outcome.rejection))).toEqual(
      [40, { code: 'too_little', balance: 40 }, 0, { code: 'too_little', balance: 0 }],
    );
    expect(store.appends).toHaveLength(1);
    expect(store.reads).toEqual([]);
  });

  it('are not disturbed by one whose decision throws', async () => {
    await givenWallet();
    const broken: WalletDecision = () => {
      throw new RangeError('broken rule');
    };
    const outcomes = await Promise.allSettled([run(spend(60)), run(broken), run(spend(40))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { message: 'broken rule' } });
    expect(await balanceIn()).toBe(0);
  });

  it('are not disturbed by one whose events cannot be folded', async () => {
    const impossible: WalletDecision = () => ({ ok: true, value: [filled(1)] });
    const outcomes = await Promise.allSettled([run(impossible), run(open()), run(fill(1))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(await balanceIn()).toBe(1);
  });

  it('wait for the append under way, and then go together', async () => {
    await givenWallet();
    const { passed, release } = gate();
    store.onAppend = async (proceed) => {
      await passed;
      return proceed();
    };
    const first = run(fill(1));
    await nextTurn();
    const others = Array.from({ length: 20 }, () => run(fill(1)));
    await nextTurn();
    expect(store.appends).toHaveLength(1);
    release();
    await Promise.all([first, ...others]);
    expect(store.appends.map(({ events }) => events.length)).toEqual([1, 20]);
    expect(await balanceIn()).toBe(121);
  });

  it('of different streams do not wait for each other', async () => {
    await givenWallet();
    const { passed, release } = gate();
    store.onAppend = async (proceed, { stream }) => {
      if (stream === 'wallet-one') await passed;
      return proceed();
    };
    const held = run(fill(1));
    expect((await run(open(), 'two')).ok).toBe(true);
    release();
    expect((await held).ok).toBe(true);
  });

  it('go into several appends when there are very many', async () => {
    await givenWallet();
    await Promise.all(Array.from({ length: 1_200 }, () => run(fill(1))));
    expect(store.appends.map(({ events }) => events.length)).toEqual([500, 500, 200]);
    expect(await balanceIn()).toBe(1_300);
  });

  it('are refused as busy when too many wait, and the others are not hurt', async () => {
    await givenWallet();
    const outcomes = await Promise.allSettled(Array.from({ length: 5_010 }, () => run(fill(1))));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(10);
    for (const one of refused) {
      expect(one).toMatchObject({ reason: { name: 'StoreError', code: 'busy', temporary: true } });
    }
    expect(outcomes.slice(-10)).toEqual(refused);
    expect(await balanceIn()).toBe(5_100);
    expect((await run(fill(1))).ok).toBe(true);
  });
});

describe('an answer', () => {
  it.each<[string, WalletDecision]>([
    ['an acceptance', fill(1)],
    ['a refusal of the same group', spend(1_000)],
    ['one that changed nothing, of the same group', fill()],
  ])('goes out only after the append is durable: %s', async (_, command) => {
    await givenWallet();
    const { passed, release } = gate();
    let durable = false;
    store.onAppend = async (proceed) => {
      const result = await proceed();
      await passed;
      durable = true;
      return result;
    };
    const answers: boolean[] = [];
    const note = () => void answers.push(durable);
    const asked = [run(fill(1)).then(note), run(command).then(note)];
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(answers).toEqual([]);
    release();
    await Promise.all(asked);
    expect(answers).toEqual([true, true]);
  });

  it('of load shows nothing that is not durable', async () => {
    await givenWallet();
    const { passed, release } = gate();
    store.onAppend = async (proceed) => {
      await passed;
      return proceed();
    };
    const asked = run(fill(1));
    await nextTurn();
    expect(await wallets.load('one')).toEqual({ state: { owner: 'ann', balance: 100 }, revision: 1 });
    release();
    await asked;
    expect(await wallets.load('one')).toEqual({ state: { owner: 'ann', balance: 101 }, revision: 2 });
  });
});

describe('another writer who was faster', () => {
  it('makes the group read the tail only, and decide again', async () => {
    await givenWallet();
    await otherWriter(spent(70));
    const outcomes = await Promise.all([run(spend(30)), run(spend(30))]);
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.value.state.balance : outcome.rejection))).toEqual(
      [0, { code: 'too_little', balance: 0 }],
    );
    expect(store.reads).toEqual([{ stream: 'wallet-one', from: 2, given: 1 }]);
    expect(store.appends.map(({ expected, events }) => [expected, events.length])).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(await balanceIn()).toBe(0);
  });

  it('may turn every command of the group into a refusal', async () => {
    await givenWallet();
    await otherWriter(spent(100));
    expect(await run(spend(30))).toEqual({ ok: false, rejection: { code: 'too_little', balance: 0 } });
  });

  it('who creates the aggregate first wins', async () => {
    store.onAppend = async (proceed) => {
      store.onAppend = undefined;
      await otherWriter(opened('bob'));
      return proceed();
    };
    expect(await run(open('ann'))).toEqual({ ok: false, rejection: { code: 'exists', balance: 0 } });
    expect((await wallets.load('one'))?.state.owner).toBe('bob');
  });

  it('again and again ends in busy after a bounded number of tries, and nothing was written', async () => {
    await givenWallet();
    store.onAppend = async (proceed) => {
      await otherWriter(filled(1));
      return proceed();
    };
    await expect(run(fill(1_000))).rejects.toMatchObject({ name: 'StoreError', code: 'busy' });
    expect(store.appends).toHaveLength(8);
    expect(await balanceIn()).toBe(108);
    store.onAppend = undefined;
    expect(await run(fill(1))).toMatchObject({ ok: true, value: { state: { balance: 109 } } });
  });

  it('a few times is no trouble', async () => {
    await givenWallet();
    let left = 7;
    store.onAppend = async (proceed) => {
      left -= 1;
      if (left >= 0) await otherWriter(filled(1));
      return proceed();
    };
    expect(await run(fill(1_000))).toMatchObject({ ok: true, value: { revision: 9 } });
    expect(await balanceIn()).toBe(1_107);
  });
});

describe('a stale cache', () => {
  it('does not refuse what another writer has made possible', async () => {
    await givenWallet();
    await otherWriter(filled(50));
    expect(await run(spend(120))).toMatchObject({ ok: true, value: { state: { balance: 30 }, revision: 3 } });
    expect(store.reads[0]).toEqual({ stream: 'wallet-one', from: 2, given: 1 });
  });

  it('does not hide an aggregate that another writer has created', async () => {
    expect(await run(fill(1))).toMatchObject({ ok: false, rejection: { code: 'missing' } });
    await otherWriter(opened());
    expect(await run(fill(1))).toMatchObject({ ok: true, value: { revision: 1 } });
    expect(await wallets.exists('one')).toBe(true);
  });

  it('does not answer an old state to a command that changes nothing', async () => {
    await givenWallet();
    await otherWriter(filled(50));
    expect(await run(fill())).toMatchObject({ ok: true, value: { state: { balance: 150 }, revision: 2 } });
  });

  it('does not refuse the revision that the stream has by now', async () => {
    await givenWallet();
    await otherWriter(filled(50));
    expect(await run(fill(1), 'one', 2)).toMatchObject({ ok: true, value: { revision: 3 } });
  });

  it('gives up after a bounded number of looks when the stream never stands still', async () => {
    await givenWallet();
    store.onRead = () => otherWriter(filled(1));
    await expect(run(spend(10_000))).rejects.toMatchObject({ name: 'StoreError', code: 'busy' });
    expect(store.reads).toHaveLength(8);
  });
});

describe('an expected revision', () => {
  it('that the stream has lets the command through', async () => {
    await givenWallet();
    expect(await run(fill(1), 'one', 1)).toMatchObject({ ok: true, value: { revision: 2 } });
  });

  it.each([0, 2, 99])(
    'of %i, which the stream does not have, is refused with the actual one',
    async (revision) => {
      await givenWallet();
      expect(await run(fill(1), 'one', revision)).toEqual({
        ok: false,
        rejection: { code: 'revision_mismatch', actual: 1 },
      });
      expect(store.appends).toEqual([]);
    },
  );

  it('is compared with what the commands before leave: the first of two with the same one wins', async () => {
    await givenWallet();
    const outcomes = await Promise.all([
      run(fill(1), 'one', 1),
      run(fill(2), 'one', 1),
      run(fill(4), 'one', 2),
    ]);
    expect(outcomes.map((outcome) => outcome.ok || outcome.rejection)).toEqual([
      true,
      { code: 'revision_mismatch', actual: 2 },
      true,
    ]);
    expect(await balanceIn()).toBe(105);
  });

  it('that another writer has used up is refused after the conflict', async () => {
    await givenWallet();
    await otherWriter(filled(1));
    expect(await run(fill(1), 'one', 1)).toEqual({
      ok: false,
      rejection: { code: 'revision_mismatch', actual: 2 },
    });
    expect(await balanceIn()).toBe(101);
  });

  it('leaves the refusal of an aggregate that does not exist to the decision', async () => {
    expect(await run(fill(1), 'none', 3)).toMatchObject({ ok: false, rejection: { code: 'missing' } });
  });
});

describe('a store that fails', () => {
  const failing = () => Promise.reject<AppendResult>(new StoreError('disk_full', 'There is no room.'));

  it('makes all commands of the append fail, also the refused ones, and the next ones work', async () => {
    await givenWallet();
    store.onAppend = failing;
    const outcomes = await Promise.allSettled([run(fill(1)), run(spend(1_000)), run(fill())]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'disk_full' } });
    }
    store.onAppend = undefined;
    expect(await run(spend(100))).toMatchObject({ ok: true, value: { state: { balance: 0 }, revision: 2 } });
    expect(await balanceIn()).toBe(0);
  });

  it('does not let its failure reach commands that came later', async () => {
    await givenWallet();
    const { passed, release } = gate();
    store.onAppend = async (proceed) => {
      if (store.appends.length > 1) return proceed();
      await passed;
      return failing();
    };
    const first = run(fill(1));
    await nextTurn();
    const both = Promise.allSettled([first, run(fill(2))]);
    release();
    const [failed, fine] = await both;
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'disk_full' } });
    expect(fine).toMatchObject({ value: { ok: true, value: { state: { balance: 102 } } } });
  });

  it('after it has written leaves no doubt behind: the next command sees what was written', async () => {
    await givenWallet();
    store.onAppend = async (proceed) => {
      await proceed();
      throw new StoreError('unavailable', 'The answer got lost.');
    };
    await expect(run(spend(100))).rejects.toMatchObject({ code: 'unavailable' });
    store.onAppend = undefined;
    expect(await run(spend(100))).toEqual({ ok: false, rejection: { code: 'too_little', balance: 0 } });
    expect(await balanceIn()).toBe(0);
  });

  it('throwing at once instead of rejecting is the same', async () => {
    await givenWallet();
    store.onAppend = () => {
      throw new StoreError('closed', 'It is closed.');
    };
    await expect(run(fill(1))).rejects.toMatchObject({ code: 'closed' });
    store.onAppend = undefined;
    expect((await run(fill(1))).ok).toBe(true);
  });

  it('while reading makes the commands fail, and the next ones work', async () => {
    await mustAppend(store, 'wallet-one', walletEvents('one', opened()), 'no_stream');
    store.onRead = () => Promise.reject(new StoreError('unavailable', 'It does not answer.'));
    const outcomes = await Promise.allSettled([run(fill(1)), run(fill(2)), wallets.load('one')]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
    store.onRead = undefined;
    expect(await run(fill(4))).toMatchObject({ ok: true, value: { state: { balance: 4 } } });
  });

  it('between a conflict and the tail makes the commands fail, and the next ones work', async () => {
    await givenWallet();
    await otherWriter(filled(1));
    store.onRead = () => Promise.reject(new StoreError('unavailable', 'It does not answer.'));
    await expect(run(fill(1))).rejects.toMatchObject({ code: 'unavailable' });
    store.onRead = undefined;
    expect(await run(fill(1))).toMatchObject({ ok: true, value: { state: { balance: 102 } } });
  });
});

describe('a stream that cannot be understood', () => {
  it('makes commands and loads fail as corrupt, and caches nothing half-read', async () => {
    await mustAppend(
      store,
      'wallet-one',
      [...walletEvents('one', opened()), newEvent({ type: 'WalletBurntV1' })],
      'no_stream',
    );
    for (let time = 0; time < 2; time += 1) {
      await expect(wallets.load('one')).rejects.toMatchObject({ name: 'StoreError', code: 'corrupt' });
      await expect(run(fill(1))).rejects.toMatchObject({ name: 'StoreError', code: 'corrupt' });
    }
    expect(store.reads.filter(({ from }) => from !== 0)).toEqual([]);
  });
});

describe('load and exists', () => {
  it('of an aggregate that was never created', async () => {
    expect(await wallets.load('none')).toBeUndefined();
    expect(await wallets.exists('none')).toBe(false);
  });

  it('of one that was', async () => {
    await givenWallet();
    expect(await wallets.load('one')).toEqual({ state: { owner: 'ann', balance: 100 }, revision: 1 });
    expect(await wallets.exists('one')).toBe(true);
  });

  it('see what another writer did: load reads the tail, exists not even that', async () => {
    await givenWallet();
    await otherWriter(filled(1));
    expect(await wallets.exists('one')).toBe(true);
    expect(store.reads).toEqual([]);
    expect(await wallets.load('one')).toMatchObject({ state: { balance: 101 }, revision: 2 });
    expect(store.reads).toEqual([{ stream: 'wallet-one', from: 2, given: 1 }]);
  });

  it('do not remember that there was nothing', async () => {
    expect(await wallets.exists('one')).toBe(false);
    await otherWriter(opened());
    expect(await wallets.exists('one')).toBe(true);
  });

  it('read a long stream page by page', async () => {
    await mustAppend(
      store,
      'wallet-one',
      walletEvents('one', opened(), ...Array(1_500).fill(filled(2))),
      'no_stream',
    );
    expect(await wallets.load('one')).toMatchObject({ state: { balance: 3_000 }, revision: 1_500 });
  });

  it('that take long do not undo what a command did meanwhile', async () => {
    await givenWallet();
    const { passed, release } = gate();
    store.onRead = () => passed;
    const loading = wallets.load('one');
    await nextTurn();
    store.onRead = undefined;
    await run(fill(1));
    release();
    await loading;
    expect(await run(spend(101))).toMatchObject({ ok: true, value: { state: { balance: 0 }, revision: 3 } });
  });
});

describe('the cache', () => {
  it('is bounded: what was evicted is read again and right', async () => {
    wallets = newRepository({ cachedAggregatesMax: 2 });
    const ids = ['one', 'two', 'three', 'four'];
    for (const id of ids) await givenWallet(id);
    for (const id of ids) {
      expect(await run(spend(40), id)).toMatchObject({ ok: true, value: { state: { balance: 60 } } });
    }
    expect(store.reads.filter(({ from }) => from === 0).map(({ stream }) => stream)).toEqual(
      ids.map((id) => `wallet-${id}`),
    );
    for (const id of ids) {
      expect(await run(spend(61), id)).toEqual({ ok: false, rejection: { code: 'too_little', balance: 60 } });
    }
  });

  it('of one aggregate is enough to work with', async () => {
    wallets = newRepository({ cachedAggregatesMax: 1 });
    await Promise.all(['one', 'two', 'three'].map((id) => run(open(), id)));
    await Promise.all(['one', 'two', 'three'].flatMap((id) => [run(fill(1), id), run(fill(2), id)]));
    for (const id of ['one', 'two', 'three']) expect(await balanceIn(id)).toBe(3);
  });
});

describe('two repositories over one store', () => {
  it('never lose or double a change', async () => {
    await givenWallet();
    const other = newRepository({ newId: () => crypto.randomUUID() });
    const both = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? wallets : other).execute('one', index % 4 < 2 ? fill(3) : spend(2), someone),
    );
    const outcomes = await Promise.all(both);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(await balanceIn()).toBe(100 + 20 * 3 - 20 * 2);
  });

  it('open a wallet once', async () => {
    const other = newRepository({ newId: () => crypto.randomUUID() });
    const outcomes = await Promise.all([run(open('ann')), other.execute('one', open('bob'), someone)]);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await collect(store.readStream('wallet-one'))).toHaveLength(1);
  });
});

describe('an old event version', () => {
  it('is read as the current one: an account that was opened with V1 takes commands', async () => {
    const accounts = new Repository(
      bankAccountType,
      createBankCodec('EUR') as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>,
      { store, newId: () => crypto.randomUUID(), now: () => new Date(NOW) },
    );
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: 'a-1' });
    const data = { owner_id: 'p-1', overdraft_limit: '500' };
    const type = 'BankAccountCreatedDomainEventV1';
    await mustAppend(store, 'bank-account-a1', [newEvent({ type, data, metadata })], 'no_stream');
    const state = {
      owner_id: 'p-1',
      account_type: 'CHECKING',
      currency: 'EUR',
      status: 'ACTIVE',
      frozen: null,
      balance: 0n,
      overdraft_limit: 50_000n,
      held: 0n,
      holds: {},
      limits: { transaction: null, daily: null },
      debited: { day: '', amount: 0n },
      reversed: {},
      terms: null,
      accrual: null,
    };
    expect(await accounts.load('a-1')).toEqual({ state, revision: 0 });
    const closed: BankAccountEvent = {
      type: 'BankAccountClosedDomainEventV1',
      data: { reason: 'moved', final_balance: '0.00' },
    };
    const outcome = await accounts.execute('a-1', () => ({ ok: true, value: [closed] }), someone);
    expect(outcome).toMatchObject({
      ok: true,
      value: { state: { ...state, status: 'CLOSED' }, revision: 1 },
    });
  });
});
