/** Puts the worker role together: the projections over any pair of stores. A worker thread loads this and no HTTP. */
import { createBankCodec } from '../application/bank-codec.ts';
import { CLOUD_EVENT_PUBLISHER } from '../application/cloud-event-publisher.ts';
import type { CloudEventSettings, Config } from '../config.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import type { ProjectionGroup } from '../event-sourcing/projection.ts';
import { ProjectionHost, type ProjectionHostOptions } from '../event-sourcing/projection-host.ts';
import type { ProjectorProblem } from '../event-sourcing/projector.ts';
import type { Fence, ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { type SharedWork, WorkSharing, type WorkSharingProblem } from '../event-sourcing/work-sharing.ts';
import { newId } from '../new-id.ts';
import { PROJECTED_STREAM_PREFIXES, projectionGroups } from '../projections/index.ts';
import { fillerFor } from '../threads/build-runner.ts';
import { composeCloudEventPublisher, type PublisherProblem, preparePublisher } from './compose-publisher.ts';

export type WorkerProblem = ProjectorProblem | WorkSharingProblem | PublisherProblem;

/**
 * What the projections are doing: `standby` where other workers lead them all, `unattended` where nobody does,
 * `retrying` after a failure.
 */
export type ProjectionsState = 'running' | 'retrying' | 'standby' | 'unattended' | 'stopped';

/** What all projections together are doing, and each group by its name. */
export interface WorkerStates {
  readonly all: ProjectionsState;
  readonly groups: Readonly<Record<string, ProjectionsState>>;
}

/** How long what nobody waits for is written late under load. */
const PATIENCE_MS = 2_000;

export interface WorkerOptions {
  readonly reader: EventReader;
  readonly readModels: ReadModelStore;
  readonly config: Pick<Config, 'readModels' | 'defaultCurrency' | 'cloudEvents'> &
    Partial<Pick<Config, 'eventStore' | 'archiveDir'>>;
  /** Default: those of the bank. */
  readonly groups?: readonly ProjectionGroup<BankEvent>[];
  readonly onProjected: () => void;
  readonly onProblem: (problem: WorkerProblem) => void;
}

export interface Worker {
  states(): WorkerStates;
  /** Someone is waiting: project now. */
  wake(): void;
  /** Works until `signal` fires. Never rejects: problems are reported, and tried again for ever. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Makes the read models those of these events. Collections are the affair of whoever leads their projections.
 * @throws StoreError when they belong to other events, and these have none: they may be lost
 */
export async function prepareReadModels(store: ReadModelStore, reader: EventReader): Promise<void> {
  await store.prepare([], reader.storeId, (await reader.headPosition()) !== undefined);
}

/** Embedded read models have one worker, which does everything; those on a server are shared among many. */
export function composeWorker(options: WorkerOptions): Worker {
  return options.config.readModels.kind === 'mongodb' ? new SharedWorker(options) : new SoleWorker(options);
}

class SoleWorker implements Worker {
  readonly #host: ProjectionHost<BankEvent>;
  readonly #groups: readonly ProjectionGroup<BankEvent>[];

  constructor(options: WorkerOptions) {
    const elsewhere = fillerFor(options.config);
    this.#groups = options.groups ?? projectionGroups;
    const host = hostOptions(options, this.#groups);
    this.#host = new ProjectionHost({
      ...host,
      ...(elsewhere ? { elsewhere } : {}),
      ...(isEmbedded(options.config) ? { patienceMs: PATIENCE_MS } : {}),
    });
  }

  states(): WorkerStates {
    const host = this.#host;
    return { all: host.state, groups: byName(this.#groups, (group) => host.stateOf(group)) };
  }

  wake(): void {
    this.#host.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#host.run(signal);
  }
}

/** Leads the projections, and the publisher of CloudEvents, whose leases it gets. */
class SharedWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #sharing: WorkSharing;
  readonly #hosts = new Map<string, ProjectionHost<BankEvent>>();
  readonly #groups: readonly ProjectionGroup<BankEvent>[];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#groups = options.groups ?? projectionGroups;
    const works = this.#groups.map((group): SharedWork => {
      return { name: group.name, run: (fence, signal) => this.#project(group, fence, signal) };
    });
    const { cloudEvents } = options.config;
    if (cloudEvents) {
      const run = (fence: Fence, signal: AbortSignal) => this.#publish(cloudEvents, fence, signal);
      works.push({ name: CLOUD_EVENT_PUBLISHER, run });
    }
    const { readModels: leases, onProblem } = options;
    this.#sharing = new WorkSharing({ leases, holder: newId(), works, onProblem });
  }

  states(): WorkerStates {
    const { reachable } = this.#sharing;
    const led = [...this.#hosts.values()].map((host) => host.state);
    const fallback = this.#hosts.size > 0 ? 'running' : 'standby';
    const ofGroup = ({ name }: ProjectionGroup<BankEvent>) =>
      reachable ? (this.#hosts.get(name)?.state ?? fallback) : 'retrying';
    return {
      all: !reachable || led.includes('retrying') ? 'retrying' : fallback,
      groups: byName(this.#groups, ofGroup),
    };
  }

  wake(): void {
    for (const host of this.#hosts.values()) host.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#sharing.run(signal);
  }

  async #project(group: ProjectionGroup<BankEvent>, fence: Fence, signal: AbortSignal): Promise<void> {
    const host = new ProjectionHost({ ...hostOptions(this.#options, [group]), fence });
    this.#hosts.set(group.name, host);
    try {
      await host.run(signal);
    } finally {
      this.#hosts.delete(group.name);
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

function byName(
  groups: readonly ProjectionGroup<BankEvent>[],
  stateOf: (group: ProjectionGroup<BankEvent>) => ProjectionsState,
): WorkerStates['groups'] {
  return Object.fromEntries(groups.map((group) => [group.name, stateOf(group)]));
}

function hostOptions(
  { reader, readModels, config, onProjected, onProblem }: WorkerOptions,
  groups: readonly ProjectionGroup<BankEvent>[],
): ProjectionHostOptions<BankEvent> {
  return {
    reader,
    store: readModels,
    codec: createBankCodec(config.defaultCurrency),
    streamPrefixes: PROJECTED_STREAM_PREFIXES,
    groups,
    onProjected,
    onProblem,
  };
}

/** On a server, the end of the log that is followed may lie before the end of the whole log: nothing can wait for that. */
function isEmbedded({ eventStore }: WorkerOptions['config']): boolean {
  return eventStore !== undefined && eventStore.kind !== 'kurrentdb';
}
