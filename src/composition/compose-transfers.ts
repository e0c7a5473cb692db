/** Puts together what writes: the repositories, and the process that drives transfers over two of them. */
import { bankAccountType, personType } from '../application/bank.ts';
import { createBankCodec } from '../application/bank-codec.ts';
import { TransferLegs } from '../application/transfer-legs.ts';
import { type TransferFailpoint, TransferProcess, transferType } from '../application/transfer-process.ts';
import {
  runTransferWorker,
  TRANSFER_GROUP,
  type TransferWorkerOptions,
  type TransferWorkerProblem,
} from '../application/transfer-worker.ts';
import type { Config } from '../config.ts';
import type { BankAccountEvent } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import type { Rejection } from '../domain/decision.ts';
import type { DomainEvent, EventCodec } from '../event-sourcing/codec.ts';
import type { EventStore } from '../event-sourcing/event-store.ts';
import type { OperationArchive } from '../event-sourcing/operation-log.ts';
import { type AggregateType, Repository } from '../event-sourcing/repository.ts';
import type { SnapshotKeeper, SnapshotProblem } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import type { ServiceMetrics } from '../metrics/service-metrics.ts';
import type { StoreSources } from '../metrics/store-metrics.ts';
import { newId } from '../new-id.ts';
import { composeSnapshots } from './compose-snapshots.ts';
import type { Parts } from './parts.ts';

/** Told apart from the projections' problems, which have the same kinds. */
export interface TransfersProblem {
  readonly kind: 'transfers';
  readonly problem: TransferWorkerProblem;
}

export type WriteSide = ReturnType<typeof composeWriteSide>;

/** Who hears of trouble, and what tests may put into what writes. */
export interface WriteHooks {
  readonly onSnapshotProblem?: (problem: SnapshotProblem) => void;
  readonly transferFailpoint?: TransferFailpoint;
  /** The store without its archive, where there is one: accounts are loaded from what they have there. */
  readonly live?: EventStore;
  /** Business time; that of the machine by default. */
  readonly now?: () => Date;
}

/** `snapshots` is to be closed before the store. */
export function composeWriteSide(
  config: Pick<Config, 'defaultCurrency' | 'snapshots'>,
  store: EventStore,
  metrics: ServiceMetrics,
  archive: OperationArchive,
  {
    onSnapshotProblem = () => undefined,
    transferFailpoint,
    live = store,
    now = () => new Date(),
  }: WriteHooks = {},
) {
  const codec = createBankCodec(config.defaultCurrency);
  const codecOf = <E extends BankEvent>() => codec as EventCodec<DomainEvent> as EventCodec<E>;
  const repository = <S, E extends BankEvent>(type: AggregateType<S, E>, snapshots?: SnapshotKeeper<S>) =>
    new Repository<S, E, Rejection>(type, codecOf<E>(), {
      store: live,
      history: store,
      newId,
      now,
      observer: metrics.repository(type.name),
      archive,
      snapshots,
    });
  const snapshots = composeSnapshots(config, store, codecOf<BankAccountEvent>(), metrics, {
    now,
    onProblem: onSnapshotProblem,
  });
  const accounts = repository(bankAccountType, snapshots);
  const transfers = repository(transferType);
  const legs = new TransferLegs({ accounts, events: store, codec });
  const transferProcess = new TransferProcess(transfers, legs, transferFailpoint);
  return { persons: repository(personType), accounts, transfers, transferProcess, codec, snapshots };
}

/**
 * Finishes transfers that were left over, until the service ends. It waits for stores and computes little, so it needs
 * no thread of its own.
 * @returns what counts the parked messages of its group, for the metrics
 */
export function startTransferWorker(
  { transferProcess }: Pick<WriteSide, 'transferProcess'>,
  stores: Pick<TransferWorkerOptions, 'groups' | 'readModels'>,
  report: (problem: TransfersProblem) => void,
  parts: Parts,
): StoreSources['parked'] {
  const stopping = new AbortController();
  const running = runTransferWorker({
    process: transferProcess,
    ...stores,
    newId,
    onProblem: (problem) => report({ kind: 'transfers', problem }),
    signal: stopping.signal,
  });
  parts.closeLater({
    close() {
      stopping.abort();
      return running;
    },
  });
  const { groups } = stores;
  return [async () => [{ consumer: TRANSFER_GROUP, count: await groups.countParked(TRANSFER_GROUP) }]];
}
