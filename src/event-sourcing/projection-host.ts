/**
 * Keeps groups of projections: follows the log with the builds that are served, fills new builds beside them, and swaps
 * when those have caught up. Acts on what operators ask. One host at a time, by the fence, leads a group.
 */
import { backoff } from './backoff.ts';
import { BuildView } from './build-view.ts';
import type { DomainEvent } from './codec.ts';
import { Fillings } from './fillings.ts';
import { type Filling, Following } from './following.ts';
import { GroupStates } from './group-states.ts';
import type { AnyProjection, ProjectionGroup } from './projection.ts';
import { keptUpToDate } from './projection-state.ts';
import type { ProjectorOptions, ProjectorProblem, ProjectorState } from './projector.ts';
import type { Build, Collection, ReadModelStore } from './read-model-store.ts';
import { RebuildPace } from './rebuild-pace.ts';
import { Signal } from './signal.ts';
import { StoreError } from './store-error.ts';

export interface ProjectionHostOptions<E extends DomainEvent>
  extends Omit<ProjectorOptions<E>, 'store' | 'projections' | 'pace'> {
  /** Prepared for the event store of `reader`. */
  readonly store: ReadModelStore;
  readonly groups: readonly ProjectionGroup<E>[];
  /** Time between two looks at what operators ask, and at how a rebuild gets on. Default 500. */
  readonly lookMs?: number;
  /**
   * Fills builds of some groups on another thread, where the store can be written from there. Missing: everything is
   * filled on this one.
   */
  readonly elsewhere?: (task: ElsewhereTask) => Filling;
  /** How long replaced builds stay, for readers that had just looked them up. Default 1,000. */
  readonly retireMs?: number;
}

export interface ElsewhereTask {
  readonly builds: readonly Collection[];
  /** Events that came to what is served so far, for the pace. */
  readonly eventsServed: () => number;
  /** Whether the builds are filled in several places at once, each of which has to rest the longer. */
  readonly places: number;
  /** To be called after every commit, and when it has ended. */
  readonly onProgress: () => void;
  readonly onProblem: (problem: ProjectorProblem) => void;
}

/** What is kept up to date, and what is filled, at one time. */
type Round<E extends DomainEvent> = { readonly live: Following<E>; readonly building: Fillings };

type Step = 'requests' | 'caught_up' | 'ended';

/** The longest that what is served stands still at a swap, until the new build has come as far. */
const HAND_OVER_MS_MAX = 10_000;

export class ProjectionHost<E extends DomainEvent> {
  readonly #options: ProjectionHostOptions<E>;
  readonly #states: GroupStates<E>;
  readonly #wakeUp = new Signal();
  #round: Round<E> | undefined;
  #state: ProjectorState = 'stopped';
  #retired: { readonly builds: readonly Collection[]; readonly since: number } | undefined;

  constructor(options: ProjectionHostOptions<E>) {
    this.#options = options;
    this.#states = new GroupStates(options);
  }

  /** Of all groups: `retrying` when that is true of one of them. */
  get state(): ProjectorState {
    if (this.#state !== 'running') return this.#state;
    return this.#retrying().length > 0 ? 'retrying' : 'running';
  }

  /** Of one group: what fails for others, such as the rebuild of another one, does not show here. */
  stateOf({ projections }: Pick<ProjectionGroup<E>, 'projections'>): ProjectorState {
    if (this.#state !== 'running') return this.#state;
    const isConcerned = (one: Filling) => projections.some(({ name }) => one.projections.has(name));
    return this.#retrying().some(isConcerned) ? 'retrying' : 'running';
  }

  /** Someone is waiting for the newest events. */
  wake(): void {
    this.#round?.live.wake();
  }

  /**
   * Works until `signal` fires. A failure is reported and tried again, for ever.
   * @throws StoreError `fenced`, and only this, when another host leads these groups by now
   */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#begin();
        this.#state = 'running';
        failures = 0;
        while (!signal.aborted) await this.#nextRound(signal);
      } catch (error) {
        this.#state = 'stopped';
        if (error instanceof StoreError && error.code === 'fenced') throw error;
        failures += 1;
        this.#state = 'retrying';
        const delayMs = backoff(this.#options.retryDelayMs ?? 2_000, failures);
        this.#options.onProblem?.({ kind: 'retrying', error, failures, delayMs });
        await new Signal().wait(delayMs, signal);
      }
    }
    this.#state = 'stopped';
  }

  /** What follows the log, or fills builds, and fails at it just now. */
  #retrying(): Filling[] {
    if (!this.#round) return [];
    const { live, building } = this.#round;
    return [live, ...building.all].filter(({ state }) => state === 'retrying');
  }

  /** Finds out what is there, begins what has to be rebuilt, and removes what a crash left behind. */
  async #begin(): Promise<void> {
    const { store, groups } = this.#options;
    await this.#states.load();
    for (const group of groups) await this.#adopt(group);
    for (const group of groups) await this.#plan(group, await store.builds());
    const used = new Set([...this.#states.building(), ...(await this.#served())].map(keyOf));
    const left = (await this.#ownBuilds()).filter((one) => !one.live && !used.has(keyOf(one)));
    await store.drop(left.map(toCollection));
  }

  /** Serves what was filled before there were builds. */
  async #adopt({ projections }: ProjectionGroup<E>): Promise<void> {
    const { store, fence } = this.#options;
    const builds = await store.builds();
    for (const projection of projections) {
      const known = builds.filter((one) => one.projection === projection.name);
      if (known.some(({ live }) => live)) continue;
      const old = known.filter(({ build }) => build === 0).sort((one, other) => other.version - one.version);
      const chosen = old.find(({ version }) => version === projection.version) ?? old[0];
      if (chosen) await store.promote([toCollection(chosen)], fence);
    }
  }

  /** What nobody ever saw is served from the first event on; what another program filled goes on until a swap. */
  async #plan(group: ProjectionGroup<E>, builds: readonly Build[]): Promise<void> {
    const { store, reader, fence } = this.#options;
    const isServed = group.projections.some(({ name }) =>
      builds.some((one) => one.live && one.projection === name),
    );
    if (!isServed) {
      const fresh = await this.#states.newBuild(group);
      await store.prepare(fresh, reader.storeId);
      await store.promote(fresh, fence);
      return;
    }
    const isCurrent = keptUpToDate(group, builds).length === group.projections.length;
    const served = builds.filter(({ live }) => live);
    if (await this.#states.resume(group, isCurrent, served)) {
      const reason = 'its version has changed';
      for (const { name } of group.projections)
        this.#options.onProblem?.({ kind: 'rebuilding', projection: name, reason });
    }
  }

  async #nextRound(signal: AbortSignal): Promise<void> {
    const { store, reader } = this.#options;
    const served = await this.#served();
    const building = this.#states.building();
    await store.prepare([...served, ...building], reader.storeId);
    const following = this.#follow(this.#states.withoutPaused(served));
    const filling = this.#fill(this.#states.withoutPaused(building), () => following.eventsSeen);
    this.#round = { live: following, building: filling };
    const { live } = this.#round;
    try {
      live.start(signal);
      filling.start(signal);
      const step = await this.#watch(this.#round, signal);
      if (step === 'caught_up') await this.#swap(this.#round, served);
    } finally {
      await Promise.all([live.stop(), filling.stop()]);
    }
    await this.#states.obeyRequests();
  }

  /** The builds that are served and that this code keeps up to date. */
  async #served(): Promise<Collection[]> {
    const builds = await this.#options.store.builds();
    const numbers = new Map(builds.filter(({ live }) => live).map((one) => [one.projection, one.build]));
    return this.#options.groups
      .flatMap((group) => keptUpToDate(group, builds))
      .map((projection) => ({ ...projection, build: numbers.get(projection.name) ?? 0 }));
  }

  /** Every second group elsewhere, where that can be done: two threads have the more time each. */
  #fill(builds: readonly Collection[], eventsServed: () => number): Fillings {
    const { groups, elsewhere, onProblem } = this.#options;
    const inGroup = ({ projections }: ProjectionGroup<E>) => {
      const names = new Set(projections.map(({ name }) => name));
      return builds.filter(({ name }) => names.has(name));
    };
    const filled = groups.map(inGroup).filter((some) => some.length > 0);
    const here = filled.filter((_, index) => index % 2 === 0).flat();
    const others = filled.filter((_, index) => index % 2 === 1).flat();
    if (!elsewhere || others.length === 0)
      return new Fillings([this.#follow(builds, new RebuildPace({ eventsServed }))]);
    const places = 2;
    const pace = new RebuildPace({ eventsServed, places });
    const there = elsewhere({
      builds: others,
      eventsServed,
      places,
      onProgress: () => this.#wakeUp.notify(),
      onProblem: (problem) => onProblem?.(problem),
    });
    return new Fillings([this.#follow(here, pace), there]);
  }

  /** @param pace for builds that are not served yet */
  #follow(builds: readonly Collection[], pace?: RebuildPace): Following<E> {
    const { groups, store, onProjected, elsewhere: _, ...options } = this.#options;
    const numbers = new Map(builds.map(({ name, build = 0 }) => [name, build]));
    const projections: AnyProjection<E>[] = groups
      .flatMap((group) => group.projections)
      .filter(({ name }) => numbers.has(name));
    const notify = pace ? () => this.#wakeUp.notify() : onProjected;
    return new Following({
      ...options,
      store: new BuildView(store, numbers),
      projections,
      ...(notify ? { onProjected: notify } : {}),
      ...(pace ? { pace } : {}),
      onEnded: () => this.#wakeUp.notify(),
    });
  }

  /** Waits until something has to be done that the projectors do not do by themselves. */
  async #watch({ live, building }: Round<E>, signal: AbortSignal): Promise<Step> {
    const lookMs = this.#options.lookMs ?? 500;
    let lookedAt = performance.now();
    while (!signal.aborted) {
      await this.#wakeUp.wait(lookMs, signal);
      live.mustBeWell();
      building.mustBeWell();
      if (signal.aborted) break;
      if (building.caughtUp) return 'caught_up';
      if (performance.now() - lookedAt < lookMs) continue;
      lookedAt = performance.now();
      for (const one of building.all) await this.#states.noteProgress(one);
      await this.#dropRetired();
      if (await this.#states.hasRequests()) return 'requests';
    }
    return 'ended';
  }

  /** Nothing is served twice or in between: the old build stands still while the new one comes up to it. */
  async #swap({ live, building }: Round<E>, served: readonly Collection[]): Promise<void> {
    const { store, fence } = this.#options;
    const builds = this.#states.withoutPaused(this.#states.building());
    const names = new Set(builds.map(({ name }) => name));
    const replaced = (await this.#ownBuilds()).filter((one) => one.live && names.has(one.projection));
    await live.stop();
    const reached = await this.#positionOf(served.filter(({ name }) => names.has(name)));
    const deadline = performance.now() + HAND_OVER_MS_MAX;
    while (!building.hasReached(reached)) {
      building.mustBeWell();
      if (performance.now() > deadline) return;
      building.wake();
      await this.#wakeUp.wait(20);
    }
    await building.stop();
    building.mustBeWell();
    await store.promote(builds, fence);
    await this.#states.finished(builds);
    await this.#dropRetired(true);
    this.#retired = { builds: replaced.map(toCollection), since: performance.now() };
    this.#options.onProjected?.();
  }

  async #positionOf(builds: readonly Collection[]): Promise<bigint> {
    const keys = new Set(builds.map(keyOf));
    const found = (await this.#ownBuilds()).filter((one) => keys.has(keyOf(one)));
    return found.reduce((furthest, { position }) => (position > furthest ? position : furthest), 0n);
  }

  async #dropRetired(atOnce = false): Promise<void> {
    if (!this.#retired) return;
    if (!atOnce && performance.now() - this.#retired.since < (this.#options.retireMs ?? 1_000)) return;
    await this.#options.store.drop(this.#retired.builds);
    this.#retired = undefined;
  }

  async #ownBuilds(): Promise<Build[]> {
    const names = new Set(
      this.#options.groups.flatMap(({ projections }) => projections.map(({ name }) => name)),
    );
    return (await this.#options.store.builds()).filter(({ projection }) => names.has(projection));
  }
}

/** The name and the build: a number is never given twice, except 0, which each version has. */
function keyOf(one: Build | Collection): string {
  const name = 'projection' in one ? one.projection : one.name;
  return `${name} ${one.version} ${one.build ?? 0}`;
}

/** Enough of a collection to promote or drop it. */
function toCollection({ projection, version, build }: Build): Collection {
  return { name: projection, version, build, indexes: [], listed: false };
}
