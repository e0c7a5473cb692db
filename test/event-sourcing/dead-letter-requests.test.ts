/** What operators ask about dead letters of projections: tried again in their order, or given up, also in a rebuild. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DeadLettersRequest, OperatorRequests } from '../../src/event-sourcing/operator-requests.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { newId } from '../../src/new-id.ts';
import { filled, opened, walletType } from '../support/wallet.ts';
import { failingOn, owners, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let bench: ProjectorFixture;
beforeEach(() => {
  bench = new ProjectorFixture();
});
afterEach(() => bench.dispose());

const CONTEXT = { correlation_id: 'c', causation_id: 'c' };
/** Fails on every event that fills 13. */
const poisoned = failingOn(wallets, (event) =>
  event.type === 'WalletFilledV1' && event.data.amount === 13 ? new Error('unlucky') : undefined,
);

function ask(request: DeadLettersRequest) {
  const requests = new OperatorRequests({ store: bench.events, newId, now: () => new Date() });
  return requests.record(request, CONTEXT);
}
const retry = (selection: { document_key?: string; position?: string } = {}) =>
  ask({ type: 'DeadLettersRetryRequestedV1', data: { consumer: 'wallets', ...selection } });
const discard = (selection: { document_key?: string; position?: string } = {}) =>
  ask({
    type: 'DeadLettersDiscardRequestedV1',
    data: { consumer: 'wallets', reason: 'wrong', ...selection },
  });

/** Two wallets with a poisoned event each, and one that is well. */
async function poison(): Promise<void> {
  await bench.record('a', opened(), filled(1), filled(13), filled(2));
  await bench.record('b', opened(), filled(13));
  await bench.record('c', opened(), filled(5));
  await bench.project({ projections: [poisoned] });
  expect(await bench.deadLetters()).toHaveLength(3);
}
const state = async (key: string) => {
  const stored = await bench.readModels.get(wallets, key);
  return [stored?.blocked, stored?.document?.balance];
};

it('folds them again in their order once the fold is mended, and the document goes on', async () => {
  await poison();
  await bench.record('a', filled(4));
  await retry();
  await bench.record('a', filled(8));
  await bench.project({ projections: [wallets] });
  expect(await state('a')).toEqual([false, 28]);
  expect(await state('b')).toEqual([false, 13]);
  expect(await state('c')).toEqual([false, 5]);
  expect(await bench.deadLetters()).toEqual([]);
});

it('notes another try in vain, and keeps what waits behind it', async () => {
  await poison();
  await retry({ document_key: 'a' });
  await bench.project({ projections: [poisoned] });
  expect(await state('a')).toEqual([true, 1]);
  const letters = (await bench.deadLetters()).filter(({ documentKey }) => documentKey === 'a');
  expect(letters.map(({ attempts, revision }) => [revision, attempts])).toEqual([
    [2, 2],
    [3, 0],
  ]);
});

it('with a position tries those up to it', async () => {
  await poison();
  await retry({ document_key: 'a', position: '3' });
  await bench.project({ projections: [wallets] });
  expect(await state('a')).toEqual([true, 14]);
  expect(await state('b')).toEqual([true, 0]);
  expect(await bench.deadLetters()).toMatchObject([{ documentKey: 'a', revision: 3 }, { documentKey: 'b' }]);
});

it('gives one up, and lets those that waited for it have their turn', async () => {
  await poison();
  await discard({ document_key: 'a', position: '3' });
  await bench.project({ projections: [poisoned] });
  expect(await state('a')).toEqual([false, 3]);
  expect(await bench.deadLetters()).toMatchObject([{ documentKey: 'b' }]);
});

it('gives up all of a document, whose later events go on', async () => {
  await poison();
  await discard({ document_key: 'a' });
  await bench.record('a', filled(8));
  await bench.project({ projections: [poisoned] });
  expect(await state('a')).toEqual([false, 9]);
});

it('means nothing to other projections', async () => {
  await poison();
  await ask({ type: 'DeadLettersDiscardRequestedV1', data: { consumer: 'owners', reason: 'x' } });
  await bench.project({ projections: [poisoned, owners] });
  expect(await bench.deadLetters()).toHaveLength(3);
});

it('is repeated where the documents are filled anew: what was given up stays given up', async () => {
  await poison();
  await discard({ document_key: 'a', position: '3' });
  await retry({ document_key: 'b' });
  await bench.record('a', filled(8));
  await bench.project({ projections: [poisoned] });
  const before = [await state('a'), await state('b'), await bench.deadLetters()];
  await bench.readModels.inner.clear(poisoned);
  await bench.project({ projections: [poisoned] });
  expect([await state('a'), await state('b'), await bench.deadLetters()]).toEqual(before);
});

it('broken off by a store that fails is done once', async () => {
  await poison();
  await retry();
  let fails = 1;
  bench.readModels.onCommit = async (proceed, changes) => {
    if ((changes.settled?.length ?? 0) > 0 && fails-- > 0) throw new Error('gone');
    await proceed(changes);
  };
  await bench.project({ projections: [wallets] });
  expect(await state('a')).toEqual([false, 16]);
  expect(await bench.deadLetters()).toEqual([]);
});

it('that meet a store which does not answer are tried once more, and cost no attempt', async () => {
  await poison();
  await retry({ document_key: 'a' });
  let fails = 1;
  bench.events.onRead = async (stream) => {
    if (stream === walletType.stream('a') && fails-- > 0) throw new StoreError('unavailable', 'gone');
  };
  await bench.project({ projections: [poisoned], retryDelayMs: 2 });
  expect(fails).toBeLessThan(1);
  const [letter] = (await bench.deadLetters()).filter(({ documentKey }) => documentKey === 'a');
  expect(letter).toMatchObject({ revision: 2, attempts: 2, cause: expect.stringContaining('unlucky') });
});
