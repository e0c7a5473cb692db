/** Gauges that are read from the stores when somebody asks: head, lag, dead letters, what is parked, the worker's state. */
import { Gauge, type Registry } from 'prom-client';
import type { EventReader, Position } from '../event-sourcing/event-store.ts';
import { ageOfNextEvent } from '../event-sourcing/lag.ts';
import type { Collection, ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { type ArchiveFigures, ArchiveGauges } from './archive-gauges.ts';
import { type BackupFigures, BackupGauges } from './backup-gauges.ts';
import { type Follower, FollowerGauges } from './follower-gauges.ts';
import { Reading } from './reading.ts';
import { type SnapshotLag, SnapshotLagGauges } from './snapshot-lag-gauges.ts';
import { type StreamFigures, StreamGauges } from './stream-gauges.ts';

/** Messages that a consumer could not handle, set aside until someone decides. */
export interface ParkedCount {
  readonly consumer: string;
  readonly count: number;
}

/** Where the gauges come from. What fails or takes more than a second is left out of the page. */
export interface StoreSources {
  readonly events: Pick<EventReader, 'headPosition' | 'readAll'>;
  /** Whether the difference of two positions is a number of events. */
  readonly positionsCountEvents: boolean;
  readonly readModels: Pick<ReadModelReader, 'checkpoints' | 'countDeadLetters' | 'listDeadLetters'>;
  readonly projections: readonly Pick<Collection, 'name' | 'version'>[];
  readonly workerState: () => string | Promise<string>;
  readonly parked: readonly (() => Promise<readonly ParkedCount[]>)[];
  /** Followers of the log that are no projections, and how far they have come. */
  readonly subscriptions: readonly (() => Promise<readonly Follower[]>)[];
  readonly streams: () => Promise<StreamFigures>;
  /** Missing where the service makes no backups. */
  readonly backups?: (() => Promise<BackupFigures>) | undefined;
  /** Missing where nothing is archived. */
  readonly archive?: (() => Promise<ArchiveFigures>) | undefined;
  /** Missing where no snapshots are taken. */
  readonly snapshotLag?: (() => Promise<SnapshotLag>) | undefined;
}

/** Beyond these, dead letters are not told apart by projection: listing more at every scrape would cost too much. */
const DEAD_LETTERS_COUNTED_MAX = 10_000;
const WORKER_STATES = ['running', 'retrying', 'standby', 'unattended', 'stopped'];

export class StoreMetrics {
  readonly #sources: StoreSources;
  readonly #gauges: ReturnType<typeof registerGauges>;
  readonly #head: Reading<Position>;
  readonly #ages: Reading<ReadonlyMap<Position, number>, [ReadonlySet<Position>]>;
  readonly #projections: Reading<readonly Follower[]>;
  readonly #deadLetters: Reading<ReadonlyMap<string, number>>;
  readonly #workerState: Reading<string>;
  readonly #parked: readonly Reading<readonly ParkedCount[]>[];
  readonly #subscriptions: readonly Reading<readonly Follower[]>[];
  readonly #streams: Reading<StreamFigures>;
  readonly #backups: Reading<BackupFigures> | undefined;
  readonly #archive: Reading<ArchiveFigures> | undefined;
  readonly #snapshotLag: Reading<SnapshotLag> | undefined;

  constructor(registry: Registry, sources: StoreSources) {
    this.#sources = sources;
    this.#gauges = registerGauges(registry);
    this.#head = new Reading(async () => (await sources.events.headPosition()) ?? 0n);
    this.#ages = new Reading((positions) => agesAfter(sources, positions));
    this.#projections = new Reading(() => projectionPositions(sources));
    this.#deadLetters = new Reading(() => countDeadLetters(sources));
    this.#workerState = new Reading(async () => sources.workerState());
    this.#parked = sources.parked.map((ask) => new Reading(ask));
    this.#subscriptions = sources.subscriptions.map((ask) => new Reading(ask));
    this.#streams = new Reading(sources.streams);
    this.#backups = sources.backups && new Reading(sources.backups);
    this.#archive = sources.archive && new Reading(sources.archive);
    this.#snapshotLag = sources.snapshotLag && new Reading(sources.snapshotLag);
  }

  /** Reads all sources anew. Never rejects, and takes two seconds at most. */
  async refresh(): Promise<void> {
    // Checkpoints and the head are read at the same time, so a checkpoint may be ahead of the head: then nothing lags.
    const [head, projections, subscriptions] = await Promise.all([
      this.#head.take(),
      this.#projections.take(),
      takeAll(this.#subscriptions),
      this.#refreshDeadLetters(),
      this.#refreshWorkerState(),
      this.#refreshParked(),
      this.#refreshStreams(),
      this.#refreshOptional('backups', this.#backups, this.#gauges.backups),
      this.#refreshOptional('archive', this.#archive, this.#gauges.archive),
      this.#refreshOptional('snapshot_lag', this.#snapshotLag, this.#gauges.snapshotLag),
    ]);
    await this.#showLag(head, projections, subscriptions);
  }

  async #showLag(
    head: Position | undefined,
    projections: readonly Follower[] | undefined,
    subscriptions: Answers<Follower>,
  ): Promise<void> {
    const { up, projection, subscription, headPosition } = this.#gauges;
    const followers = [...(projections ?? []), ...subscriptions.items];
    const behind = new Set(followers.map(({ position }) => position).filter((one) => one < (head ?? 0n)));
    const agesMs = behind.size === 0 ? new Map<Position, number>() : await this.#ages.take(behind);
    const { positionsCountEvents } = this.#sources;
    const end = { head, agesMs: agesMs ?? new Map<Position, number>(), positionsCountEvents };
    projection.show(projections ?? [], end);
    subscription.show(subscriptions.items, end);
    if (head === undefined) headPosition.remove();
    else headPosition.set(Number(head));
    up.set({ source: 'event_store' }, head !== undefined && agesMs !== undefined ? 1 : 0);
    up.set({ source: 'checkpoints' }, projections ? 1 : 0);
    if (this.#subscriptions.length > 0) up.set({ source: 'subscriptions' }, subscriptions.complete ? 1 : 0);
  }

  async #refreshDeadLetters(): Promise<void> {
    const { up, deadLetters } = this.#gauges;
    const counts = await this.#deadLetters.take();
    deadLetters.reset();
    for (const [projection, count] of counts ?? []) deadLetters.set({ projection }, count);
    up.set({ source: 'dead_letters' }, counts ? 1 : 0);
  }

  async #refreshWorkerState(): Promise<void> {
    const { up, workerState } = this.#gauges;
    const current = await this.#workerState.take();
    workerState.reset();
    for (const state of current === undefined ? [] : new Set([...WORKER_STATES, current]))
      workerState.set({ state }, state === current ? 1 : 0);
    up.set({ source: 'worker' }, current === undefined ? 0 : 1);
  }

  async #refreshParked(): Promise<void> {
    const { up, parked } = this.#gauges;
    const { items, complete } = await takeAll(this.#parked);
    parked.reset();
    for (const { consumer, count } of items) parked.set({ consumer }, count);
    if (this.#parked.length > 0) up.set({ source: 'parked' }, complete ? 1 : 0);
  }

  async #refreshStreams(): Promise<void> {
    const { up, streams } = this.#gauges;
    const figures = await this.#streams.take();
    streams.show(figures);
    up.set({ source: 'stream_health' }, figures ? 1 : 0);
  }

  /** What not every service has. */
  async #refreshOptional<T>(
    source: string,
    reading: Reading<T> | undefined,
    gauges: { show(figures: T | undefined): void },
  ): Promise<void> {
    if (!reading) return;
    const figures = await reading.take();
    gauges.show(figures);
    this.#gauges.up.set({ source }, figures ? 1 : 0);
  }
}

function registerGauges(registry: Registry) {
  const registers = [registry];
  return {
    up: new Gauge({
      name: 'openbank_scrape_source_up',
      help: 'Whether a source of the gauges answered in time at the last scrape: 1 or 0.',
      labelNames: ['source'],
      registers,
    }),
    headPosition: new Gauge({
      name: 'openbank_event_store_head_position',
      help: 'Position of the end of the log.',
      registers,
    }),
    projection: new FollowerGauges(registry, 'projection'),
    subscription: new FollowerGauges(registry, 'subscription'),
    deadLetters: new Gauge({
      name: 'openbank_dead_letters',
      help: 'Events that a projection could not apply and that wait for a decision.',
      labelNames: ['projection'],
      registers,
    }),
    workerState: new Gauge({
      name: 'openbank_worker_state',
      help: 'State of the worker that keeps the read models: 1 for the one it is in, 0 for the others.',
      labelNames: ['state'],
      registers,
    }),
    streams: new StreamGauges(registry),
    backups: new BackupGauges(registry),
    archive: new ArchiveGauges(registry),
    snapshotLag: new SnapshotLagGauges(registry),
    parked: new Gauge({
      name: 'openbank_parked_messages',
      help: 'Messages that a consumer could not handle and that wait for a decision.',
      labelNames: ['consumer'],
      registers,
    }),
  };
}

/** What several sources of one kind answered together, and whether all of them did. */
interface Answers<T> {
  readonly items: readonly T[];
  readonly complete: boolean;
}

async function takeAll<T>(readings: readonly Reading<readonly T[]>[]): Promise<Answers<T>> {
  const answers = await Promise.all(readings.map((one) => one.take()));
  return { items: answers.flatMap((one) => one ?? []), complete: !answers.includes(undefined) };
}

/** A projection without a checkpoint has seen nothing yet. */
async function projectionPositions({ readModels, projections }: StoreSources): Promise<Follower[]> {
  const checkpoints = await readModels.checkpoints();
  return projections.map(({ name, version }) => {
    const stored = checkpoints.find((one) => one.projection === name && one.version === version);
    return { name, position: stored?.position ?? 0n };
  });
}

async function countDeadLetters({ readModels, projections }: StoreSources): Promise<Map<string, number>> {
  const counts = new Map(projections.map(({ name }) => [name, 0]));
  if ((await readModels.countDeadLetters()) === 0) return counts;
  for (const { projection } of await readModels.listDeadLetters({ limit: DEAD_LETTERS_COUNTED_MAX }))
    counts.set(projection, (counts.get(projection) ?? 0) + 1);
  return counts;
}

async function agesAfter({ events }: StoreSources, positions: ReadonlySet<Position>) {
  const ages = [...positions].map(
    async (position) => [position, await ageOfNextEvent(events, position)] as const,
  );
  return new Map(await Promise.all(ages));
}
