/**
 * Random histories of wallets, projected while stores fail, subscriptions break, events come again and the worker is
 * restarted: in the end the read models are what a plain count of the events says.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReadModelChanges } from '../../src/event-sourcing/read-model-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { settings } from '../domain/property-settings.ts';
import { filled, opened, spent, type WalletEvent } from '../support/wallet.ts';
import { movements, owners, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

const WALLETS = ['a', 'b', 'c', 'd'] as const;
const OWNERS = ['ann', 'bob'] as const;

/** What happens to a commit or to a batch. */
type Fate = 'fine' | 'fails' | 'answer_lost' | 'checkpoint_lost' | 'comes_again' | 'breaks';

interface Append {
  readonly id: (typeof WALLETS)[number];
  readonly owner: (typeof OWNERS)[number];
  /** Above zero fills the wallet, below zero takes from it. */
  readonly amounts: readonly number[];
  /** The worker is restarted after this append. */
  readonly restart: boolean;
}

const histories = fc.array(
  fc.record<Append>({
    id: fc.constantFrom(...WALLETS),
    owner: fc.constantFrom(...OWNERS),
    amounts: fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 5 }),
    restart: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12, size: 'max' },
);
const fates = fc.infiniteStream(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fate>('fine') },
    ...(['fails', 'answer_lost', 'checkpoint_lost', 'comes_again', 'breaks'] as const).map((fate) => ({
      weight: 1,
      arbitrary: fc.constant<Fate>(fate),
    })),
  ),
);

const unavailable = () => new StoreError('unavailable', 'It does not answer.');

function trouble(fixture: ProjectorFixture, luck: Iterator<Fate>): void {
  const next = () => luck.next().value as Fate;
  fixture.readModels.onCommit = async (proceed, changes) => {
    const fate = next();
    if (fate === 'fails') throw unavailable();
    // A store without transactions may stop between the documents and the checkpoint.
    const withoutCheckpoints: ReadModelChanges = { ...changes, checkpoints: [] };
    await proceed(fate === 'checkpoint_lost' ? withoutCheckpoints : changes);
    if (fate === 'answer_lost' || fate === 'checkpoint_lost') throw unavailable();
  };
  fixture.readModels.onGet = async () => {
    if (next() === 'breaks') throw unavailable();
  };
  fixture.inBatchesOf(3);
  const inBatches = fixture.events.onSubscribe;
  fixture.events.onSubscribe = async function* (batches, signal, options) {
    for await (const batch of inBatches?.(batches, signal, options) ?? batches) {
      yield batch;
      const fate = next();
      if (fate === 'comes_again') yield batch;
      if (fate === 'breaks') throw unavailable();
    }
  };
}

/** What the read models should hold, counted without any of the program's folds. */
class Expected {
  readonly wallets: Record<
    string,
    { id: string; owner: string; balance: number; changes: number; revision: number }
  > = {};
  readonly movements: { wallet: string; amount: number; balance: number }[] = [];

  /** The events that the append makes, which are counted at the same time. */
  apply({ id, owner, amounts }: Append): WalletEvent[] {
    const events: WalletEvent[] = [];
    const count = (amount: number) => {
      this.wallets[id] ??= { id, owner, balance: 0, changes: 0, revision: -1 };
      const wallet = this.wallets[id];
      wallet.balance += amount;
      wallet.changes += 1;
      wallet.revision += 1;
    };
    if (!this.wallets[id]) {
      count(0);
      events.push(opened(owner));
    }
    for (const amount of amounts) {
      count(amount);
      events.push(amount < 0 ? spent(-amount) : filled(amount));
      this.movements.push({ wallet: id, amount, balance: this.wallets[id]?.balance ?? Number.NaN });
    }
    return events;
  }

  owners(): Record<string, unknown> {
    const totals: Record<string, { owner: string; wallets: number; total: number }> = {};
    for (const { owner, balance } of Object.values(this.wallets)) {
      totals[owner] ??= { owner, wallets: 0, total: 0 };
      totals[owner].wallets += 1;
      totals[owner].total += balance;
    }
    return totals;
  }
}

it('whatever fails meanwhile, the read models count every event once', async () => {
  const property = fc.asyncProperty(
    histories,
    fates,
    fc.constantFrom(1, 4, 1_000),
    async (history, luck, commitEvents) => {
      const fixture = new ProjectorFixture();
      const expected = new Expected();
      try {
        trouble(fixture, luck);
        let running = await fixture.start({ retryDelayMs: 0, commitEvents });
        for (const append of history) {
          const events = expected.apply(append);
          if (events.length > 0) await fixture.record(append.id, ...events);
          if (!append.restart) continue;
          await running.stop();
          running = await fixture.start({ retryDelayMs: 0, commitEvents });
        }
        await running.caughtUp();
        await running.stop();
        expect(running.count('dead_letter')).toBe(0);
        fixture.readModels.onGet = undefined;
        expect(await fixture.documents(wallets)).toEqual(expected.wallets);
        expect(Object.values(await fixture.documents(movements))).toEqual(expected.movements);
        expect(await fixture.documents(owners)).toEqual(expected.owners());
        expect(await fixture.deadLetters()).toEqual([]);
      } finally {
        await fixture.dispose();
      }
    },
  );
  await fc.assert(property, settings(12, 350));
});
