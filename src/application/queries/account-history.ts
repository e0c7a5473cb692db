/** Reads the transactions of one account in either direction, a bounded chunk at a time, from any instant on. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FindOptions, ReadModelReader, StoredDocument } from '../../event-sourcing/read-model-store.ts';
import { type TransactionDocument, transactions } from '../../projections/transactions.ts';

/** Documents that are held in memory at once. */
const CHUNK_DOCUMENTS = 500;

/**
 * How far the business times of a stream may run back, in milliseconds: each is the clock of the process that decided,
 * and two processes never agree exactly. Whoever looks for an instant looks so far beyond it.
 */
export const CLOCK_DIFFERENCE_MS_MAX = 5 * 60_000;

export type StoredTransaction = StoredDocument<TransactionDocument>;
type Place = Pick<StoredDocument, 'sequence' | 'key'>;

/** The account's transactions, chunk after chunk; `after` is exclusive. */
export async function* historyOf(
  readModels: ReadModelReader,
  accountId: string,
  order: FindOptions['order'],
  after?: Place,
): AsyncGenerator<StoredTransaction[]> {
  const where = { account_id: accountId };
  let place = after;
  for (;;) {
    const chunk = await readModels.find<TransactionDocument>(transactions, {
      where,
      order,
      limit: CHUNK_DOCUMENTS,
      ...(place ? { after: place } : {}),
    });
    if (chunk.length > 0) yield chunk;
    if (chunk.length < CHUNK_DOCUMENTS) return;
    place = chunk.at(-1);
    // An embedded store answers at once, in this thread: others get their turn between two chunks.
    await nextTurn();
  }
}

/**
 * A place that everything older than `time` lies before, found by halving: a document or two for each doubling of the
 * log, however long the account's history is. Some transactions that are older may still come after it.
 * @param time milliseconds since the epoch
 */
export async function placeBefore(
  readModels: ReadModelReader,
  accountId: string,
  time: number,
): Promise<Place> {
  const crossing = await crossingOf(readModels, accountId, time - CLOCK_DIFFERENCE_MS_MAX);
  return startOf(crossing);
}

/** A place that everything from `time` on comes after, the other way round. */
export async function placeAfter(
  readModels: ReadModelReader,
  accountId: string,
  time: number,
): Promise<Place> {
  const crossing = await crossingOf(readModels, accountId, time + CLOCK_DIFFERENCE_MS_MAX);
  return startOf(crossing);
}

/** Before every document of that sequence. */
function startOf(sequence: bigint): Place {
  return { sequence, key: '' };
}

/** A sequence where the account's times cross `time`: the transaction before it is older, the one from it on is not. */
async function crossingOf(readModels: ReadModelReader, accountId: string, time: number): Promise<bigint> {
  const where = { account_id: accountId };
  const find = (options: Pick<FindOptions, 'order' | 'after'>) =>
    readModels.find<TransactionDocument>(transactions, { where, limit: 1, ...options });
  const [newest] = await find({ order: 'newest_first' });
  let low = 0n;
  let high = newest ? newest.sequence + 1n : 0n;
  while (low < high) {
    const middle = (low + high) / 2n;
    const [found] = await find({ order: 'oldest_first', after: startOf(middle) });
    if (found?.document && timeOf(found.document) < time) low = found.sequence + 1n;
    else high = middle;
  }
  return low;
}

/**
 * Tells which transactions are older than `time`, in milliseconds since the epoch. Times as this program writes them
 * compare as texts, which is much cheaper than to read them.
 */
export function olderThan(time: number): (transaction: TransactionDocument) => boolean {
  const text = new Date(time).toISOString();
  return (transaction) => {
    const { recorded_at } = transaction;
    const comparable = recorded_at.length === text.length && recorded_at.endsWith('Z');
    return comparable ? recorded_at < text : timeOf(transaction) < time;
  };
}

/** The business time of a transaction, in milliseconds since the epoch. */
export function timeOf({ recorded_at }: TransactionDocument): number {
  return Date.parse(recorded_at);
}
