/** Puts together what keeps the snapshots of accounts. */
import { bankAccountType } from '../application/bank.ts';
import type { Config } from '../config.ts';
import type { BankAccount, BankAccountEvent } from '../domain/bank-account.ts';
import type { EventCodec } from '../event-sourcing/codec.ts';
import type { EventStore } from '../event-sourcing/event-store.ts';
import { SnapshotKeeper, type SnapshotProblem } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import type { ServiceMetrics } from '../metrics/service-metrics.ts';
import { newId } from '../new-id.ts';

export function composeSnapshots(
  { snapshots }: Pick<Config, 'snapshots'>,
  store: EventStore,
  codec: EventCodec<BankAccountEvent>,
  metrics: ServiceMetrics,
  { now, onProblem }: { now: () => Date; onProblem: (problem: SnapshotProblem) => void },
): SnapshotKeeper<BankAccount> {
  const { policy, retention, auditEveryMs } = snapshots;
  return new SnapshotKeeper<BankAccount>({
    store,
    aggregate: bankAccountType,
    fold: (state, event) => bankAccountType.evolve(state, codec.decode(event), event.metadata.timestamp),
    policy,
    retention,
    ...(auditEveryMs === undefined ? {} : { auditEveryMs }),
    newId,
    now,
    observer: metrics.snapshots(bankAccountType.name),
    onProblem,
  });
}
