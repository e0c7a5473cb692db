/** The projector when nothing fails: batches, checkpoints, restarts, new projections, lost documents, pace and end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SubscriptionBatch } from '../../src/event-sourcing/event-store.ts';
import { defineProjection } from '../../src/event-sourcing/projection.ts';
import { collect, mustAppend, newEvents } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { checkpoint, commit, newDeadLetter, newDocument, write } from '../support/read-model-builders.ts';
import { filled, opened, spent, WALLET_EVENT_TYPES, type WalletEvent } from '../support/wallet.ts';
import { movements, owners, revisions, WALLET_PROJECTIONS, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let bench: ProjectorFixture;
beforeEach(() => {
  bench = new ProjectorFixture();
});
afterEach(() => bench.dispose());

describe('a projector', () => {
  it('folds what is in the log, and then what comes', async () => {
    await bench.record('a', opened('ann'), filled(5));
    const running = await bench.start();
    await running.caughtUp();
    expect(await bench.document(wallets, 'a')).toEqual({
      id: 'a',
      owner: 'ann',
      balance: 5,
      changes: 2,
      revision: 1,
    });
    await bench.record('b', opened('bob'));
    await bench.record('a', spent(2));
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([3, 3]);
    expect(await bench.wallet('b')).toEqual([0, 1]);
    expect(running.problems).toEqual([]);
    expect(running.projector.state).toBe('running');
  });

  it('folds a batch in memory and writes each document once', async () => {
    await bench.record('a', opened(), ...Array<WalletEvent>(50).fill(filled(1)));
    await bench.project({ projections: [wallets] });
    const writes = bench.readModels.commits.flatMap((changes) => changes.writes);
    expect(writes).toHaveLength(1);
    expect(await bench.wallet('a')).toEqual([50, 51]);
  });

  it('goes through a long log in batches, each with its documents and its checkpoint', async () => {
    bench.inBatchesOf(40);
    await bench.record('a', opened(), ...Array<WalletEvent>(99).fill(filled(1)));
    const running = await bench.project({ projections: [wallets] });
    expect(await bench.wallet('a')).toEqual([99, 100]);
    expect(bench.readModels.commits.map(({ checkpoints }) => checkpoints[0]?.position)).toEqual([
      40n,
      80n,
      100n,
    ]);
    for (const { writes, checkpoints } of bench.readModels.commits) {
      expect(checkpoints).toEqual([checkpoint(wallets, writes[0]?.document.position ?? -1n)]);
    }
    expect(running.projected).toBe(3);
  });

  it('that is far behind commits several batches together, and the end of the log at once', async () => {
    bench.inBatchesOf(40);
    await bench.record('a', opened(), ...Array<WalletEvent>(209).fill(filled(1)));
    const running = await bench.start({ commitEvents: 100 });
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([209, 210]);
    expect(bench.readModels.commits.map(({ checkpoints }) => checkpoints[0]?.position)).toEqual([120n, 210n]);
    await bench.record('a', filled(1));
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([210, 211]);
    expect(Object.keys(await bench.documents(movements))).toHaveLength(210);
  });

  it('that is far behind and is stopped between two commits folds the rest again, once', async () => {
    await bench.record('a', opened(), ...Array<WalletEvent>(209).fill(filled(1)));
    bench.inBatchesOf(40);
    const inBatches = bench.events.onSubscribe;
    let given = 0;
    let ending: Promise<void> | undefined;
    bench.events.onSubscribe = async function* (batches, signal, options) {
      for await (const batch of inBatches?.(batches, signal, options) ?? batches) {
        yield batch;
        given += 1;
        if (given === 4) ending = running.stop();
      }
    };
    const running = await bench.start({ commitEvents: 100 });
    await eventually('the stop', () => ending !== undefined);
    await ending;
    expect((await bench.checkpoints())['wallets v1']).toBe(120n);
    await bench.project({ commitEvents: 100 });
    expect(await bench.wallet('a')).toEqual([209, 210]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 209 });
  });

  it('moves its checkpoint past events of others and past types that no projection wants', async () => {
    const { position } = await mustAppend(bench.events, 'person-1', newEvents(7), 'no_stream');
    await bench.project();
    expect(await bench.checkpoints()).toEqual({
      'wallets v1': position,
      'movements v1': position,
      'owners v1': position,
    });
    expect(await bench.deadLetters()).toEqual([]);
  });

  it('over an empty log waits, and needs no checkpoint', async () => {
    const running = await bench.start();
    await eventually('the first look at the log', () => running.projected > 0);
    expect(await bench.checkpoints()).toEqual({});
    expect(running.problems).toEqual([]);
  });

  it('without projections follows the log in peace', async () => {
    await bench.record('a', opened());
    const running = await bench.start({ projections: [] });
    await eventually('the first look at the log', () => running.projected > 0);
    expect(running.problems).toEqual([]);
  });

  it('says that it is stopped before and after', async () => {
    const running = await bench.start();
    await eventually('the first look at the log', () => running.projected > 0);
    expect(running.projector.state).toBe('running');
    await running.stop();
    expect(running.projector.state).toBe('stopped');
  });
});

describe('after a restart', () => {
  it('it goes on from its checkpoint and counts nothing twice', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project();
    await bench.record('a', filled(6));
    bench.readModels.commits.length = 0;
    await bench.project();
    expect(await bench.wallet('a')).toEqual([11, 3]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 11 });
    expect(bench.readModels.commits.flatMap(({ writes }) => writes)).toHaveLength(3);
  });

  it('it goes on in the middle of the log', async () => {
    bench.inBatchesOf(40);
    await bench.record('a', opened(), ...Array<WalletEvent>(199).fill(filled(1)));
    let ending: Promise<void> | undefined;
    const running = await bench.start();
    bench.readModels.onCommit = async (proceed, changes) => {
      await proceed(changes);
      if (bench.readModels.commits.length === 2) ending = running.stop();
    };
    await eventually('the stop', () => ending !== undefined);
    await ending;
    expect((await bench.checkpoints())['wallets v1']).toBe(80n);
    bench.readModels.onCommit = undefined;
    await bench.project();
    expect(await bench.wallet('a')).toEqual([199, 200]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 199 });
    expect(Object.keys(await bench.documents(movements))).toHaveLength(199);
  });
});

describe('a redelivered event', () => {
  const expectUnchanged = async () => {
    expect(await bench.wallet('a')).toEqual([7, 3]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 7 });
    const amounts = Object.values(await bench.documents(movements)).map((one) => one?.amount);
    expect(amounts).toEqual([3, 4]);
  };

  it('in a batch that comes twice changes nothing', async () => {
    bench.events.onSubscribe = async function* (batches: AsyncIterable<SubscriptionBatch>) {
      for await (const batch of batches) {
        yield batch;
        yield batch;
      }
    };
    await bench.record('a', opened(), filled(3), filled(4));
    await bench.project();
    await expectUnchanged();
  });

  it('twice in one batch changes nothing', async () => {
    bench.events.onSubscribe = async function* (batches: AsyncIterable<SubscriptionBatch>) {
      for await (const batch of batches) yield { ...batch, events: [...batch.events, ...batch.events] };
    };
    await bench.record('a', opened(), filled(3), filled(4));
    await bench.project();
    await expectUnchanged();
  });

  it('that comes again from the start of the log changes nothing', async () => {
    await bench.record('a', opened(), filled(3), filled(4));
    await bench.project();
    const { events } = bench;
    const all = await collect(events.readAll());
    events.onSubscribe = async function* (batches: AsyncIterable<SubscriptionBatch>) {
      for (const event of all) yield { events: [event], position: event.position, caughtUp: false };
      yield* batches;
    };
    const running = await bench.start();
    await eventually('all events once more', () => running.projected > all.length);
    await expectUnchanged();
    expect((await bench.checkpoints())['wallets v1']).toBe(3n);
  });

  it('whose checkpoint was lost changes nothing: the documents know how far they are', async () => {
    await bench.record('a', opened(), filled(3), filled(4));
    bench.readModels.onCommit = (proceed, changes) => proceed({ ...changes, checkpoints: [] });
    const first = await bench.start();
    await eventually('the first commit', () => first.projected > 0);
    await first.stop();
    expect(await bench.checkpoints()).toEqual({});
    bench.readModels.onCommit = undefined;
    await bench.project();
    await expectUnchanged();
  });
});

describe('a projection that is added later', () => {
  it('catches up from the first event and leaves the others alone', async () => {
    await bench.record('a', opened('ann'), filled(5));
    await bench.record('b', opened('bob'), filled(7));
    await bench.project({ projections: [wallets] });
    bench.readModels.commits.length = 0;
    const running = await bench.project();
    expect(await bench.documents(owners)).toEqual({
      ann: { owner: 'ann', wallets: 1, total: 5 },
      bob: { owner: 'bob', wallets: 1, total: 7 },
    });
    expect(Object.keys(await bench.documents(movements))).toHaveLength(2);
    expect([await bench.wallet('a'), await bench.wallet('b')]).toEqual([
      [5, 2],
      [7, 2],
    ]);
    const touched = bench.readModels.commits.flatMap(({ writes, checkpoints }) => [
      ...writes.map(({ collection }) => collection.name),
      ...checkpoints.map(({ projection }) => projection),
    ]);
    expect(touched).not.toContain('wallets');
    expect(running.problems).toEqual([]);
  });

  it('does not hold up new events of the others, and is at the same place afterwards', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project({ projections: [wallets] });
    await bench.record('a', filled(1));
    await bench.project();
    expect(await bench.wallet('a')).toEqual([6, 3]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 6 });
    expect(new Set(Object.values(await bench.checkpoints()))).toEqual(new Set([3n]));
  });

  it('in a new version fills beside the old one, whose documents stay', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project({ projections: [wallets] });
    const second = { ...wallets, version: 2 };
    await bench.project({ projections: [second] });
    await bench.record('a', filled(1));
    await bench.project({ projections: [second] });
    expect(await bench.document(second, 'a')).toMatchObject({ balance: 6, changes: 3 });
    expect(await bench.document(wallets, 'a')).toMatchObject({ balance: 5, changes: 2 });
    expect(await bench.checkpoints()).toEqual({ 'wallets v1': 2n, 'wallets v2': 3n });
  });
});

describe('a checkpoint beyond the end of the log', () => {
  it('makes its projection start over, and says so', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project();
    const { readModels } = bench;
    const stray = newDocument({ key: 'stray', position: 900n, document: { balance: 1 } });
    const wrong = newDocument({ key: 'a', position: 900n, document: { balance: 1 } });
    await write(readModels, wallets, [stray, wrong]);
    await commit(readModels, {
      checkpoints: [checkpoint(wallets, 1_000n)],
      deadLetters: [newDeadLetter({ projection: 'wallets', position: 800n })],
    });
    const running = await bench.project();
    expect(running.problems).toEqual([
      { kind: 'rebuilding', projection: 'wallets', reason: expect.stringMatching(/1000 .* 2$/) },
    ]);
    expect(readModels.cleared).toEqual(['wallets']);
    expect(Object.keys(await bench.documents(wallets))).toEqual(['a']);
    expect(await bench.wallet('a')).toEqual([5, 2]);
    expect(await bench.deadLetters()).toEqual([]);
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 1, total: 5 });
    expect(new Set(Object.values(await bench.checkpoints()))).toEqual(new Set([2n]));
  });

  it('over an empty log starts over too', async () => {
    await bench.readModels.prepare(WALLET_PROJECTIONS, bench.events.storeId);
    await commit(bench.readModels, { checkpoints: [checkpoint(wallets, 5n)] });
    const running = await bench.start();
    await eventually('the first look at the log', () => running.projected > 0);
    expect(running.count('rebuilding')).toBe(1);
    await bench.record('a', opened());
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([0, 1]);
  });

  it('is no reason when it is exactly at the end', async () => {
    await bench.record('a', opened());
    await bench.project();
    const running = await bench.start();
    await eventually('the first look at the log', () => running.projected > 0);
    expect(running.problems).toEqual([]);
  });
});

describe('a document that is missing in the middle of its stream', () => {
  it('is folded from its stream, up to the event at hand', async () => {
    await bench.record('a', opened('ann'), filled(5), filled(6));
    await bench.project({ projections: [wallets] });
    await bench.loseDocuments(wallets);
    await bench.record('a', spent(1), filled(2), filled(4));
    const running = await bench.project({ projections: [wallets] });
    expect(await bench.document(wallets, 'a')).toEqual({
      id: 'a',
      owner: 'ann',
      balance: 16,
      changes: 6,
      revision: 5,
    });
    expect(running.problems).toEqual([]);
    expect(bench.events.reads.filter(({ stream }) => stream === 'wallet-a')).toHaveLength(1);
  });

  it('is folded from what a truncated stream still has', async () => {
    await bench.record('a', opened(), ...Array<WalletEvent>(5).fill(filled(1)));
    await bench.project({ projections: [revisions] });
    await bench.loseDocuments(revisions);
    await bench.events.setStreamMetadata('wallet-a', { truncateBefore: 3 });
    await bench.record('a', filled(1), filled(1), filled(1));
    await bench.project({ projections: [revisions] });
    expect(await bench.document(revisions, 'a')).toEqual({ folded: [3, 4, 5, 6, 7, 8] });
  });

  it('but has no stream of its own starts with the event at hand', async () => {
    await bench.record('a', opened('ann'), filled(5));
    await bench.project();
    await bench.loseDocuments(owners);
    await bench.record('a', filled(6));
    await bench.project();
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 0, total: 6 });
  });

  it('is not looked for at the first event of a stream', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.project();
    expect(bench.events.reads).toEqual([]);
  });
});

describe('a lookup', () => {
  it('shows the other document as it is at the event, within a batch as well as across batches', async () => {
    await bench.record('a', opened('ann'), filled(5), spent(2));
    await bench.project();
    await bench.record('a', filled(10));
    await bench.record('a', spent(1));
    await bench.project();
    const seen = Object.values(await bench.documents(movements)).map((one) => one?.balance);
    expect(seen).toEqual([5, 3, 13, 12]);
  });

  it('tells which document an event touches, before that document was ever committed', async () => {
    await bench.record('a', opened('ann'), filled(5));
    await bench.record('b', opened('ann'), filled(7));
    await bench.record('a', spent(5));
    await bench.project();
    expect(await bench.document(owners, 'ann')).toEqual({ owner: 'ann', wallets: 2, total: 7 });
  });

  it('of a document that is written once finds it later, though it was not there at first', async () => {
    const lookers = defineProjection<WalletEvent, { found: number }>({
      name: 'lookers',
      version: 1,
      indexes: [],
      listed: true,
      eventTypes: WALLET_EVENT_TYPES,
      lookups: () => [{ from: movements, key: known }],
      keys: () => ['all'],
      fold: (document, _event, lookup) => ({
        found: (document?.found ?? 0) + (lookup.get(movements, known) ? 1 : 0),
      }),
    });
    const [, second] = await bench.record('a', opened(), filled(1));
    const known = second?.id ?? '';
    bench.inBatchesOf(1);
    await bench.record('b', opened());
    await bench.project({ projections: [lookers, wallets, movements] });
    expect(await bench.document(lookers, 'all')).toEqual({ found: 1 });
  });
});

describe('the pace', () => {
  it('spaces batches under load, and still gets everything', async () => {
    await bench.record('a', opened());
    const running = await bench.start({ intervalMs: 100, fullBatchEvents: 1 });
    const until = Date.now() + 400;
    let amount = 0;
    while (Date.now() < until) {
      amount += 1;
      await bench.record('a', filled(1));
      await sleep(2);
    }
    // Four intervals, the one under way at the start, and one of slack.
    expect(running.projected).toBeLessThanOrEqual(6);
    expect(running.projected).toBeGreaterThanOrEqual(2);
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([amount, amount + 1]);
  });

  it('does not make a log that is far ahead wait between its batches', async () => {
    bench.inBatchesOf(40);
    await bench.record('a', opened(), ...Array<WalletEvent>(199).fill(filled(1)));
    const running = await bench.start({ projections: [wallets], intervalMs: 60_000, fullBatchEvents: 1 });
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([199, 200]);
  });

  it('commits small beside others who are busy, and as much as there is where nobody is', async () => {
    await bench.record('a', opened(), ...Array<WalletEvent>(4_999).fill(filled(1)));
    for (const [busy, expected] of [
      [true, [2_000n, 4_000n, 5_000n]],
      [false, [5_000n]],
    ] as const) {
      const from = bench.readModels.commits.length;
      const projections = [{ ...wallets, name: busy ? 'busy_wallets' : 'idle_wallets' }];
      await bench.project({ projections, pace: { next: async () => {}, busy } });
      const commits = bench.readModels.commits.slice(from);
      expect(commits.map(({ checkpoints }) => checkpoints[0]?.position)).toEqual(expected);
    }
  });

  it('hardly waits after a batch of few events', async () => {
    const running = await bench.start({ intervalMs: 1_000, fullBatchEvents: 1_000 });
    await bench.record('a', opened());
    await eventually('the first event', async () => (await bench.wallet('a')) !== undefined);
    const startedAt = Date.now();
    await bench.record('a', filled(1));
    await running.caughtUp();
    expect(Date.now() - startedAt).toBeLessThan(500);
  });

  it('is skipped once when somebody waits', async () => {
    const running = await bench.start({ intervalMs: 60_000, fullBatchEvents: 1 });
    await bench.record('a', opened());
    await eventually('the first event', async () => (await bench.wallet('a')) !== undefined);
    for (const amount of [1, 2]) {
      await bench.record('a', filled(1));
      await sleep(30);
      expect(await bench.wallet('a')).toEqual([amount - 1, amount]);
      running.projector.wake();
      await eventually('the next event', async () => (await bench.wallet('a'))?.[0] === amount);
    }
  });

  it('is skipped also when somebody began to wait during the batch', async () => {
    const running = await bench.start({ intervalMs: 60_000, fullBatchEvents: 1 });
    await eventually('the first look at the log', () => running.projected === 1);
    bench.readModels.onCommit = async (proceed, changes) => {
      bench.readModels.onCommit = undefined;
      await bench.record('a', filled(1));
      running.projector.wake();
      await proceed(changes);
    };
    await bench.record('a', opened());
    await eventually('the second event', async () => (await bench.wallet('a'))?.[1] === 2);
  });
});

describe('the end', () => {
  const PROMPT_MS = 500;

  async function expectPrompt(stop: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    await stop();
    expect(Date.now() - startedAt).toBeLessThan(PROMPT_MS);
  }

  it('is prompt while it waits for events', async () => {
    const running = await bench.start();
    await eventually('the first look at the log', () => running.projected > 0);
    await sleep(10);
    await expectPrompt(() => running.stop());
  });

  it('is prompt while it pauses', async () => {
    await bench.record('a', opened());
    const running = await bench.start({ intervalMs: 60_000, fullBatchEvents: 1 });
    await eventually('the first look at the log', () => running.projected > 0);
    await sleep(10);
    await expectPrompt(() => running.stop());
  });

  it('is prompt while it waits after a failure', async () => {
    bench.readModels.onCommit = () => Promise.reject(new Error('no commit'));
    const running = await bench.start({ retryDelayMs: 30_000 });
    await eventually('the failure', () => running.projector.state === 'retrying');
    await expectPrompt(() => running.stop());
    expect(running.projector.state).toBe('stopped');
  });

  it('is prompt when it comes before the start', async () => {
    const running = await bench.start();
    await expectPrompt(() => running.stop());
    expect(running.problems).toEqual([]);
  });

  it('waits for the commit under way, and does not begin another', async () => {
    await bench.record('a', opened());
    let commits = 0;
    let ending: Promise<void> | undefined;
    const running = await bench.start();
    bench.readModels.onCommit = async (proceed, changes) => {
      commits += 1;
      ending ??= running.stop();
      await sleep(20);
      await proceed(changes);
    };
    await eventually('the commit', () => ending !== undefined);
    await ending;
    expect(commits).toBe(1);
    expect(await bench.wallet('a')).toEqual([0, 1]);
    expect(running.problems).toEqual([]);
  });
});
