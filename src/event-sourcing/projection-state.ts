/**
 * What is remembered about a group of projections beside its documents: whether it is paused, which rebuild is under
 * way, and which requests of operators were acted on. Pure: what a request means is the same for whoever takes it and
 * for whoever acts on it.
 */
import type { ProjectionRequestType } from './operator-requests.ts';
import type { Build, Collection } from './read-model-store.ts';

/** One document for each group, under its name. */
export const GROUP_STATES: Collection = { name: 'projection_groups', version: 1, indexes: [], listed: true };

export interface Rebuild {
  readonly build: number;
  readonly reason: 'requested' | 'version_changed';
  /** RFC 3339 UTC. */
  readonly started_at: string;
  /** The versions that it fills, by projection. Code with others starts over. */
  readonly versions: Readonly<Record<string, number>>;
  /** As of the newest note, which is made about every second while it runs. */
  readonly position: string;
  readonly events_per_second: number;
  readonly positions_per_second: number;
}

export type GroupState = {
  readonly paused: boolean;
  /** Revision of the newest request that was acted on; -1 before the first. */
  readonly handled: number;
  /** The highest build ever begun: no number is given twice. */
  readonly last_build: number;
  readonly rebuild: Rebuild | null;
};

/** What has to be known of a group here. */
interface Versions {
  readonly projections: readonly Pick<Collection, 'name' | 'version'>[];
}

/** Why a request makes no sense now. */
export type RequestRefusal =
  | 'rebuild_in_progress'
  | 'no_rebuild'
  | 'rebuild_required'
  | 'projection_paused'
  | 'projection_not_paused';

type Outcome =
  | { readonly ok: true; readonly state: GroupState }
  | { readonly ok: false; readonly refusal: RequestRefusal };

/** What a request makes of a group. @param at its time, RFC 3339 UTC */
export function applyRequest(
  group: Versions,
  state: GroupState,
  type: ProjectionRequestType,
  at: string,
): Outcome {
  switch (type) {
    case 'ProjectionRebuildRequestedV1':
      if (state.rebuild) return { ok: false, refusal: 'rebuild_in_progress' };
      return { ok: true, state: withRebuild(group, state, 'requested', at) };
    case 'ProjectionRebuildCancelledV1':
      if (!state.rebuild) return { ok: false, refusal: 'no_rebuild' };
      // What is served meanwhile is that of an older program, and nobody keeps it up to date.
      if (state.rebuild.reason === 'version_changed') return { ok: false, refusal: 'rebuild_required' };
      return { ok: true, state: { ...state, rebuild: null } };
    case 'ProjectionPausedV1':
      if (state.paused) return { ok: false, refusal: 'projection_paused' };
      return { ok: true, state: { ...state, paused: true } };
    case 'ProjectionResumedV1':
      if (!state.paused) return { ok: false, refusal: 'projection_not_paused' };
      return { ok: true, state: { ...state, paused: false } };
  }
}

export function withRebuild(
  { projections }: Versions,
  state: GroupState,
  reason: Rebuild['reason'],
  startedAt: string,
): GroupState {
  const build = state.last_build + 1;
  const rebuild: Rebuild = {
    build,
    reason,
    started_at: startedAt,
    versions: Object.fromEntries(projections.map(({ name, version }) => [name, version])),
    position: '0',
    events_per_second: 0,
    positions_per_second: 0,
  };
  return { ...state, last_build: build, rebuild };
}

/** Whether a rebuild fills the documents that this code would. */
export function isOfThisCode({ projections }: Versions, { versions }: Rebuild): boolean {
  return (
    Object.keys(versions).length === projections.length &&
    projections.every(({ name, version }) => versions[name] === version)
  );
}

type Served = Pick<Build, 'projection' | 'version' | 'live'>;

/**
 * The projections whose served documents this code keeps up to date: those of its own version, up to the first of the
 * group that is of another one. The later ones may look that one up.
 */
export function keptUpToDate<E extends { readonly name: string; readonly version: number }>(
  { projections }: { readonly projections: readonly E[] },
  builds: readonly Served[],
): readonly E[] {
  const isServed = ({ name, version }: E) =>
    builds.some((one) => one.live && one.projection === name && one.version === version);
  const firstOther = projections.findIndex((one) => !isServed(one));
  return firstOther === -1 ? projections : projections.slice(0, firstOther);
}

/** The projections of all groups whose documents are served as an older program left them. */
export function staleProjections(groups: readonly Versions[], builds: readonly Served[]): string[] {
  return groups.flatMap((group) => {
    const fresh = new Set(keptUpToDate(group, builds).map(({ name }) => name));
    const served = group.projections.filter(({ name }) =>
      builds.some((one) => one.live && one.projection === name),
    );
    return served.map(({ name }) => name).filter((name) => !fresh.has(name));
  });
}
