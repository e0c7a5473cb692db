/**
 * Which event store the documents come from. Many workers may prepare at once, and any of them may die on the way:
 * what has to go is told by its generation, so that deleting it twice, or late, never hits what came after.
 */
import type { Db } from 'mongodb';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { META, type Row } from './document-format.ts';
import { isAlreadyThere } from './errors.ts';
import {
  checkpointsIn,
  deadLettersIn,
  EVENT_STORE,
  PROJECTIONS,
  type SourceRow,
  sourceIn,
} from './layout.ts';

const LOST_EVENTS =
  'was filled from another event store, and the one configured now is empty: is it the right one? ' +
  'If the old events are meant to be gone, drop this database too.';

/** Times that other workers may come first. */
const ROUNDS_MAX = 100;

export interface Claim {
  readonly storeId: string;
  readonly collections: readonly string[];
  /** Whether documents of another event store may be dropped. */
  readonly mayReplace: boolean;
}

/**
 * Makes the database that of an event store.
 * @returns the generation that its documents carry
 * @throws StoreError `corrupt` when it belongs to another one and may not be replaced
 */
export async function claimSource(db: Db, name: string, claim: Claim): Promise<number> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const claimed = await tryToClaim(db, name, claim);
    if (!claimed) continue;
    const { generation } = claimed;
    await createCheckpoints(db, generation);
    if (claimed.replacing) await forgetOlderThan(db, claimed);
    return generation;
  }
  throw new StoreError('unavailable', `Others keep changing the event store of ${name} at the same time.`);
}

/** Runs what creates something that another worker may just have created. */
export async function ifMissing(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return true;
  } catch (error) {
    if (isAlreadyThere(error)) return false;
    throw error;
  }
}

/** What is stored after it, or nothing when another worker came first. */
async function tryToClaim(db: Db, name: string, claim: Claim): Promise<SourceRow | undefined> {
  const { storeId, collections, mayReplace } = claim;
  const found = await sourceIn(db).findOne({ _id: EVENT_STORE });
  if (!found) {
    const first = {
      _id: EVENT_STORE,
      store_id: storeId,
      generation: 1,
      replacing: false,
      collections,
    } as const;
    return (await ifMissing(() => sourceIn(db).insertOne(first))) ? first : undefined;
  }
  const same = found.store_id === storeId;
  if (!same && !mayReplace) throw new StoreError('corrupt', `${name} ${LOST_EVENTS}`);
  const replacing = found.replacing || !same;
  const generation = same ? found.generation : found.generation + 1;
  const { matchedCount } = await sourceIn(db).updateOne(
    { _id: EVENT_STORE, generation: found.generation, replacing: found.replacing },
    {
      $set: { store_id: storeId, generation, replacing },
      $addToSet: { collections: { $each: [...collections] } },
    },
  );
  if (matchedCount === 0) return undefined;
  return {
    ...found,
    generation,
    replacing,
    collections: [...new Set([...found.collections, ...collections])],
  };
}

async function createCheckpoints(db: Db, generation: number): Promise<void> {
  await ifMissing(() => checkpointsIn(db).insertOne({ _id: PROJECTIONS, generation, projections: {} }));
}

/** Checkpoints first: one that stood while its documents were gone would never be filled again. */
async function forgetOlderThan(db: Db, { generation, collections }: SourceRow): Promise<void> {
  const older = { $lt: generation };
  await checkpointsIn(db).replaceOne(
    { _id: PROJECTIONS, generation: older },
    { generation, projections: {} },
  );
  for (const name of collections) {
    await db.collection<Row>(name).deleteMany({ [`${META}.generation`]: older });
  }
  await deadLettersIn(db).deleteMany({ generation: older });
  await sourceIn(db).updateOne({ _id: EVENT_STORE, generation }, { $set: { replacing: false } });
}
