/** The projector when something fails: dead letters, blocked documents, retries, and one loop that never gives up. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Recorded } from '../../src/event-sourcing/codec.ts';
import { WAITS_FOR_EARLIER } from '../../src/event-sourcing/dead-letter.ts';
import type { EventMetadata, SubscriptionBatch } from '../../src/event-sourcing/event-store.ts';
import { TemporaryError } from '../../src/event-sourcing/projection.ts';
import { Projector } from '../../src/event-sourcing/projector.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import {
  filled,
  opened,
  spent,
  WALLET_STREAM_PREFIX,
  type WalletEvent,
  walletCodec,
} from '../support/wallet.ts';
import { failingOn, movements, owners, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let bench: ProjectorFixture;
beforeEach(() => {
  bench = new ProjectorFixture();
});
afterEach(() => bench.dispose());

/** An amount that no fold of these tests can take. */
const POISON = 666;
const isPoison = (event: Recorded<WalletEvent>) =>
  event.type !== 'WalletOpenedV1' && event.data.amount === POISON;
const poisoned = failingOn(wallets, (event) =>
  isPoison(event) ? new RangeError('no such amount') : undefined,
);

const CAUSE = 'RangeError: no such amount';
const letter = (revision: number, cause = CAUSE, attempts = 1) => ({
  projection: 'wallets',
  documentKey: 'a',
  revision,
  cause,
  attempts,
});
const waiting = (revision: number) => letter(revision, WAITS_FOR_EARLIER, 0);

const unavailable = () => new StoreError('unavailable', 'It does not answer.');

/** Throws what it is given once, and later nothing. */
function once(error: () => Error): () => void {
  let left = 1;
  return () => {
    left -= 1;
    if (left >= 0) throw error();
  };
}

describe('an event that cannot be folded', () => {
  it('becomes a dead letter that says what, where and why', async () => {
    const [, poison] = await bench.record('a', opened(), filled(POISON));
    const startedAt = new Date().toISOString();
    const running = await bench.project({ projections: [poisoned] });
    const [dead] = await bench.readModels.listDeadLetters({ limit: 10 });
    expect(dead).toEqual({
      projection: 'wallets',
      documentKey: 'a',
      position: 2n,
      stream: 'wallet-a',
      revision: 1,
      eventId: poison?.id,
      eventType: 'WalletFilledV1',
      cause: CAUSE,
      attempts: 1,
      deadSince: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect((dead?.deadSince ?? '') >= startedAt).toBe(true);
    expect(running.problems).toEqual([{ kind: 'dead_letter', letter: dead }]);
  });

  it('blocks its document as it was, and later events of the document wait', async () => {
    await bench.record('a', opened(), filled(5), filled(POISON), filled(1));
    await bench.project({ projections: [poisoned] });
    await bench.record('a', spent(2), filled(POISON));
    await bench.project({ projections: [poisoned] });
    expect(await bench.deadLetters()).toEqual([letter(2), waiting(3), waiting(4), waiting(5)]);
    expect(await bench.readModels.get(wallets, 'a')).toEqual({
      key: 'a',
      sequence: 1n,
      position: 3n,
      blocked: true,
      document: { id: 'a', owner: 'ann', balance: 5, changes: 2, revision: 1 },
    });
  });

  it('holds up no other document, no other projection, and not the checkpoint', async () => {
    await bench.record('a', opened('ann'), filled(POISON));
    await bench.record('b', opened('bob'), filled(7));
    await bench.record('a', filled(1));
    const running = await bench.project({ projections: [poisoned, movements, owners] });
    expect(await bench.wallet('b')).toEqual([7, 2]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: POISON + 1 });
    expect(Object.keys(await bench.documents(movements))).toHaveLength(3);
    expect(new Set(Object.values(await bench.checkpoints()))).toEqual(new Set([5n]));
    expect(running.count('retrying')).toBe(0);
  });

  it('as the first of its document leaves one without a body', async () => {
    await bench.record('a', filled(POISON), filled(1));
    const running = await bench.project({ projections: [poisoned] });
    expect(await bench.readModels.get(wallets, 'a')).toEqual({
      key: 'a',
      sequence: 1n,
      position: 1n,
      blocked: true,
    });
    expect(await bench.deadLetters()).toEqual([letter(0), waiting(1)]);
    expect(running.count('dead_letter')).toBe(2);
  });

  it('is stored once, however often it is delivered', async () => {
    await bench.record('a', opened(), filled(POISON), filled(1));
    bench.readModels.onCommit = (proceed, changes) => proceed({ ...changes, checkpoints: [] });
    for (let time = 0; time < 3; time += 1) {
      const running = await bench.start({ projections: [poisoned] });
      await eventually('the first commit', () => running.projected > 0);
      await running.stop();
    }
    expect(await bench.deadLetters()).toEqual([letter(1), waiting(2)]);
  });

  it('is stored and reported once, whichever of the batches of a commit it comes in', async () => {
    bench.inBatchesOf(2);
    await bench.record('a', opened(), filled(POISON), filled(1), filled(1), filled(1));
    await bench.record('b', opened(), filled(POISON));
    const running = await bench.start({ projections: [poisoned], commitEvents: 100 });
    await running.caughtUp();
    await bench.record('b', filled(1));
    await running.caughtUp();
    const ofB = [letter(1), waiting(2)].map((one) => ({ ...one, documentKey: 'b' }));
    expect(await bench.deadLetters()).toEqual([letter(1), waiting(2), waiting(3), waiting(4), ...ofB]);
    expect(running.count('dead_letter')).toBe(6);
    expect(bench.readModels.commits).toHaveLength(2);
  });

  it('is not reported again when a new projection reads the log from the start', async () => {
    await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.project({ projections: [poisoned] });
    const running = await bench.project({ projections: [poisoned, movements] });
    expect(running.problems).toEqual([]);
    expect(await bench.deadLetters()).toEqual([letter(1), waiting(2)]);
  });

  it('of a document that is written once blocks that one only', async () => {
    const failing = failingOn(movements, (event) =>
      isPoison(event) ? new RangeError('no such amount') : undefined,
    );
    const [, poison, fine] = await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.project({ projections: [wallets, failing] });
    expect(await bench.readModels.get(movements, poison?.id ?? '')).toMatchObject({ blocked: true });
    expect(await bench.readModels.get(movements, fine?.id ?? '')).toMatchObject({ blocked: false });
    expect(await bench.deadLetters()).toEqual([
      { ...letter(1), projection: 'movements', documentKey: poison?.id },
    ]);
  });

  it('into one of its documents is folded into its other ones', async () => {
    const copies = failingOn(
      {
        ...wallets,
        keys: (event) => ['first', 'second', 'third'].map((copy) => copy + event.metadata.aggregate_id),
      },
      (event, key) =>
        isPoison(event) && key.startsWith('second') ? new RangeError('no such amount') : undefined,
    );
    await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.project({ projections: [copies] });
    expect(await bench.wallet('firsta')).toEqual([POISON + 1, 3]);
    expect(await bench.wallet('thirda')).toEqual([POISON + 1, 3]);
    expect(await bench.readModels.get(wallets, 'seconda')).toMatchObject({ blocked: true, position: 2n });
    expect(await bench.deadLetters()).toEqual([
      { ...letter(1), documentKey: 'seconda' },
      { ...waiting(2), documentKey: 'seconda' },
    ]);
  });

  it('because nobody knows which documents it touches blocks none', async () => {
    await bench.record('a', filled(5));
    await bench.record('b', opened('bob'), filled(7));
    await bench.project();
    expect(await bench.documents(owners)).toEqual({ bob: { owner: 'bob', wallets: 1, total: 7 } });
    expect(await bench.readModels.get(owners, '')).toBeUndefined();
    expect(await bench.deadLetters()).toContainEqual({
      projection: 'owners',
      documentKey: '',
      revision: 0,
      cause: 'Error: wallet a is not known',
      attempts: 1,
    });
  });

  it('because nobody knows what it must look up is a dead letter too', async () => {
    const careless: typeof movements = {
      ...movements,
      lookups(event) {
        if (isPoison(event)) throw new RangeError('no such amount');
        return movements.lookups?.(event) ?? [];
      },
    };
    const [, , fine] = await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.project({ projections: [wallets, careless] });
    expect(Object.keys(await bench.documents(movements))).toEqual([fine?.id]);
    expect(await bench.deadLetters()).toEqual([{ ...letter(1), projection: 'movements', documentKey: '' }]);
  });

  it('because its document or what it looks up cannot be understood holds up nothing else', async () => {
    bench.readModels.onGet = async (_collection, key) => {
      if (key === 'a') throw new SyntaxError('no JSON');
    };
    await bench.record('a', opened(), filled(1));
    await bench.record('b', opened('bob'), filled(7));
    const running = await bench.project();
    expect(running.count('retrying')).toBe(0);
    expect(await bench.wallet('b')).toEqual([7, 2]);
    expect(await bench.document(owners, 'bob')).toEqual({ owner: 'bob', wallets: 1, total: 7 });
    const dead = await bench.deadLetters();
    expect(dead.map(({ projection, revision }) => `${projection} ${revision}`)).toContain('wallets 0');
    expect(new Set(dead.map(({ cause }) => cause))).toEqual(new Set(['SyntaxError: no JSON']));
  });

  it('stays blocked over a restart, and is folded anew when the projection is repaired and cleared', async () => {
    await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.project({ projections: [poisoned] });
    await bench.project({ projections: [wallets] });
    expect(await bench.readModels.get(wallets, 'a')).toMatchObject({ blocked: true });
    await bench.readModels.clear(wallets);
    await bench.project({ projections: [wallets] });
    expect(await bench.wallet('a')).toEqual([POISON + 1, 3]);
    expect(await bench.deadLetters()).toEqual([]);
  });

  it('may throw what is not even an error', async () => {
    const thrower: typeof wallets = {
      ...wallets,
      name: 'throwers',
      fold() {
        throw 'just words';
      },
    };
    await bench.record('a', opened());
    await bench.project({ projections: [thrower, wallets] });
    expect(await bench.deadLetters()).toMatchObject([{ projection: 'throwers', cause: 'just words' }]);
    expect(await bench.wallet('a')).toEqual([0, 1]);
  });
});

describe('an event that cannot be decoded', () => {
  const burnt = (id: string) =>
    newEvent({
      type: 'WalletBurntV1',
      metadata: newMetadata({ aggregate_type: 'Wallet', aggregate_id: id }),
    });

  it('becomes a dead letter of the documents of its stream, which are blocked, and the rest goes on', async () => {
    await bench.record('a', opened(), filled(5));
    await mustAppend(bench.events, 'wallet-a', [burnt('a')], 1);
    await bench.record('b', opened());
    await bench.record('a', filled(6));
    const running = await bench.project({ projections: [wallets] });
    const cause = expect.stringMatching(/^StoreError: WalletBurntV1, at revision 2 of wallet-a, .*not know/);
    expect(await bench.deadLetters()).toEqual([letter(2, cause), letter(3, 'waits_for_earlier', 0)]);
    expect(await bench.readModels.get(wallets, 'a')).toMatchObject({ blocked: true });
    expect(await bench.wallet('b')).toEqual([0, 1]);
    expect(running.count('dead_letter')).toBe(2);
    expect(new Set(Object.values(await bench.checkpoints()))).toEqual(new Set([5n]));
  });

  it('and has no metadata of ours blocks the documents that the first event of its stream names', async () => {
    await bench.record('a', opened());
    const foreign = newEvent({ type: 'Unreadable', metadata: {} as EventMetadata });
    await mustAppend(bench.events, 'wallet-a', [foreign], 0);
    await mustAppend(bench.events, 'wallet-nobody', [{ ...foreign, id: newEvent().id }], 'no_stream');
    await bench.project({ projections: [wallets] });
    expect(await bench.readModels.get(wallets, 'a')).toMatchObject({ blocked: true });
    expect(await bench.deadLetters()).toMatchObject([
      { projection: 'wallets', documentKey: 'a', revision: 1 },
      { projection: '*', documentKey: 'wallet-nobody', revision: 0 },
    ]);
  });

  it('belongs to no projection when none has a document of its stream', async () => {
    await bench.record('a', opened());
    await mustAppend(bench.events, 'wallet-a', [burnt('other')], 0);
    await bench.project();
    expect(await bench.deadLetters()).toMatchObject([
      { projection: '*', documentKey: 'wallet-a', revision: 1 },
    ]);
  });

  it('is stored once for each document, also when a new projection reads the log again', async () => {
    await bench.record('a', opened());
    await mustAppend(bench.events, 'wallet-a', [burnt('a')], 0);
    await bench.project({ projections: [wallets] });
    await bench.project();
    const letters = await bench.deadLetters();
    expect(letters.filter(({ projection }) => projection === wallets.name)).toHaveLength(1);
  });

  it('as the first of its stream blocks a document without a body', async () => {
    await mustAppend(bench.events, 'wallet-a', [burnt('a')], 'no_stream');
    await bench.record('a', filled(5));
    await bench.project({ projections: [wallets] });
    const blocked = { key: 'a', sequence: 1n, position: 1n, blocked: true };
    expect(await bench.readModels.get(wallets, 'a')).toEqual(blocked);
  });

  it('that comes again changes nothing', async () => {
    await bench.record('a', opened(), filled(5));
    await mustAppend(bench.events, 'wallet-a', [burnt('a')], 1);
    await bench.record('a', filled(6));
    bench.readModels.onCommit = (proceed, changes) => proceed({ ...changes, checkpoints: [] });
    const first = await bench.start({ projections: [wallets] });
    await eventually('the first commit', () => first.projected > 0);
    await first.stop();
    bench.readModels.onCommit = undefined;
    const [letters, blocked] = [await bench.deadLetters(), await bench.readModels.get(wallets, 'a')];
    await bench.project({ projections: [wallets] });
    expect(await bench.deadLetters()).toEqual(letters);
    expect(await bench.readModels.get(wallets, 'a')).toEqual(blocked);
  });

  it('in the past of a document that must be folded anew blocks it, and nothing else', async () => {
    await bench.record('a', opened(), filled(5));
    await mustAppend(bench.events, 'wallet-a', [burnt('a')], 1);
    await bench.project({ projections: [wallets] });
    await bench.loseDocuments(wallets);
    await bench.record('a', filled(6));
    await bench.record('b', opened());
    const running = await bench.project({ projections: [wallets] });
    expect(running.count('retrying')).toBe(0);
    expect(await bench.wallet('b')).toEqual([0, 1]);
    expect(await bench.readModels.get(wallets, 'a')).toMatchObject({ blocked: true });
    expect(await bench.deadLetters()).toContainEqual(letter(3, expect.stringContaining('WalletBurntV1')));
  });
});

describe('a temporary error of a fold', () => {
  const temporary = (times: number) => {
    let left = times;
    return failingOn(wallets, (event) => {
      if (!isPoison(event)) return undefined;
      left -= 1;
      return left >= 0 ? new TemporaryError('try again') : undefined;
    });
  };
  const TEMPORARY = 'TemporaryError: try again';

  it('is tried again until it works', async () => {
    await bench.record('a', opened(), filled(5), filled(POISON), filled(1));
    const running = await bench.project({ projections: [temporary(2), movements, owners] });
    expect(await bench.wallet('a')).toEqual([POISON + 6, 4]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: POISON + 6 });
    expect(await bench.deadLetters()).toEqual([]);
    expect(running.count('retrying')).toBe(2);
  });

  it('waits twice as long each time, with some jitter', async () => {
    await bench.record('a', opened(), filled(POISON));
    const running = await bench.project({ projections: [temporary(2)], retryDelayMs: 20 });
    const delays = running.problems.map((problem) => (problem.kind === 'retrying' ? problem.delayMs : 0));
    expect(delays).toHaveLength(2);
    for (const [index, full] of [20, 40].entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(full / 2);
      expect(delays[index]).toBeLessThanOrEqual(full);
    }
    expect(running.problems).toMatchObject([{ failures: 1 }, { failures: 2 }]);
  });

  it('becomes a dead letter after three tries', async () => {
    await bench.record('a', opened(), filled(POISON), filled(1));
    await bench.record('b', opened());
    const running = await bench.project({ projections: [temporary(3)] });
    expect(await bench.deadLetters()).toEqual([letter(1, TEMPORARY, 3), waiting(2)]);
    expect(running.count('retrying')).toBe(2);
    expect(await bench.readModels.get(wallets, 'a')).toMatchObject({
      blocked: true,
      document: { balance: 0 },
    });
    expect(await bench.wallet('b')).toEqual([0, 1]);
  });

  it('of several documents in one batch gives each its three tries', async () => {
    const tries: Record<string, number> = {};
    const always = failingOn(wallets, (event, key) => {
      if (!isPoison(event)) return undefined;
      tries[key] = (tries[key] ?? 0) + 1;
      return new TemporaryError('try again');
    });
    await bench.record('a', opened(), filled(POISON));
    await bench.record('b', opened(), filled(POISON));
    await bench.record('c', opened(), filled(1));
    await bench.project({ projections: [always] });
    expect(await bench.deadLetters()).toEqual([
      letter(1, TEMPORARY, 3),
      { ...letter(1, TEMPORARY, 3), documentKey: 'b' },
    ]);
    expect(tries.b).toBe(3);
    expect(await bench.wallet('c')).toEqual([1, 2]);
  });

  it('leaves nothing of the batch in memory while it waits', async () => {
    await bench.record('a', opened(), filled(5), filled(POISON));
    const running = await bench.start({ projections: [temporary(1)], retryDelayMs: 100 });
    await eventually('the failure', () => running.projector.state === 'retrying');
    expect(bench.readModels.commits).toEqual([]);
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([POISON + 5, 3]);
  });
});

describe('a read model store that fails', () => {
  const expectAllRight = async () => {
    expect(await bench.wallet('a')).toEqual([9, 3]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 9 });
    expect(Object.values(await bench.documents(movements)).map((one) => one?.balance)).toEqual([5, 9]);
    expect(await bench.deadLetters()).toEqual([]);
  };

  it.each([
    ['before it has committed', false],
    ['after it has committed', true],
  ])('%s is tried for ever, and nothing is lost or doubled', async (_, commits) => {
    let left = 7;
    bench.readModels.onCommit = async (proceed, changes) => {
      left -= 1;
      if (left < 0 || commits) await proceed(changes);
      if (left >= 0) throw unavailable();
    };
    const running = await bench.start({ retryDelayMs: 1 });
    await bench.record('a', opened(), filled(5));
    await eventually('several failures', () => running.problems.length >= 4);
    await bench.record('a', filled(4));
    await running.caughtUp();
    await eventually('an end of the failures', () => left < 0);
    await expectAllRight();
    expect(running.count('retrying')).toBe(7);
    expect(running.projector.state).toBe('running');
  });

  it('with documents committed and the checkpoint lost doubles nothing', async () => {
    bench.readModels.onCommit = async (proceed, changes) => {
      bench.readModels.onCommit = undefined;
      await proceed({ ...changes, checkpoints: [], deadLetters: [] });
      throw unavailable();
    };
    await bench.record('a', opened(), filled(5), filled(4));
    await bench.project();
    await expectAllRight();
  });

  it('while documents are loaded is tried again, and makes no dead letter', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project();
    await bench.record('a', filled(4));
    let left = 5;
    bench.readModels.onGet = async () => {
      left -= 1;
      if (left >= 0) throw unavailable();
    };
    const running = await bench.project();
    await expectAllRight();
    expect(running.count('retrying')).toBe(5);
  });

  it('when it starts is tried again', async () => {
    const { inner } = bench.readModels;
    const checkpoints = inner.checkpoints.bind(inner);
    const fault = once(unavailable);
    inner.checkpoints = () => {
      fault();
      return checkpoints();
    };
    await bench.record('a', opened(), filled(5), filled(4));
    const running = await bench.project();
    await expectAllRight();
    expect(running.count('retrying')).toBe(1);
  });

  it('waits longer and longer, up to half a minute, and starts over after a success', async () => {
    let failing = true;
    bench.readModels.onCommit = (proceed, changes) =>
      failing ? Promise.reject(unavailable()) : proceed(changes);
    await bench.record('a', opened());
    const running = await bench.start({ retryDelayMs: 4 });
    await eventually('four failures', () => running.problems.length === 4);
    failing = false;
    await running.caughtUp();
    failing = true;
    await bench.record('a', filled(1));
    await eventually('another failure', () => running.problems.length === 5);
    failing = false;
    await running.caughtUp();
    const retries = running.problems.filter((problem) => problem.kind === 'retrying');
    expect(retries.map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 1]);
    expect(retries[3]?.delayMs).toBeGreaterThanOrEqual(16);
    expect(retries[4]?.delayMs).toBeLessThanOrEqual(4);
  });

  it('never waits longer than half a minute', async () => {
    bench.readModels.onCommit = () => Promise.reject(unavailable());
    const running = await bench.start({ retryDelayMs: 3_600_000 });
    await eventually('the failure', () => running.problems.length === 1);
    expect(running.problems[0]).toMatchObject({ kind: 'retrying', delayMs: expect.any(Number) });
    const [problem] = running.problems;
    expect(problem?.kind === 'retrying' ? problem.delayMs : 0).toBeLessThanOrEqual(30_000);
    expect(problem?.kind === 'retrying' ? problem.delayMs : 0).toBeGreaterThanOrEqual(15_000);
  });
});

describe('a subscription that fails', () => {
  /** Ends or breaks each of the first few subscriptions after a batch. */
  function breaking(times: number, end: () => void) {
    let left = times;
    bench.events.onSubscribe = async function* (batches: AsyncIterable<SubscriptionBatch>) {
      for await (const batch of batches) {
        yield batch;
        left -= 1;
        if (left < 0) continue;
        end();
        return;
      }
    };
  }

  it.each([
    ['with an error of the store', unavailable],
    ['with any error', () => new TypeError('a mistake of the driver')],
  ])('%s is opened again, one at a time', async (_, error) => {
    breaking(5, () => {
      throw error();
    });
    const running = await bench.start({ retryDelayMs: 1 });
    let most = 0;
    for (let amount = 1; amount <= 5; amount += 1) {
      await bench.record('a', ...(amount === 1 ? [opened()] : []), filled(amount));
      await running.caughtUp();
      most = Math.max(most, bench.events.openSubscriptions);
    }
    await eventually('all failures', () => running.count('retrying') === 5);
    await bench.record('a', filled(100));
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([115, 7]);
    expect(bench.events.subscriptions).toBe(6);
    expect(most).toBeLessThanOrEqual(1);
    await running.stop();
    expect(bench.events.openSubscriptions).toBe(0);
  });

  it('by just ending is a failure like any other: reported, and opened again after a pause', async () => {
    breaking(3, () => {});
    await bench.record('a', opened());
    const running = await bench.start({ retryDelayMs: 1 });
    await eventually('all failures', () => running.count('retrying') === 3);
    await bench.record('a', filled(1));
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([1, 2]);
    expect(bench.events.subscriptions).toBe(4);
  });

  it('because the log cannot be read is tried again', async () => {
    const { inner } = bench.events;
    const head = inner.headPosition.bind(inner);
    const fault = once(unavailable);
    await bench.record('a', opened());
    const running = await bench.start();
    await running.stop();
    inner.headPosition = () => {
      fault();
      return head();
    };
    const again = await bench.start();
    await eventually('a look at the log', () => again.projected > 0);
    expect(again.count('retrying')).toBe(1);
  });
});

describe('a notice that throws', () => {
  it('stops nothing', async () => {
    let notices = 0;
    await bench.readModels.prepare([wallets], bench.events.storeId);
    const stopping = new AbortController();
    const projector = new Projector<WalletEvent>({
      reader: bench.events,
      store: bench.readModels,
      codec: walletCodec,
      projections: [wallets],
      streamPrefixes: [WALLET_STREAM_PREFIX],
      intervalMs: 0,
      retryDelayMs: 1,
      onProjected() {
        notices += 1;
        if (notices <= 2) throw new Error('nobody listens');
      },
    });
    await bench.record('a', opened(), filled(1));
    const ended = projector.run(stopping.signal);
    await eventually('three notices', () => notices >= 3);
    await bench.record('a', filled(1));
    await eventually('the document', async () => (await bench.wallet('a'))?.[1] === 3);
    stopping.abort();
    await ended;
    expect(await bench.wallet('a')).toEqual([2, 3]);
  });
});
