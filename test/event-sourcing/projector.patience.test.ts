/** Documents that are written late, under load or by a rebuild, and of which nothing is lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { filled, opened, type WalletEvent } from '../support/wallet.ts';
import { movements, owners, WALLET_PROJECTIONS, wallets } from '../support/wallet-projections.ts';
import { ProjectorFixture } from './projector-fixture.ts';

const patient = { ...wallets, patient: true } as const;
const LONG_MS = 60_000;

let bench: ProjectorFixture;
beforeEach(() => {
  bench = new ProjectorFixture();
});
afterEach(() => bench.dispose());

/** Makes the log come in batches of so many events, each of which was at its end when it was read: a steady load. */
function underLoad(size: number): void {
  bench.events.onSubscribe = async function* (batches, signal) {
    for await (const { events, position } of batches) {
      for (let start = 0; start < events.length; start += size) {
        const part = events.slice(start, start + size);
        yield { events: part, position: part.at(-1)?.position ?? position, caughtUp: true };
        if (signal.aborted) return;
      }
    }
  };
}

const writesOf = (name: string) =>
  bench.readModels.commits.map(
    ({ writes }) => writes.filter(({ collection }) => collection.name === name).length,
  );
const movesOf = (name: string) =>
  bench.readModels.commits.flatMap(({ checkpoints }) =>
    checkpoints.filter(({ projection }) => projection === name).map(({ position }) => position),
  );

describe('a patient projection', () => {
  it('is written once, at the end of the log, while others are written with every batch', async () => {
    underLoad(60);
    await bench.record('a', opened('ann'), ...Array<WalletEvent>(179).fill(filled(1)));
    const running = await bench.start({ projections: [owners, patient], patienceMs: LONG_MS });
    await running.caughtUp();
    expect(await bench.wallet('a')).toEqual([179, 180]);
    expect(writesOf(wallets.name).reduce((sum, one) => sum + one)).toBe(1);
    expect(movesOf(wallets.name)).toEqual([180n]);
    expect(movesOf(owners.name)).toEqual([60n, 120n, 180n]);
    await running.stop();
  });

  it('is written with every batch where there is no patience, or no load', async () => {
    underLoad(60);
    await bench.record('a', opened('ann'), ...Array<WalletEvent>(119).fill(filled(1)));
    await bench.project({ projections: [owners, patient] });
    expect(movesOf(wallets.name)).toEqual([60n, 120n]);
    underLoad(40);
    await bench.record('a', ...Array<WalletEvent>(80).fill(filled(1)));
    await bench.project({ projections: [owners, patient], patienceMs: LONG_MS });
    expect(movesOf(wallets.name)).toEqual([60n, 120n, 160n, 200n]);
    expect(await bench.wallet('a')).toEqual([199, 200]);
  });

  it('that is stopped while it waits folds the rest again, once', async () => {
    underLoad(60);
    await bench.record('a', opened('ann'), ...Array<WalletEvent>(239).fill(filled(1)));
    let commits = 0;
    let ending: Promise<void> | undefined;
    const first = await bench.start({ projections: [owners, patient], patienceMs: LONG_MS });
    bench.readModels.onCommit = async (proceed, changes) => {
      await proceed(changes);
      commits += 1;
      if (commits === 2) ending = first.stop();
    };
    await eventually('the end', () => ending !== undefined);
    await ending;
    expect(movesOf(owners.name)).toEqual([60n, 120n]);
    expect(movesOf(wallets.name)).toEqual([]);
    bench.readModels.onCommit = undefined;
    await bench.project({ projections: [owners, patient], patienceMs: LONG_MS });
    expect(await bench.wallet('a')).toEqual([239, 240]);
  });

  it('whose commit fails while others wait is folded again, once', async () => {
    underLoad(60);
    await bench.record('a', opened('ann'), ...Array<WalletEvent>(239).fill(filled(1)));
    let commits = 0;
    bench.readModels.onCommit = async (proceed, changes) => {
      commits += 1;
      if (commits === 3) throw new Error('a test said so');
      await proceed(changes);
    };
    await bench.project({ projections: [owners, patient], patienceMs: LONG_MS });
    expect(await bench.wallet('a')).toEqual([239, 240]);
    expect(movesOf(wallets.name)).toEqual([240n]);
  });
});

describe('a rebuild', () => {
  /** The bank is at work from the third piece of work on, or never. */
  const pace = (busyFrom = Number.POSITIVE_INFINITY) => {
    let pieces = 0;
    return {
      async next() {
        pieces += 1;
      },
      get busy() {
        return pieces >= busyFrom;
      },
    };
  };
  beforeEach(async () => {
    bench.inBatchesOf(60);
    await bench.record('a', opened('ann'), ...Array<WalletEvent>(239).fill(filled(1)));
  });

  it('writes a document that changes again and again once, and those that do not as they come', async () => {
    await bench.project({ commitEvents: 60, pace: pace() });
    expect(movesOf(movements.name)).toEqual([60n, 120n, 180n, 240n]);
    expect(movesOf(wallets.name)).toEqual([240n]);
    expect(writesOf(wallets.name)).toEqual([0, 0, 0, 1]);
    expect(writesOf(movements.name)).toEqual([59, 60, 60, 60]);
    expect(await bench.wallet('a')).toEqual([239, 240]);
  });

  it('says how far it is, although not all of it is stored yet', async () => {
    const seen: (readonly [reached: bigint, stored: bigint])[] = [];
    bench.readModels.onCommit = async (proceed, changes) => {
      await proceed(changes);
      seen.push([running.projector.reached, running.projector.position]);
    };
    const running = await bench.start({ commitEvents: 60, pace: pace() });
    await running.caughtUp();
    await running.stop();
    expect(seen).toEqual([
      [0n, 0n],
      [60n, 0n],
      [120n, 0n],
      [180n, 0n],
    ]);
    expect([running.projector.reached, running.projector.position]).toEqual([240n, 240n]);
  });

  it('writes all of them with every commit while the bank is at work', async () => {
    await bench.project({ commitEvents: 60, pace: pace(3) });
    expect(movesOf(wallets.name)).toEqual([180n, 240n]);
    expect(await bench.wallet('a')).toEqual([239, 240]);
  });

  it('that ends while they wait folds the rest again, once', async () => {
    let commits = 0;
    bench.readModels.onCommit = async (proceed, changes) => {
      commits += 1;
      if (commits === 3) throw new Error('a test said so');
      await proceed(changes);
    };
    await bench.project({ commitEvents: 60, pace: pace() });
    expect(movesOf(wallets.name)).toEqual([240n]);
    expect(await bench.wallet('a')).toEqual([239, 240]);
    expect(Object.keys(await bench.documents(movements))).toHaveLength(239);
    expect(WALLET_PROJECTIONS.map(({ name }) => movesOf(name).at(-1))).toEqual([240n, 240n, 240n]);
  });
});
