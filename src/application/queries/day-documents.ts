/** Reads many small documents of days by their keys, a bounded number at a time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { accept, type Decision } from '../../domain/decision.ts';
import type { DomainEvent } from '../../event-sourcing/codec.ts';
import type { Projection } from '../../event-sourcing/projection.ts';
import type { Document, StoredDocument } from '../../event-sourcing/read-model-store.ts';
import type { ReadingBank } from '../bank.ts';
import { documentsOf } from './paging.ts';

/** Keys that are looked up in one go. */
const CHUNK_KEYS = 500;

/** Those that are there, in the order of their keys. Rejects with `read_model_blocked`. */
export async function dayDocuments<E extends DomainEvent, D extends Document>(
  bank: ReadingBank,
  projection: Projection<E, D>,
  keys: readonly string[],
): Promise<Decision<D[]>> {
  const documents: D[] = [];
  for (let from = 0; from < keys.length; from += CHUNK_KEYS) {
    // An embedded store answers at once, in this thread: others get their turn between two chunks.
    if (from > 0) await nextTurn();
    const found = await storedOf<D>(bank, projection, keys.slice(from, from + CHUNK_KEYS));
    const chunk = await documentsOf(bank, projection, found);
    if (!chunk.ok) return chunk;
    documents.push(...chunk.value);
  }
  return accept(documents);
}

async function storedOf<D extends Document>(
  { readModels }: ReadingBank,
  projection: Projection<never, D> | Projection<DomainEvent, D>,
  keys: readonly string[],
): Promise<StoredDocument<D>[]> {
  if (readModels.getMany) {
    const found = (await readModels.getMany(projection, keys)) as StoredDocument<D>[];
    const byKey = new Map(found.map((stored) => [stored.key, stored]));
    return keys.flatMap((key) => byKey.get(key) ?? []);
  }
  const found: StoredDocument<D>[] = [];
  for (const key of keys) {
    const stored = await readModels.get<D>(projection, key);
    if (stored) found.push(stored);
  }
  return found;
}
