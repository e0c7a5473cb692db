/**
 * Lets people and queries find what is served under the plain name of its projection: a new build takes the name of the
 * old one, whose documents go with that. What is about to happen is written down first, so that a swap that breaks off
 * is finished by whoever prepares the database next.
 */
import type { Db, UpdateFilter } from 'mongodb';
import type { Collection, Fence } from '../../event-sourcing/read-model-store.ts';
import { fenced, guard } from './checkpoints.ts';
import { isMissing } from './errors.ts';
import { type CheckpointsRow, checkpointsIn, type LiveRow, nameOf, PROJECTIONS } from './layout.ts';

/** @throws StoreError `fenced` when a higher token was at one of the checkpoints: then nothing has changed */
export async function beginSwap(
  db: Db,
  generation: number,
  builds: readonly Collection[],
  fence: Fence | undefined,
): Promise<void> {
  const checkpoints = builds.map(({ name, version, build = 0 }) => ({
    projection: name,
    version,
    build,
    position: 0n,
  }));
  const swapping = builds.map(({ name, version, build = 0 }) => [`swapping.${name}`, { version, build }]);
  const update = { $set: Object.fromEntries(swapping) } as UpdateFilter<CheckpointsRow>;
  const { matchedCount } = await checkpointsIn(db).updateOne(guard(generation, checkpoints, fence), update);
  if (matchedCount === 0) throw fenced(checkpoints);
}

/**
 * Finishes what was begun, by this process or by another one. Several may do so at once.
 * @returns the checkpoints after it
 */
export async function finishSwap(db: Db, generation: number): Promise<CheckpointsRow | null> {
  const row = await checkpointsIn(db).findOne({ _id: PROJECTIONS, generation });
  for (const [name, build] of Object.entries(row?.swapping ?? {})) {
    await takePlainName(db, name, build);
    const done = { $set: { [`live.${name}`]: build }, $unset: { [`swapping.${name}`]: '' } };
    // Somebody else may have finished this swap long ago, and begun another one.
    const sameSwap = { [`swapping.${name}.build`]: build.build, [`swapping.${name}.version`]: build.version };
    await checkpointsIn(db).updateOne(
      { _id: PROJECTIONS, generation, ...sameSwap },
      done as UpdateFilter<CheckpointsRow>,
    );
  }
  return row?.swapping ? checkpointsIn(db).findOne({ _id: PROJECTIONS, generation }) : row;
}

/** Replaces what has the name in one step. A collection that is not there any more has it already. */
async function takePlainName(db: Db, name: string, { version, build }: LiveRow): Promise<void> {
  const source = nameOf({ name, version, build });
  if (source === name || !(await exists(db, source))) return;
  try {
    await db.collection(source).rename(name, { dropTarget: true });
  } catch (error) {
    // Another worker may have finished the same swap at this very moment.
    if (!isMissing(error) && (await exists(db, source))) throw error;
  }
}

/** Asked, because not every server says in the same way that a collection is missing. */
export async function exists(db: Db, name: string): Promise<boolean> {
  const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
  return found.some((one) => one.name === name);
}
