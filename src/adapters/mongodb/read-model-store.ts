/**
 * The read models in MongoDB: one collection for each version of a projection. A commit is not one transaction, so it
 * goes in an order in which every break is mended by doing it again: documents, dead letters, checkpoints.
 */
import type { Db, IndexDescription } from 'mongodb';
import type {
  Collection,
  DeadLetter,
  DeadLetterId,
  LeaseRecord,
  ReadModelChanges,
  ReadModelStore,
} from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { advanceCheckpoints, mustLead } from './checkpoints.ts';
import { connectTo } from './connection.ts';
import { type Encoded, encode, META, type Row } from './document-format.ts';
import { BULK_MAX, writeBulk, writeDocuments } from './document-writer.ts';
import {
  checkpointsIn,
  type DeadLetterRow,
  deadLettersIn,
  type LeaseRow,
  leasesIn,
  nameOf,
  PROJECTIONS,
} from './layout.ts';
import { MongoReadModelReader } from './read-model-reader.ts';
import { claimSource, ifMissing } from './source.ts';

/** Commits that may wait for the one under way. A projector waits for each of its own. */
const COMMITS_WAITING_MAX = 100;

/** Requests of one commit under way at once: the server writes one while the next is being put together. */
const REQUESTS_MAX = 3;

export class MongoReadModelStore extends MongoReadModelReader implements ReadModelStore {
  #generation: number | undefined;
  #lastCommit: Promise<unknown> = Promise.resolve();
  #commitsWaiting = 0;

  async prepare(collections: readonly Collection[], sourceStoreId: string, mayReplace = true): Promise<void> {
    const names = collections.map(nameOf);
    await this.connection.run(async (db) => {
      const claim = { storeId: sourceStoreId, collections: names, mayReplace };
      this.#generation = await claimSource(db, this.connection.name, claim);
      for (const one of collections) await createCollection(db, nameOf(one), indexesOf(one));
      await createCollection(db, deadLettersIn(db).collectionName, [{ key: { position: 1, _id: 1 } }]);
    });
  }

  /** One after the other, because a checkpoint speaks for all that came before it. */
  async commit(changes: ReadModelChanges): Promise<void> {
    if (this.#commitsWaiting >= COMMITS_WAITING_MAX)
      throw new StoreError('busy', `${this.connection.name} has too many commits waiting.`);
    const generation = this.#preparedGeneration();
    // Whatever cannot be stored fails here, before anything is sent.
    const documents = encodeAll(changes.writes, generation);
    this.#commitsWaiting += 1;
    const done = this.#lastCommit.then(() => this.#send(documents, changes, generation));
    this.#lastCommit = done.catch(() => {});
    try {
      await done;
    } finally {
      this.#commitsWaiting -= 1;
    }
  }

  async swapLease(before: LeaseRecord | undefined, after: LeaseRecord | undefined): Promise<boolean> {
    return this.connection.run(async (db) => {
      const leases = leasesIn(db);
      if (!before) return !after || ifMissing(() => leases.insertOne(leaseRow(after)));
      if (!after) return (await leases.deleteOne(leaseRow(before))).deletedCount === 1;
      return (await leases.replaceOne(leaseRow(before), leaseRow(after))).matchedCount === 1;
    });
  }

  async clear(collection: Collection): Promise<void> {
    const generation = this.#preparedGeneration();
    const name = nameOf(collection);
    await this.connection.run(async (db) => {
      // The checkpoint first, so that a break leaves nothing that would not be filled again. Its fence stays.
      await checkpointsIn(db).updateOne(
        { _id: PROJECTIONS, generation },
        { $unset: { [`projections.${name}.position`]: '' } },
      );
      await db.collection<Row>(name).deleteMany({});
      await deadLettersIn(db).deleteMany({ projection: { $eq: collection.name } });
    });
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  #preparedGeneration(): number {
    if (this.#generation !== undefined) return this.#generation;
    throw new StoreError('invalid_request', `${this.connection.name} was not prepared for writing.`);
  }

  #send(
    documents: ReadonlyMap<string, Encoded[]>,
    changes: ReadModelChanges,
    generation: number,
  ): Promise<void> {
    const { deadLetters, checkpoints, settled = [], fence } = changes;
    return this.connection.run(async (db) => {
      const reached = await mustLead(db, generation, checkpoints, fence);
      await inParallel(
        [...documents].flatMap(([name, ofOne]) =>
          chunks(ofOne).map(
            (chunk) => () => writeDocuments(db.collection<Row>(name), chunk, reached.get(name) ?? 0n),
          ),
        ),
      );
      for (const chunk of chunks(deadLetters)) await addDeadLetters(db, chunk, generation);
      for (const chunk of chunks(settled)) await settle(db, chunk);
      await advanceCheckpoints(db, generation, checkpoints, fence);
    });
  }
}

/**
 * Connects to the read models that the URL names, in the database `openbank` where it names none.
 * @throws StoreError `invalid_request` (not a MongoDB URL), `unavailable`, `access_denied` or `unsupported`.
 */
export async function openMongoReadModelStore(url: string): Promise<MongoReadModelStore> {
  return new MongoReadModelStore(await connectTo(url));
}

/** The newest of each document by the name of its collection; it keeps the sequence of the first. */
function encodeAll(writes: ReadModelChanges['writes'], generation: number): ReadonlyMap<string, Encoded[]> {
  const byName = new Map<string, Map<string, Encoded>>();
  for (const { collection, document } of writes) {
    const encoded = encode(collection, document, generation);
    const name = nameOf(collection);
    const ofOne = byName.get(name) ?? new Map<string, Encoded>();
    byName.set(name, ofOne);
    const earlier = ofOne.get(document.key);
    if (!earlier) ofOne.set(document.key, encoded);
    else if (earlier.meta.position < encoded.meta.position) {
      const { sequence } = earlier.meta;
      ofOne.set(document.key, { ...encoded, meta: { ...encoded.meta, sequence } });
    }
  }
  return new Map([...byName].map(([name, ofOne]) => [name, [...ofOne.values()]]));
}

/** The order of lists, alone or after an equality; the key makes it total. */
function indexesOf({ indexes, listed }: Collection): IndexDescription[] {
  const order = { [`${META}.sequence`]: 1, _id: 1 } as const;
  const keys: IndexDescription['key'][] = indexes.map((field) => ({ [field]: 1, ...order }));
  if (listed) keys.push(order);
  return keys.map((key) => ({ key }));
}

async function createCollection(db: Db, name: string, indexes: IndexDescription[]): Promise<void> {
  await ifMissing(() => db.createCollection(name));
  if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
}

async function addDeadLetters(db: Db, letters: readonly DeadLetter[], generation: number): Promise<void> {
  // One that is stored already stays as it was the first time.
  const rows = letters.map((letter) => deadLetterRow(letter, generation));
  await writeBulk(
    deadLettersIn(db),
    rows.map((document) => ({ insertOne: { document } })),
  );
}

async function settle(db: Db, settled: readonly DeadLetterId[]): Promise<void> {
  await deadLettersIn(db).deleteMany({ _id: { $in: settled.map(deadLetterId) } });
}

function deadLetterId({ projection, documentKey, position }: DeadLetterId): string {
  return `${projection}/${position}/${documentKey}`;
}

function deadLetterRow(letter: DeadLetter, generation: number): DeadLetterRow {
  return {
    _id: deadLetterId(letter),
    projection: letter.projection,
    document_key: letter.documentKey,
    position: letter.position,
    stream: letter.stream,
    revision: BigInt(letter.revision),
    event_id: letter.eventId,
    event_type: letter.eventType,
    cause: letter.cause,
    attempts: letter.attempts,
    dead_since: letter.deadSince,
    generation,
  };
}

function leaseRow({ name, holder, token, renewals }: LeaseRecord): LeaseRow {
  return { _id: name, holder, token: BigInt(token), renewals: BigInt(renewals) };
}

function chunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / BULK_MAX);
  return Array.from({ length: count }, (_, index) => items.slice(index * BULK_MAX, (index + 1) * BULK_MAX));
}

/** Runs a few at a time. After a failure none is begun, and those under way are waited for. */
async function inParallel(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const left = tasks.values();
  let failed = false;
  const work = async () => {
    for (const task of left) {
      if (failed) return;
      try {
        await task();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: REQUESTS_MAX }, work));
  const failure = outcomes.find((one) => one.status === 'rejected');
  if (failure) throw failure.reason;
}
