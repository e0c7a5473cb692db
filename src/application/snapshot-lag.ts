/** How far the newest snapshots of the longest accounts are behind: a bounded look, for metrics. */
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { type StreamHealthDocument, streamHealth } from '../projections/stream-health.ts';
import type { Bank } from './bank.ts';
import { snapshotOf } from './stream-state.ts';

/** A load costs the more the longer an account is, and each of these costs a read of one snapshot. */
const LOOKED_AT = 20;
/** How long an answer may be used, in milliseconds: snapshots are not taken faster than somebody could act on it. */
const FRESH_MS = 30_000;

export interface SnapshotLag {
  readonly mostEvents: number;
  readonly lagging: number;
}

/** @returns asks, at most twice a minute; nothing where no snapshots are taken by the number of events */
export function snapshotLagWatcher(
  bank: { readonly readModels: Pick<ReadModelReader, 'rank'> } & Pick<Bank, 'snapshots'>,
): (() => Promise<SnapshotLag>) | undefined {
  const { everyEvents } = bank.snapshots.policy;
  if (everyEvents === undefined) return undefined;
  let known: SnapshotLag | undefined;
  let lookedAt = 0;
  return async () => {
    if (known && performance.now() - lookedAt < FRESH_MS) return known;
    const lags = await lagsOfLongest(bank);
    lookedAt = performance.now();
    known = {
      mostEvents: Math.max(0, ...lags),
      lagging: lags.filter((lag) => lag > everyEvents).length,
    };
    return known;
  };
}

async function lagsOfLongest(
  bank: { readonly readModels: Pick<ReadModelReader, 'rank'> } & Pick<Bank, 'snapshots'>,
): Promise<number[]> {
  const longest = await bank.readModels.rank<StreamHealthDocument>(streamHealth, {
    within: 'bank-account',
    by: 'magnitude',
    order: 'largest_first',
    limit: LOOKED_AT,
  });
  const lags: number[] = [];
  for (const { key, document } of longest) {
    const snapshot = document && (await snapshotOf(bank, key, document.length));
    if (snapshot) lags.push(snapshot.lag);
  }
  return lags;
}
