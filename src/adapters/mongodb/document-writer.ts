/** Writes many documents at once, each only where an older one or none is stored. */
import { type AnyBulkWriteOperation, type Collection, MongoBulkWriteError, type WriteError } from 'mongodb';
import type { Position } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { type Encoded, META, type Meta, type Row, rowOf } from './document-format.ts';
import { DUPLICATE_KEY } from './errors.ts';

/** Documents in one request. */
export const BULK_MAX = 1_000;

/** Times that others may come first with some of the documents, before that is given up. */
const ROUNDS_MAX = 25;

/**
 * Writes a chunk of documents, at most one for each key, in any order.
 * @param reached where the collection's checkpoint is: later documents are most likely not stored yet
 * @throws StoreError `unavailable` when other writers keep coming first.
 */
export async function writeDocuments(
  rows: Collection<Row>,
  documents: readonly Encoded[],
  reached: Position,
): Promise<void> {
  let pending = documents;
  let operations = documents.map((one) => (one.meta.sequence > reached ? insert(one) : replace(one)));
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const refused = await writeBulk(rows, operations);
    if (refused.length === 0) return;
    // A duplicate key mostly means that the document or a newer one is there. It may also be one with another sequence,
    // or an older one that somebody else has stored at this very moment: those are replaced now.
    const again = refused.flatMap((index) => pending[index] ?? []);
    const stored = await storedMeta(rows, again);
    pending = again.filter(({ key, meta }) => (stored.get(key)?.position ?? -1n) < meta.position);
    if (pending.length === 0) return;
    operations = pending.map((one) => replace(one, stored.get(one.key)?.sequence));
  }
  throw new StoreError('unavailable', `Others keep writing to ${rows.collectionName} at the same time.`);
}

/**
 * Sends a bulk write in no particular order.
 * @returns the indexes of those that found their key taken
 */
export async function writeBulk<T extends { readonly _id: string }>(
  rows: Collection<T>,
  operations: AnyBulkWriteOperation<T>[],
): Promise<number[]> {
  try {
    await rows.bulkWrite(operations, { ordered: false });
    return [];
  } catch (error) {
    const refused = duplicatesAlone(error);
    if (!refused) throw error;
    return refused;
  }
}

function insert(document: Encoded): AnyBulkWriteOperation<Row> {
  return { insertOne: { document: rowOf(document) } };
}

/** Where a newer one is stored, or one of another sequence, this matches nothing, and the upsert fails on the key. */
function replace(document: Encoded, sequence = document.meta.sequence): AnyBulkWriteOperation<Row> {
  const { _id, ...replacement } = rowOf(document, sequence);
  const older = { $lt: document.meta.position };
  const filter = { _id, [`${META}.position`]: older, [`${META}.sequence`]: sequence };
  return { replaceOne: { filter, replacement, upsert: true } };
}

/** The indexes of the operations that failed, where nothing worse happened than that their keys were taken. */
function duplicatesAlone(error: unknown): number[] | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  if (error.result.getWriteConcernError()) return undefined;
  const writeErrors = ([] as WriteError[]).concat(error.writeErrors);
  if (writeErrors.length === 0 || writeErrors.some((one) => one.code !== DUPLICATE_KEY)) return undefined;
  return writeErrors.map((one) => one.index);
}

async function storedMeta(
  rows: Collection<Row>,
  documents: readonly Encoded[],
): Promise<ReadonlyMap<string, Meta>> {
  const keys = documents.map(({ key }) => key);
  const found = await rows.find({ _id: { $in: keys } }, { projection: { [META]: 1 } }).toArray();
  return new Map(found.map((row) => [row._id, row[META]]));
}
