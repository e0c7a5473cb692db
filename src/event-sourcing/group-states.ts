/** The states of the groups that one host leads: loaded, changed and stored; nobody else writes them. */
import type { DomainEvent } from './codec.ts';
import type { EventReader } from './event-store.ts';
import type { Filling } from './following.ts';
import { OPERATOR_REQUESTS_STREAM, toProjectionRequest } from './operator-requests.ts';
import type { AnyProjection, ProjectionGroup } from './projection.ts';
import {
  applyRequest,
  GROUP_STATES,
  type GroupState,
  isOfThisCode,
  type Rebuild,
  withRebuild,
} from './projection-state.ts';
import type { Build, Checkpoint, Collection, Fence, ReadModelStore } from './read-model-store.ts';

interface GroupStatesOptions<E extends DomainEvent> {
  readonly reader: EventReader;
  readonly store: ReadModelStore;
  readonly groups: readonly ProjectionGroup<E>[];
  readonly fence?: Fence;
}

/** Requests acted on in one step. */
const REQUESTS_MAX = 100;

export class GroupStates<E extends DomainEvent> {
  readonly #options: GroupStatesOptions<E>;
  readonly #states = new Map<string, GroupState>();
  /** Each change of a state counts up, so that an older one never replaces a newer one. */
  readonly #changes = new Map<string, bigint>();

  constructor(options: GroupStatesOptions<E>) {
    this.#options = options;
  }

  /** A group that is seen for the first time has nothing to do with requests that came before it. */
  async load(): Promise<void> {
    const { store, reader, groups } = this.#options;
    await store.prepare([GROUP_STATES], reader.storeId);
    await this.#claim();
    for (const { name } of groups) {
      const stored = await store.get<GroupState>(GROUP_STATES, name);
      this.#changes.set(name, stored?.position ?? 0n);
      this.#states.set(name, stored?.document ?? { ...NEW_STATE, handled: await newestRequest(reader) });
    }
  }

  /** Marks everything with this leader's token before reading it: an earlier leader cannot change it any more. */
  async #claim(): Promise<void> {
    const { store, groups, fence } = this.#options;
    if (!fence) return;
    const names = new Set(groups.flatMap(({ projections }) => projections.map(({ name }) => name)));
    const builds = (await store.builds()).filter(({ projection }) => names.has(projection));
    const known = builds.map(({ projection, version, build }) => ({
      projection,
      version,
      build,
      position: 0n,
    }));
    const checkpoints = [...groups.map(proofOf), ...known];
    await store.commit({ writes: [], deadLetters: [], checkpoints, fence });
  }

  /** Takes a number for builds of all projections of a group. */
  async newBuild(group: ProjectionGroup<E>): Promise<Collection[]> {
    const state = this.#of(group);
    const build = state.last_build + 1;
    await this.#save(group, { ...state, last_build: build, rebuild: null });
    return buildsOf(group, build);
  }

  /**
   * Goes on with the rebuild that was under way, if it still makes sense, and begins the one that a changed program needs.
   * @param isCurrent whether what is served is what this code would fill
   * @returns whether one was begun
   */
  async resume(group: ProjectionGroup<E>, isCurrent: boolean, served: readonly Build[]): Promise<boolean> {
    const state = this.#of(group);
    const { rebuild } = state;
    // The swap is done, and only the note about it got lost.
    const isDone = served.some(
      ({ projection, build }) => build === rebuild?.build && rebuild.versions[projection] !== undefined,
    );
    if (rebuild && isDone) await this.#save(group, { ...state, rebuild: null });
    const goesOn = rebuild && !isDone && isOfThisCode(group, rebuild);
    if (goesOn || (isCurrent && (!rebuild || isDone))) return false;
    const reason: Rebuild['reason'] = isCurrent ? 'requested' : 'version_changed';
    await this.#save(group, withRebuild(group, this.#of(group), reason, new Date().toISOString()));
    return true;
  }

  /** The builds that are being filled, of all groups. */
  building(): Collection[] {
    return this.#options.groups.flatMap((group) => {
      const { rebuild } = this.#of(group);
      return rebuild ? buildsOf(group, rebuild.build) : [];
    });
  }

  withoutPaused(builds: readonly Collection[]): readonly Collection[] {
    const paused = this.#options.groups.filter((group) => this.#of(group).paused);
    const names = new Set(paused.flatMap(({ projections }) => projections.map(({ name }) => name)));
    return builds.filter(({ name }) => !names.has(name));
  }

  /** These builds are served now. */
  async finished(builds: readonly Collection[]): Promise<void> {
    for (const group of this.#options.groups) {
      const { rebuild, ...state } = this.#of(group);
      const isDone = builds.some(({ name, build }) => build === rebuild?.build && has(group, name));
      if (isDone) await this.#save(group, { ...state, rebuild: null });
    }
  }

  async noteProgress(building: Filling): Promise<void> {
    for (const group of this.#options.groups) {
      const { rebuild, ...state } = this.#of(group);
      if (!rebuild || !group.projections.some(({ name }) => building.projections.has(name))) continue;
      const position = String(building.reached);
      if (position === rebuild.position) continue;
      await this.#save(group, { ...state, rebuild: { ...rebuild, position, ...building.rates } });
    }
  }

  async hasRequests(): Promise<boolean> {
    return (await this.#newRequests()).length > 0;
  }

  /** Those that make no sense any more are passed over: whoever asked was told so, or came too late. */
  async obeyRequests(): Promise<void> {
    for (const event of await this.#newRequests()) {
      const request = toProjectionRequest(event);
      for (const group of this.#options.groups) {
        const state = this.#of(group);
        if (event.revision <= state.handled) continue;
        const at = event.metadata.timestamp;
        const outcome =
          request?.data.consumer === group.name ? applyRequest(group, state, request.type, at) : undefined;
        const next = outcome?.ok ? outcome.state : state;
        await this.#save(group, { ...next, handled: event.revision });
        if (state.rebuild && !next.rebuild)
          await this.#options.store.drop(buildsOf(group, state.rebuild.build));
      }
    }
  }

  async #newRequests() {
    const handled = Math.min(...this.#options.groups.map((group) => this.#of(group).handled));
    const { reader } = this.#options;
    const page = { from: handled + 1, limit: REQUESTS_MAX };
    return Array.fromAsync(reader.readStream(OPERATOR_REQUESTS_STREAM, page));
  }

  #of({ name }: Pick<ProjectionGroup<E>, 'name'>): GroupState {
    return this.#states.get(name) ?? NEW_STATE;
  }

  async #save(group: ProjectionGroup<E>, state: GroupState): Promise<void> {
    const { store, fence } = this.#options;
    const position = (this.#changes.get(group.name) ?? 0n) + 1n;
    const document = { key: group.name, sequence: 1n, position, document: state, blocked: false };
    const writes = [{ collection: GROUP_STATES, document }];
    if (fence) await store.commit({ writes, deadLetters: [], checkpoints: [proofOf(group)], fence });
    else await store.commit({ writes, deadLetters: [], checkpoints: [] });
    this.#changes.set(group.name, position);
    this.#states.set(group.name, state);
  }
}

const NEW_STATE: GroupState = { paused: false, handled: -1, last_build: 0, rebuild: null };

/** A checkpoint that never moves: it holds the token of the group's leader. */
function proofOf({ name }: Pick<ProjectionGroup<never>, 'name'>): Checkpoint {
  return { projection: `${GROUP_STATES.name}_${name}`, version: 1, position: 0n };
}

async function newestRequest(reader: EventReader): Promise<number> {
  const newest = { direction: 'backwards', limit: 1 } as const;
  for await (const { revision } of reader.readStream(OPERATOR_REQUESTS_STREAM, newest)) return revision;
  return -1;
}

function buildsOf<E extends DomainEvent>({ projections }: ProjectionGroup<E>, build: number): Collection[] {
  return projections.map((projection: AnyProjection<E>) => ({ ...projection, build }));
}

function has<E extends DomainEvent>({ projections }: ProjectionGroup<E>, name: string): boolean {
  return projections.some((one) => one.name === name);
}
