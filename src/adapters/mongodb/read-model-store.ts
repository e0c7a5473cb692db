/**
 * The read models in MongoDB: one collection for each version of a projection. A commit is not one transaction, so it
 * goes in an order in which every break is mended by doing it again: documents, dead letters, checkpoints.
 */
import type { Db, IndexDescription } from 'mongodb';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  DeadLetterId,
  Fence,
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
  EVENT_STORE,
  type LeaseRow,
  leasesIn,
  nameOf,
  PROJECTIONS,
  placeIn,
  sourceIn,
} from './layout.ts';
import { MongoReadModelReader } from './read-model-reader.ts';
import { claimSource, ifMissing } from './source.ts';
import { beginSwap, exists, finishSwap } from './swap.ts';

/** Commits that may wait for the one under way. A projector waits for each of its own. */
const COMMITS_WAITING_MAX = 100;

/** Requests of one commit under way at once: the server writes one while the next is being put together. */
const REQUESTS_MAX = 3;

export class MongoReadModelStore extends MongoReadModelReader implements ReadModelStore {
  #generation: number | undefined;
  #lastCommit: Promise<unknown> = Promise.resolve();
  #commitsWaiting = 0;

  async prepare(collections: readonly Collection[], sourceStoreId: string, mayReplace = true): Promise<void> {
    const names = collections.flatMap((one) => (one.build ? [nameOf(one), one.name] : [nameOf(one)]));
    await this.connection.run(async (db) => {
      const claim = { storeId: sourceStoreId, collections: [...new Set(names)], mayReplace };
      this.#generation = await claimSource(db, this.connection.name, claim);
      this.sawLive(await finishSwap(db, this.#generation));
      for (const one of collections) await createCollection(db, placeIn(this.live, one), indexesOf(one));
      const begun = collections.flatMap((one) => (one.build ? [atStart(one)] : []));
      await advanceCheckpoints(db, this.#generation, begun, undefined);
      await createCollection(db, deadLettersIn(db).collectionName, [
        { key: { position: 1, projection: 1, document_key: 1 } },
      ]);
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
    await this.connection.run(async (db) => {
      // The checkpoint first, so that a break leaves nothing that would not be filled again. Its fence stays.
      await checkpointsIn(db).updateOne(
        { _id: PROJECTIONS, generation },
        { $unset: { [`projections.${nameOf(collection)}.position`]: '' } },
      );
      await db.collection<Row>(placeIn(this.live, collection)).deleteMany({});
      await forgetLetters(db, collection);
    });
  }

  async promote(builds: readonly Collection[], fence?: Fence): Promise<void> {
    const generation = this.#preparedGeneration();
    await this.connection.run(async (db) => {
      await beginSwap(db, generation, builds, fence);
      this.sawLive(await finishSwap(db, generation));
    });
  }

  async drop(builds: readonly Collection[]): Promise<void> {
    const generation = this.#preparedGeneration();
    await this.connection.run(async (db) => {
      for (const collection of builds) {
        const name = nameOf(collection);
        // The plain name is that of what is served.
        const isPlain = name === collection.name && this.live[name];
        if (!isPlain && (await exists(db, name))) await db.dropCollection(name);
        await forgetLetters(db, collection);
        await checkpointsIn(db).updateOne(
          { _id: PROJECTIONS, generation },
          { $unset: { [`projections.${name}`]: '' } },
        );
        if (collection.build)
          await sourceIn(db).updateOne({ _id: EVENT_STORE }, { $pull: { collections: name } });
      }
    });
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  #preparedGeneration(): number {
    if (this.#generation !== undefined) return this.#generation;
    throw new StoreError('invalid_request', `${this.connection.name} was not prepared for writing.`);
  }

  #send(documents: readonly Filled[], changes: ReadModelChanges, generation: number): Promise<void> {
    const { deadLetters, checkpoints, settled = [], fence } = changes;
    return this.connection.run(async (db) => {
      const row = await mustLead(db, generation, checkpoints, fence);
      this.sawLive(row);
      await inParallel(
        documents.flatMap(({ collection, encoded }) => {
          const rows = db.collection<Row>(placeIn(this.live, collection));
          const reached = row.projections[nameOf(collection)]?.position ?? 0n;
          return chunks(encoded).map((chunk) => () => writeDocuments(rows, chunk, reached));
        }),
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

/** A build has a checkpoint from its beginning, so that one that is left behind is found. */
function atStart({ name, version, build = 0 }: Collection): Checkpoint {
  return { projection: name, version, build, position: 0n };
}

/** What a commit writes into one collection. */
interface Filled {
  readonly collection: Collection;
  readonly encoded: readonly Encoded[];
}

/** The newest of each document by its collection; it keeps the sequence of the first. */
function encodeAll(writes: ReadModelChanges['writes'], generation: number): Filled[] {
  const byName = new Map<string, { collection: Collection; ofOne: Map<string, Encoded> }>();
  for (const { collection, document } of writes) {
    const encoded = encode(collection, document, generation);
    const name = nameOf(collection);
    const known = byName.get(name) ?? { collection, ofOne: new Map<string, Encoded>() };
    byName.set(name, known);
    const { ofOne } = known;
    const earlier = ofOne.get(document.key);
    if (!earlier) ofOne.set(document.key, encoded);
    else if (earlier.meta.position < encoded.meta.position) {
      const { sequence } = earlier.meta;
      ofOne.set(document.key, { ...encoded, meta: { ...encoded.meta, sequence } });
    }
  }
  return [...byName.values()].map(({ collection, ofOne }) => ({ collection, encoded: [...ofOne.values()] }));
}

/** The order of lists, alone or after an equality; the key makes it total. */
function indexesOf({ indexes, listed, rankings = [] }: Collection): IndexDescription[] {
  const order = { [`${META}.sequence`]: 1, _id: 1 } as const;
  const keys: IndexDescription['key'][] = indexes.map((field) => ({ [field]: 1, ...order }));
  if (listed) keys.push(order);
  for (const { by, within } of rankings) keys.push({ [within]: 1, [by]: 1, _id: 1 });
  return keys.map((key) => ({ key }));
}

async function createCollection(db: Db, name: string, indexes: IndexDescription[]): Promise<void> {
  await ifMissing(() => db.createCollection(name));
  if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
}

/** One that was tried again says what came of it; the same try told twice changes nothing. */
async function addDeadLetters(db: Db, letters: readonly DeadLetter[], generation: number): Promise<void> {
  const rows = letters.map((letter) => deadLetterRow(letter, generation));
  const stored = await writeBulk(
    deadLettersIn(db),
    rows.map((document) => ({ insertOne: { document } })),
  );
  const again = stored.flatMap((index) => rows[index] ?? []).filter(({ attempts }) => attempts > 0);
  if (again.length === 0) return;
  const updates = again.map(({ _id, cause, attempts }) => ({
    updateOne: { filter: { _id, attempts: { $lt: attempts } }, update: { $set: { cause, attempts } } },
  }));
  await writeBulk(deadLettersIn(db), updates);
}

async function settle(db: Db, settled: readonly DeadLetterId[]): Promise<void> {
  await deadLettersIn(db).deleteMany({ _id: { $in: settled.map(deadLetterId) } });
}

async function forgetLetters(db: Db, { name, build }: Collection): Promise<void> {
  await deadLettersIn(db).deleteMany({ projection: { $eq: name }, build: build || { $exists: false } });
}

function deadLetterId({ projection, build, documentKey, position }: DeadLetterId): string {
  const of = build ? `${projection}_build_${build}` : projection;
  return `${of}/${position}/${documentKey}`;
}

function deadLetterRow(letter: DeadLetter, generation: number): DeadLetterRow {
  return {
    _id: deadLetterId(letter),
    projection: letter.projection,
    ...(letter.build ? { build: letter.build } : {}),
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
