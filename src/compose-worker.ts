/** Puts the worker role together: the projections over any pair of stores. A worker thread loads this and no HTTP. */
import { createBankCodec } from './application/bank-codec.ts';
import { CLOUD_EVENT_PUBLISHER } from './application/cloud-event-publisher.ts';
import { composeCloudEventPublisher, type PublisherProblem, preparePublisher } from './compose-publisher.ts';
import type { CloudEventSettings, Config } from './config.ts';
import type { BankEvent } from './domain/bank-event.ts';
import type { EventReader } from './event-sourcing/event-store.ts';
import type { AnyProjection } from './event-sourcing/projection.ts';
import { Projector, type ProjectorOptions, type ProjectorProblem } from './event-sourcing/projector.ts';
import type { Fence, ReadModelStore } from './event-sourcing/read-model-store.ts';
import { type SharedWork, WorkSharing, type WorkSharingProblem } from './event-sourcing/work-sharing.ts';
import { newId } from './new-id.ts';
import { PROJECTED_STREAM_PREFIXES, projectionGroups, projections } from './projections/index.ts';

export type WorkerProblem = ProjectorProblem | WorkSharingProblem | PublisherProblem;

/**
 * What the projections are doing: `standby` where other workers lead them all, `unattended` where nobody does,
 * `retrying` after a failure.
 */
export type ProjectionsState = 'running' | 'retrying' | 'standby' | 'unattended' | 'stopped';

export interface WorkerOptions {
  readonly reader: EventReader;
  readonly readModels: ReadModelStore;
  readonly config: Pick<Config, 'readModels' | 'defaultCurrency' | 'cloudEvents'>;
  readonly onProjected: () => void;
  readonly onProblem: (problem: WorkerProblem) => void;
}

export interface Worker {
  state(): ProjectionsState;
  /** Someone is waiting: project now. */
  wake(): void;
  /** Works until `signal` fires. Never rejects: problems are reported, and tried again for ever. */
  run(signal: AbortSignal): Promise<void>;
}

/** @throws StoreError when the read models belong to other events, and these have none: they may be lost */
export async function prepareReadModels(store: ReadModelStore, reader: EventReader): Promise<void> {
  await store.prepare(projections, reader.storeId, (await reader.headPosition()) !== undefined);
}

/** Embedded read models have one worker, which does everything; those on a server are shared among many. */
export function composeWorker(options: WorkerOptions): Worker {
  return options.config.readModels.kind === 'mongodb' ? new SharedWorker(options) : new SoleWorker(options);
}

class SoleWorker implements Worker {
  readonly #projector: Projector<BankEvent>;

  constructor(options: WorkerOptions) {
    this.#projector = new Projector(projectorOptions(options, projections));
  }

  state(): ProjectionsState {
    return this.#projector.state;
  }

  wake(): void {
    this.#projector.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#projector.run(signal);
  }
}

/** Leads the projections, and the publisher of CloudEvents, whose leases it gets. */
class SharedWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #sharing: WorkSharing;
  readonly #projectors = new Map<string, Projector<BankEvent>>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    const works = projectionGroups.map(({ name, projections }): SharedWork => {
      return { name, run: (fence, signal) => this.#project(name, projections, fence, signal) };
    });
    const { cloudEvents } = options.config;
    if (cloudEvents) {
      const run = (fence: Fence, signal: AbortSignal) => this.#publish(cloudEvents, fence, signal);
      works.push({ name: CLOUD_EVENT_PUBLISHER, run });
    }
    const { readModels: leases, onProblem } = options;
    this.#sharing = new WorkSharing({ leases, holder: newId(), works, onProblem });
  }

  state(): ProjectionsState {
    const states = [...this.#projectors.values()].map((projector) => projector.state);
    if (!this.#sharing.reachable || states.includes('retrying')) return 'retrying';
    return states.length > 0 ? 'running' : 'standby';
  }

  wake(): void {
    for (const projector of this.#projectors.values()) projector.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#sharing.run(signal);
  }

  async #project(
    name: string,
    group: readonly AnyProjection<BankEvent>[],
    fence: Fence,
    signal: AbortSignal,
  ): Promise<void> {
    const projector = new Projector({ ...projectorOptions(this.#options, group), fence });
    this.#projectors.set(name, projector);
    try {
      await projector.run(signal);
    } finally {
      this.#projectors.delete(name);
    }
  }

  async #publish(settings: CloudEventSettings, fence: Fence, signal: AbortSignal): Promise<void> {
    const { reader, readModels: store, config, onProblem } = this.#options;
    await preparePublisher(store, reader);
    const stores = { reader, store, defaultCurrency: config.defaultCurrency };
    const publisher = composeCloudEventPublisher(settings, stores, {
      fence,
      onProblem: (problem) => onProblem({ kind: 'publisher', problem }),
    });
    await publisher.run(signal);
  }
}

function projectorOptions(
  { reader, readModels, config, onProjected, onProblem }: WorkerOptions,
  group: readonly AnyProjection<BankEvent>[],
): ProjectorOptions<BankEvent> {
  return {
    reader,
    store: readModels,
    codec: createBankCodec(config.defaultCurrency),
    projections: group,
    streamPrefixes: PROJECTED_STREAM_PREFIXES,
    onProjected,
    onProblem,
  };
}
