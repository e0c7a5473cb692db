/** How far each projection has come, guarded by the fencing token of the leader and by the event store it reads. */
import type { Db, Filter, UpdateFilter } from 'mongodb';
import type { Checkpoint, Fence } from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { type CheckpointsRow, checkpointsIn, nameOf, PROJECTIONS } from './layout.ts';

/**
 * Asks before a commit writes anything. A leader that was paused wakes up here most of the time; one that was paused
 * later is still kept from the checkpoints, and its documents are kept from replacing newer ones.
 * @throws StoreError `fenced`
 */
export async function mustLead(
  db: Db,
  generation: number,
  checkpoints: readonly Checkpoint[],
  fence: Fence | undefined,
): Promise<CheckpointsRow> {
  const found = await checkpointsIn(db).findOne(guard(generation, checkpoints, fence));
  if (!found) throw fenced(checkpoints);
  return found;
}

/**
 * Moves all checkpoints at once, none of them backwards.
 * @throws StoreError `fenced` when a higher token was at one of them: then none has moved
 */
export async function advanceCheckpoints(
  db: Db,
  generation: number,
  checkpoints: readonly Checkpoint[],
  fence: Fence | undefined,
): Promise<void> {
  if (checkpoints.length === 0) return;
  const token = BigInt(fence?.token ?? UNFENCED);
  const [highest, names]: [Record<string, bigint>, Record<string, string | number>] = [{}, {}];
  for (const one of checkpoints) {
    const path = pathOf(one);
    const known = highest[`${path}.position`] ?? 0n;
    highest[`${path}.position`] = one.position > known ? one.position : known;
    highest[`${path}.fence`] = token;
    names[`${path}.projection`] = one.projection;
    names[`${path}.version`] = one.version;
    if (one.build) names[`${path}.build`] = one.build;
  }
  const update = { $max: highest, $set: names } as UpdateFilter<CheckpointsRow>;
  const { matchedCount } = await checkpointsIn(db).updateOne(guard(generation, checkpoints, fence), update);
  if (matchedCount === 0) throw fenced(checkpoints);
}

/** The token of who needs none, because nobody else can write. */
const UNFENCED = 0;

/** Matches the checkpoints while they are of this event store and no higher token was at any of these. */
export function guard(
  generation: number,
  checkpoints: readonly Checkpoint[],
  fence: Fence | undefined,
): Filter<CheckpointsRow> {
  const fences = fence
    ? checkpoints.map((one) => [`${pathOf(one)}.fence`, { $not: { $gt: BigInt(fence.token) } }])
    : [];
  return { _id: PROJECTIONS, generation, ...Object.fromEntries(fences) };
}

function pathOf({ projection, version, build }: Omit<Checkpoint, 'position'>): string {
  return `projections.${nameOf({ name: projection, version, ...(build ? { build } : {}) })}`;
}

export function fenced(checkpoints: readonly Pick<Checkpoint, 'projection'>[]): StoreError {
  const names = checkpoints.map(({ projection }) => projection).join(', ');
  const what = names === '' ? 'these read models' : `the checkpoints of ${names}`;
  return new StoreError('fenced', `Another leader has taken over ${what}.`);
}
