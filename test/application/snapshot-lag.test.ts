/** The lag of snapshots as metrics show it: of the longest accounts, and looked up seldom. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { snapshotLagWatcher } from '../../src/application/snapshot-lag.ts';

type Watched = Parameters<typeof snapshotLagWatcher>[0];

const idOf = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Accounts with so many events, and the revisions of their newest snapshots. */
function accountsWith(
  accounts: readonly { length: number; snapshot?: number }[],
  policy: { everyEvents?: number } = { everyEvents: 100 },
) {
  const rank = vi.fn(async (_from: unknown, { limit }: { limit: number }) =>
    accounts.slice(0, limit).map(({ length }, n) => ({
      key: `bank-account-${idOf(n).replaceAll('-', '')}`,
      document: { length },
    })),
  );
  const atOrBefore = async (id: string) => {
    const { snapshot } = accounts[Number(id.slice(-12))] ?? {};
    return snapshot === undefined ? undefined : { revision: snapshot };
  };
  const bank = { readModels: { rank }, snapshots: { policy, history: { atOrBefore } } };
  return { rank, ask: snapshotLagWatcher(bank as unknown as Watched) };
}

it('is that of the account that is furthest behind, and those count that should have a newer one', async () => {
  const { ask } = accountsWith([
    { length: 1_000, snapshot: 899 },
    { length: 500, snapshot: 300 },
    { length: 120 },
  ]);
  expect(await ask?.()).toEqual({ mostEvents: 199, lagging: 2 });
});

it('is none without accounts, and not told where snapshots are not taken by events', async () => {
  expect(await accountsWith([]).ask?.()).toEqual({ mostEvents: 0, lagging: 0 });
  expect(accountsWith([], {}).ask).toBeUndefined();
});

it('is looked up for twenty accounts, at most twice a minute', async () => {
  const { ask, rank } = accountsWith(Array.from({ length: 50 }, () => ({ length: 200 })));
  expect(await ask?.()).toEqual({ mostEvents: 200, lagging: 20 });
  vi.advanceTimersByTime(29_000);
  await ask?.();
  expect(rank).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  await ask?.();
  expect(rank).toHaveBeenCalledTimes(2);
});
