/** How each projection is: what is served, how far it is behind, whether it is paused, and how its rebuild gets on. */
import type { EventReader, Position } from '../event-sourcing/event-store.ts';
import { ageOfNextEvent } from '../event-sourcing/lag.ts';
import type { ProjectionGroup } from '../event-sourcing/projection.ts';
import {
  GROUP_STATES,
  type GroupState,
  type Rebuild,
  staleProjections,
} from '../event-sourcing/projection-state.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import type { ProjectionStatus } from '../http/schemas/projections.ts';
import { projectionGroups } from '../projections/index.ts';
import type { WorkerRunner } from '../threads/worker-runner.ts';

export interface ProjectionSources {
  readonly events: EventReader;
  readonly readModels: ReadModelReader;
  readonly worker: Pick<WorkerRunner, 'state'>;
  /** Whether the difference of two positions is a number of events. */
  readonly positionsCountEvents: boolean;
}

const DEAD_LETTERS_COUNTED_MAX = 10_000;

export async function projectionStatus(sources: ProjectionSources): Promise<ProjectionStatus[]> {
  const { events, readModels, worker } = sources;
  const builds = await readModels.builds();
  const head = (await events.headPosition()) ?? 0n;
  const letters = await readModels.listDeadLetters({ limit: DEAD_LETTERS_COUNTED_MAX });
  const stale = new Set(staleProjections(projectionGroups, builds));
  const ages = new Map<Position, Promise<number>>();
  const ageAfter = (position: Position) => {
    const age =
      ages.get(position) ?? (position < head ? ageOfNextEvent(events, position) : Promise.resolve(0));
    ages.set(position, age);
    return age;
  };
  const ofGroup = async (group: ProjectionGroup<never>): Promise<ProjectionStatus[]> => {
    const state = (await readModels.get<GroupState>(GROUP_STATES, group.name))?.document;
    const groupState = state?.paused ? 'paused' : await worker.state(group.name);
    const rebuild = state?.rebuild ? progressOf(state.rebuild, head) : null;
    const line = async ({ name, version }: (typeof group.projections)[number]): Promise<ProjectionStatus> => {
      const served = builds.find((one) => one.live && one.projection === name);
      const position = served?.position ?? 0n;
      return {
        name,
        group: group.name,
        version,
        served_version: served?.version ?? null,
        served_build: served?.build ?? null,
        stale: stale.has(name),
        position: String(position),
        lag_events: sources.positionsCountEvents ? Math.max(0, Number(head - position)) : null,
        lag_ms: await ageAfter(position),
        state: groupState,
        dead_letters: letters.filter((letter) => letter.projection === name).length,
        rebuild,
      };
    };
    return Promise.all(group.projections.map(line));
  };
  return (await Promise.all((projectionGroups as readonly ProjectionGroup<never>[]).map(ofGroup))).flat();
}

function progressOf(rebuild: Rebuild, head: Position): ProjectionStatus['rebuild'] {
  const { build, reason, started_at, events_per_second, positions_per_second } = rebuild;
  const position = BigInt(rebuild.position);
  const left = position < head ? Number(head - position) : 0;
  return {
    build,
    reason,
    started_at,
    position: rebuild.position,
    percent: head === 0n ? 100 : Math.floor(Math.min(1, Number(position) / Number(head)) * 100),
    events_per_second,
    seconds_left: positions_per_second > 0 ? Math.ceil(left / positions_per_second) : null,
  };
}

/** How long an answer about what is stale may be used, in milliseconds. */
const FRESH_MS = 1_000;

/** Tells which projections are served as an older program left them, as of a second ago. */
export function staleWatcher(readModels: Pick<ReadModelReader, 'builds'>): () => Promise<readonly string[]> {
  let known: readonly string[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - lookedAt < FRESH_MS) return known;
    lookedAt = performance.now();
    known = staleProjections(projectionGroups, await readModels.builds());
    return known;
  };
}
