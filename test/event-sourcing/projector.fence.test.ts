/** A projector that has been replaced by another worker's: it stops, and its checkpoint no longer counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Projector } from '../../src/event-sourcing/projector.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { checkpoint, commit } from '../support/read-model-builders.ts';
import { filled, opened, WALLET_STREAM_PREFIX, walletCodec } from '../support/wallet.ts';
import { wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let bench: ProjectorFixture;
beforeEach(() => {
  bench = new ProjectorFixture();
});
afterEach(() => bench.dispose());

const fence = (token: number) => ({ lease: 'wallets', token });

async function fencedOut(token: number): Promise<unknown> {
  const projector = new Projector({
    reader: bench.events,
    store: bench.readModels,
    codec: walletCodec,
    projections: [wallets],
    streamPrefixes: [WALLET_STREAM_PREFIX],
    fence: fence(token),
  });
  const ended = projector.run(new AbortController().signal).then(
    () => 'ended',
    (error: unknown) => error,
  );
  const outcome = await Promise.race([ended, sleep(5_000, 'goes on')]);
  expect(projector.state).toBe('stopped');
  return outcome;
}

it('one with a lower token than the last leader ends before it folds anything', async () => {
  await bench.record('a', opened(), filled(5));
  await bench.project({ projections: [wallets], fence: fence(2) });
  await bench.record('a', filled(1));
  expect(await fencedOut(1)).toMatchObject({ code: 'fenced' });
  expect(await bench.wallet('a')).toEqual([5, 2]);
});

it('a leader that takes over claims the checkpoint before it reads it, even when there is nothing to fold', async () => {
  await bench.project({ projections: [wallets], fence: fence(2) });
  expect(await fencedOut(1)).toBeInstanceOf(StoreError);
});

it('a leader that was paused in the middle of a commit cannot move the checkpoint once another has begun', async () => {
  await bench.record('a', opened());
  await bench.project({ projections: [wallets], fence: fence(1) });
  await bench.record('a', filled(3));
  await bench.project({ projections: [wallets], fence: fence(2) });
  const late = { checkpoints: [checkpoint(wallets, 99n)], fence: fence(1) };
  await expect(commit(bench.readModels, late)).rejects.toMatchObject({ code: 'fenced' });
  expect(await bench.checkpoints()).toEqual({ 'wallets v1': 2n });
});

it('the next leader goes on where the last one stood', async () => {
  await bench.record('a', opened(), filled(5));
  await bench.project({ projections: [wallets], fence: fence(1) });
  await bench.record('a', filled(1));
  await bench.project({ projections: [wallets], fence: fence(2) });
  expect(await bench.wallet('a')).toEqual([6, 3]);
});
