/** When a snapshot is due: after so many events, after so long, or after a load that took its time. */
import type { Known } from '../decide-all.ts';
import type { RememberedOperations } from '../operation-log.ts';
import type { Snapshot } from './snapshot.ts';

/** Each rule that is missing is off. */
export interface SnapshotPolicy {
  /** Events since the newest snapshot. */
  readonly everyEvents?: number;
  /** Milliseconds since the first event that no snapshot has; looked at when the aggregate is loaded or changed. */
  readonly ageMs?: number;
  /** Milliseconds that a load took. */
  readonly slowLoadMs?: number;
}

/** Why a snapshot was taken. `replacement`: one could not be used; `request`: somebody asked for it. */
export type SnapshotReason = 'events' | 'age' | 'slow_load' | 'replacement' | 'request';

/** Operations in a snapshot, some 80 bytes each: a state is mostly smaller than these. Older ones are in the archive. */
export const SNAPSHOT_OPERATIONS_MAX = 200;

/** A snapshot of fewer events saves less than it costs, however old they are. */
export const AGED_EVENTS_MIN = 10;

/** What is known of a load. */
export interface LoadCost {
  readonly ms: number;
  /** A snapshot was there that could not be used. */
  readonly discarded: boolean;
}

/**
 * @param nowMs milliseconds since 1970
 * @param load when the state has just been loaded
 */
export function dueReason(
  policy: SnapshotPolicy,
  { revision, tip }: Known<unknown>,
  nowMs: number,
  load?: LoadCost,
): SnapshotReason | undefined {
  if (!tip || revision <= tip.covered) return undefined;
  const { everyEvents, ageMs, slowLoadMs } = policy;
  const uncovered = revision - tip.covered;
  if (load?.discarded) return 'replacement';
  if (everyEvents !== undefined && uncovered >= everyEvents) return 'events';
  if (load && slowLoadMs !== undefined && load.ms >= slowLoadMs) return 'slow_load';
  if (ageMs === undefined || tip.uncoveredSince === undefined || uncovered < AGED_EVENTS_MIN)
    return undefined;
  return nowMs - Date.parse(tip.uncoveredSince) >= ageMs ? 'age' : undefined;
}

/** The snapshot of a state; nothing when its memory of operations has run too far ahead of it. */
export function snapshotOf<S>({ state, revision, operations, tip }: Known<S>): Snapshot<S> | undefined {
  if (state === undefined || !tip) return undefined;
  const remembered = operations ? operations.remembered(revision) : { recent: [], hasForgotten: false };
  if (!remembered) return undefined;
  return { state, revision, eventId: tip.eventId, latest: tip.latest, operations: shortened(remembered) };
}

function shortened(remembered: RememberedOperations): RememberedOperations {
  const { recent } = remembered;
  if (recent.length <= SNAPSHOT_OPERATIONS_MAX) return remembered;
  return { ...remembered, recent: recent.slice(-SNAPSHOT_OPERATIONS_MAX), hasForgotten: true };
}
