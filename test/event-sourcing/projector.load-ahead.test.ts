/** A store that can be asked for many documents at once is asked so, and what comes out is the same. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Collection, StoredDocument } from '../../src/event-sourcing/read-model-store.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { filled, opened, spent, walletType } from '../support/wallet.ts';
import { movements, WALLET_PROJECTIONS, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let bench: ProjectorFixture;
/** What the store was asked for at once: the collection and how many keys. */
let asked: string[];
beforeEach(() => {
  bench = new ProjectorFixture();
  asked = [];
});
afterEach(() => bench.dispose());

function answerManyAtOnce({ readModels }: ProjectorFixture): void {
  const getMany = async (collection: Collection, keys: readonly string[]): Promise<StoredDocument[]> => {
    asked.push(`${collection.name} ${keys.length}`);
    const found = await Promise.all(keys.map((key) => readModels.inner.get(collection, key)));
    return found.flatMap((one) => one ?? []);
  };
  Object.assign(readModels, { getMany });
}

async function recordSome({ record }: { record: ProjectorFixture['record'] }): Promise<void> {
  for (let id = 0; id < 30; id += 1) await record(`w${id}`, opened(`owner-${id % 3}`), filled(id + 1));
  for (let id = 0; id < 30; id += 2) await record(`w${id}`, spent(1), filled(2), spent(99));
}

/** Documents in their order; the keys of movements are event ids, which differ from run to run. */
async function allDocuments({ readModels }: ProjectorFixture) {
  const lists = WALLET_PROJECTIONS.map((one) =>
    readModels.find(one, { order: 'oldest_first', limit: 1_000 }),
  );
  return (await Promise.all(lists))
    .flat()
    .map(({ document, blocked, position }) => ({ document, blocked, position }));
}

it('asks for each document once, together with the others of its batch', async () => {
  answerManyAtOnce(bench);
  const projections = [wallets, movements];
  await recordSome({ record: bench.record.bind(bench) });
  await bench.project({ projections });
  expect(asked).toEqual(['wallets 30']);
  await bench.record('w1', filled(5));
  await bench.record('w2', filled(6), filled(7));
  await bench.record('new', opened());
  await bench.project({ projections });
  // Those that are looked up come first, because they may tell which documents an event touches.
  expect(asked).toEqual(['wallets 30', 'wallets 2', 'wallets 1']);
  expect(bench.readModels.gets).toBe(0);
  expect(await bench.wallet('w1')).toEqual([7, 3]);
});

it('does not ask again for what it keeps in memory', async () => {
  answerManyAtOnce(bench);
  await bench.record('a', opened());
  const running = await bench.start({ projections: [wallets] });
  await running.caughtUp();
  await bench.record('a', filled(1));
  await running.caughtUp();
  await bench.record('b', opened());
  await running.caughtUp();
  expect(asked).toEqual(['wallets 1', 'wallets 1']);
});

it('comes to the same documents and dead letters as one that asks for each, also over gaps and what nobody can read', async () => {
  const other = new ProjectorFixture();
  answerManyAtOnce(bench);
  for (const fixture of [other, bench]) {
    await recordSome({ record: fixture.record.bind(fixture) });
    await fixture.project();
    await fixture.loseDocuments(wallets);
    await mustAppend(
      fixture.events,
      walletType.stream('w5'),
      [newEvent({ type: 'WalletLostV9', metadata: newMetadata({ aggregate_id: 'w5' }) })],
      'any',
    );
    for (const id of ['w4', 'w5', 'w6']) await fixture.record(id, filled(3));
    await fixture.project();
  }
  expect(await allDocuments(bench)).toEqual(await allDocuments(other));
  expect(await bench.deadLetters()).toEqual(await other.deadLetters());
  expect(await bench.deadLetters()).not.toEqual([]);
  expect(await bench.wallet('w4')).toEqual(await other.wallet('w4'));
  expect(bench.readModels.gets).toBeLessThan(other.readModels.gets);
  await other.dispose();
});
