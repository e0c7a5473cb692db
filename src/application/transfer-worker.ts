/**
 * Finishes transfers whose driver is gone: a consumer group hears of every request, and a sweep through the read model
 * finds what was left over all the same (a server may lose messages of a group when it restarts).
 */
import { type TransferRequested, UNFINISHED_STATUSES } from '../domain/transfer.ts';
import { type ConsumerGroupProblem, runConsumerGroup } from '../event-sourcing/consumer-group-runner.ts';
import type { ConsumerGroups } from '../event-sourcing/consumer-groups.ts';
import type { RecordedEvent } from '../event-sourcing/event-store.ts';
import { TemporaryError } from '../event-sourcing/projection.ts';
import type { FindOptions, ReadModelReader, StoredDocument } from '../event-sourcing/read-model-store.ts';
import { Signal } from '../event-sourcing/signal.ts';
import { type TransferDocument, transfers } from '../projections/transfers.ts';
import type { TransferProcess } from './transfer-process.ts';

/** Names the group in the store, in metrics and in the log. */
export const TRANSFER_GROUP = 'transfers';

export type TransferWorkerProblem =
  | ConsumerGroupProblem
  /** The sweep could not finish this one; it comes to it again. */
  | { readonly kind: 'transfer_unfinished'; readonly transferId: string; readonly error: unknown }
  /** The read model could not be read. */
  | { readonly kind: 'sweep_failed'; readonly error: unknown };

export interface TransferWorkerOptions {
  readonly process: TransferProcess;
  readonly groups: ConsumerGroups;
  readonly readModels: ReadModelReader;
  readonly newId: () => string;
  readonly onProblem: (problem: TransferWorkerProblem) => void;
  /** Ends the work. */
  readonly signal: AbortSignal;
  /** How long a transfer is left to the request that began it, in milliseconds. Default 2,000. */
  readonly headStartMs?: number;
  /** Between two sweeps, and how long a transfer must have stood still to be swept. Default 10,000. */
  readonly sweepEveryMs?: number;
}

/** One event of a transfer is enough to hear of it. */
const REQUESTED: TransferRequested['type'] = 'TransferRequestedDomainEventV1';
const HEAD_START_MS = 2_000;
const SWEEP_EVERY_MS = 10_000;
/** Transfers of one status that one sweep looks at; the next one goes on from there. */
const SWEPT_MAX = 100;
const CONCURRENCY = 50;

/** Works until `signal` fires. Never rejects: problems are reported, and tried again for ever. */
export async function runTransferWorker(options: TransferWorkerOptions): Promise<void> {
  const { groups, signal, onProblem } = options;
  const group = runConsumerGroup({
    groups,
    settings: { name: TRANSFER_GROUP, eventTypes: [REQUESTED], startFrom: 'first_event' },
    handle: (event, ending) => finish(options, event, ending),
    concurrency: CONCURRENCY,
    signal,
    onProblem,
  });
  await Promise.all([group.ended, new Sweep(options).run()]);
}

async function finish(
  { process, headStartMs = HEAD_START_MS }: TransferWorkerOptions,
  event: RecordedEvent,
  ending: AbortSignal,
): Promise<void> {
  const { aggregate_id, timestamp, correlation_id } = event.metadata;
  const age = Date.now() - Date.parse(timestamp);
  // A clock that is ahead must not make it wait for longer.
  const wait = Math.min(headStartMs - age, headStartMs);
  if (wait > 0) await new Signal().wait(wait, ending);
  if (ending.aborted) throw new TemporaryError('The program ends.');
  if (await process.hasEnded(aggregate_id)) return;
  await process.resume(aggregate_id, { correlation_id, causation_id: event.id });
}

class Sweep {
  readonly #options: TransferWorkerOptions;
  readonly #everyMs: number;
  /** Where the last sweep of a status ended, if there was more. */
  readonly #after = new Map<string, NonNullable<FindOptions['after']>>();

  constructor(options: TransferWorkerOptions) {
    this.#options = options;
    this.#everyMs = options.sweepEveryMs ?? SWEEP_EVERY_MS;
  }

  async run(): Promise<void> {
    const { signal, onProblem } = this.#options;
    while (!signal.aborted) {
      // With jitter, so that workers which started together do not sweep together.
      await new Signal().wait(this.#everyMs * (0.75 + Math.random() / 2), signal);
      for (const status of UNFINISHED_STATUSES) {
        if (signal.aborted) return;
        await this.#sweep(status).catch((error: unknown) => onProblem({ kind: 'sweep_failed', error }));
      }
    }
  }

  async #sweep(status: string): Promise<void> {
    const after = this.#after.get(status);
    this.#after.delete(status);
    const found = await this.#options.readModels.find<TransferDocument>(transfers, {
      where: { status },
      order: 'oldest_first',
      limit: SWEPT_MAX,
      ...(after ? { after } : {}),
    });
    for (const one of found) {
      if (this.#options.signal.aborted) return;
      if (this.#isOverdue(one)) await this.#finish(one.key);
    }
    const last = found.at(-1);
    if (last && found.length === SWEPT_MAX)
      this.#after.set(status, { sequence: last.sequence, key: last.key });
  }

  #isOverdue({ document }: StoredDocument<TransferDocument>): boolean {
    return document !== undefined && Date.now() - Date.parse(document.updated_at) >= this.#everyMs;
  }

  async #finish(transferId: string): Promise<void> {
    const { process, newId, onProblem } = this.#options;
    try {
      await process.resume(transferId, { correlation_id: newId(), causation_id: newId() });
    } catch (error) {
      onProblem({ kind: 'transfer_unfinished', transferId, error });
    }
  }
}
