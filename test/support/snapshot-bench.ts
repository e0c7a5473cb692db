/** A repository of wallets with snapshots, and what happens to those, for tests. */

import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import {
  Repository,
  type RepositoryOptions,
  type SnapshotType,
} from '../../src/event-sourcing/repository.ts';
import {
  SnapshotKeeper,
  type SnapshotKeeperOptions,
  type SnapshotProblem,
} from '../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { milestoneStream, snapshotStream } from '../../src/event-sourcing/snapshots/snapshot-streams.ts';
import { newId } from '../../src/new-id.ts';
import { collect } from './event-builders.ts';
import { type Wallet, type WalletEvent, type WalletRefusal, walletCodec, walletType } from './wallet.ts';

export const NOW = '2026-03-04T05:06:07.890Z';

export const snapshotWallet: SnapshotType<Wallet, WalletEvent> = { ...walletType, stateVersion: 1 };

/** What was told of snapshots: `written events`, `load used`, `discarded wrong`, … */
export interface SnapshotBench {
  readonly keeper: SnapshotKeeper<Wallet>;
  readonly wallets: Repository<Wallet, WalletEvent, WalletRefusal>;
  readonly heard: string[];
  readonly problems: SnapshotProblem[];
}

export type BenchOptions = Partial<Omit<SnapshotKeeperOptions<Wallet>, 'aggregate'>> & {
  readonly aggregate?: SnapshotType<Wallet, WalletEvent>;
  readonly archive?: RepositoryOptions['archive'];
};

/** As a process that has just started: nothing is in memory. */
export function snapshotBench(store: EventStore, options: BenchOptions = {}): SnapshotBench {
  const { archive, aggregate = snapshotWallet, ...given } = options;
  const heard: string[] = [];
  const problems: SnapshotProblem[] = [];
  const keeper = new SnapshotKeeper<Wallet>({
    store,
    aggregate,
    fold: (state, event) => aggregate.evolve(state, walletCodec.decode(event), event.metadata.timestamp),
    policy: { everyEvents: 10 },
    retention: { newest: 3 },
    newId,
    now: () => new Date(NOW),
    observer: {
      onWritten: (reason) => heard.push(`written ${reason}`),
      onSkipped: (reason) => heard.push(`skipped ${reason}`),
      onLoad: (result) => heard.push(`load ${result}`),
      onDiscarded: (reason) => heard.push(`discarded ${reason}`),
      onAudit: (outcome) => heard.push(`audit ${outcome}`),
    },
    onProblem: (problem) => problems.push(problem),
    ...given,
  });
  const wallets = new Repository<Wallet, WalletEvent, WalletRefusal>(aggregate, walletCodec, {
    store,
    newId,
    now: () => new Date(NOW),
    snapshots: keeper,
    ...(archive ? { archive } : {}),
  });
  return { keeper, wallets, heard, problems };
}

/** The revisions of the snapshots that are kept, oldest first. */
export async function keptRevisions(store: EventStore, id: string, kind: 'newest' | 'milestones' = 'newest') {
  const stream = (kind === 'newest' ? snapshotStream : milestoneStream)(walletType.stream(id));
  const events = await collect(store.readStream(stream));
  return events.map(({ data }) => (data as { revision: number }).revision);
}
