/** Reads the read models in MongoDB. Any number of processes may do so at once. */
import type { Filter, Collection as Rows, Sort } from 'mongodb';
import type {
  Build,
  Checkpoint,
  Collection,
  DeadLetter,
  DeadLetterFilter,
  Document,
  FindOptions,
  LeaseRecord,
  RankOptions,
  ReadModelReader,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { MongoConnection } from './connection.ts';
import { decode, META, type Row } from './document-format.ts';
import { ifReplaced } from './errors.ts';
import {
  type CheckpointsRow,
  checkpointsIn,
  type DeadLetterRow,
  deadLettersIn,
  isSameBuild,
  type LeaseRow,
  type Live,
  leasesIn,
  PROJECTIONS,
  placeIn,
} from './layout.ts';

/** Keys in one request. */
const KEYS_MAX = 1_000;

const SEQUENCE = `${META}.sequence`;

export class MongoReadModelReader implements ReadModelReader {
  protected readonly connection: MongoConnection;
  /** What was served when this was last looked at. A projection that is served stays so under its plain name. */
  #live: Live = {};

  constructor(connection: MongoConnection) {
    this.connection = connection;
  }

  async get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    const row = await this.#read(collection, (rows) => rows.findOne({ _id: { $eq: text(key) } }));
    return row ? decode<D>(row) : undefined;
  }

  async getMany(collection: Collection, keys: readonly string[]): Promise<StoredDocument[]> {
    return this.#read(collection, async (rows) => {
      const found: StoredDocument[] = [];
      for (let from = 0; from < keys.length; from += KEYS_MAX) {
        const some = keys.slice(from, from + KEYS_MAX).map(text);
        for await (const row of rows.find({ _id: { $in: some } }).batchSize(KEYS_MAX))
          found.push(decode(row));
      }
      return found;
    });
  }

  async find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]> {
    const filter = filterFor(collection, options);
    const direction = options.order === 'newest_first' ? -1 : 1;
    const sort: Sort = { [SEQUENCE]: direction, _id: direction };
    const rows = await this.#read(collection, (found) =>
      found.find(filter).sort(sort).limit(options.limit).toArray(),
    );
    return rows.map(decode<D>);
  }

  async rank<D extends Document>(collection: Collection, options: RankOptions): Promise<StoredDocument<D>[]> {
    const filter = rankingFilter(collection, options);
    const direction = options.order === 'largest_first' ? -1 : 1;
    const sort: Sort = { [options.by]: direction, _id: direction };
    const rows = await this.#read(collection, (found) =>
      found.find(filter).sort(sort).limit(options.limit).toArray(),
    );
    return rows.map(decode<D>);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const builds = buildsOf(await this.#checkpointsRow());
    const projections = new Set(builds.filter(({ live }) => live).map(({ projection }) => projection));
    return builds
      .filter(({ projection, build, live }) => live || (build === 0 && !projections.has(projection)))
      .map(({ projection, version, position }) => ({ projection, version, position }));
  }

  async builds(): Promise<Build[]> {
    return buildsOf(await this.#checkpointsRow());
  }

  async countDeadLetters(): Promise<number> {
    const served = await this.#deadLettersOf(undefined);
    return Number(await this.connection.run((db) => deadLettersIn(db).countDocuments(served)));
  }

  async listDeadLetters(options: DeadLetterFilter): Promise<DeadLetter[]> {
    const { projection, documentKey, build, after, limit } = options;
    const filter: Filter<DeadLetterRow> = {
      ...(projection === undefined ? {} : { projection: { $eq: text(projection) } }),
      ...(documentKey === undefined ? {} : { document_key: { $eq: text(documentKey) } }),
      $and: [await this.#deadLettersOf(build), after ? lettersAfter(after) : {}],
    };
    const rows = await this.connection.run((db) =>
      deadLettersIn(db)
        .find(filter)
        .sort({ position: 1, projection: 1, document_key: 1 })
        .limit(limit)
        .toArray(),
    );
    return rows.map(toDeadLetter);
  }

  async listLeases(): Promise<LeaseRecord[]> {
    const rows = await this.connection.run((db) => leasesIn(db).find().sort({ _id: 1 }).toArray());
    return rows.map(toLease);
  }

  protected get live(): Live {
    return this.#live;
  }

  protected sawLive(row: Pick<CheckpointsRow, 'live'> | null): void {
    this.#live = row?.live ?? {};
  }

  async #read<T>(collection: Collection, work: (rows: Rows<Row>) => Promise<T>): Promise<T> {
    const name = await this.#placeOf(collection);
    const read = () => this.connection.run((db) => work(db.collection<Row>(name)));
    // A query under way ends when its collection is replaced by a new build: the next one reads that.
    return read().catch((error: unknown) => ifReplaced(error, read));
  }

  /** Mostly without asking: what is served has its plain name, and so has the first version of what has no builds. */
  async #placeOf(collection: Collection): Promise<string> {
    const { name, version, build } = collection;
    if (build === undefined && version !== 1 && !this.#live[name]) await this.#checkpointsRow();
    return placeIn(this.#live, collection);
  }

  async #checkpointsRow(): Promise<CheckpointsRow | null> {
    const row = await this.connection.run((db) => checkpointsIn(db).findOne({ _id: PROJECTIONS }));
    this.sawLive(row);
    return row;
  }

  /** Matches the dead letters of one build, or of what is served. */
  async #deadLettersOf(build: number | undefined): Promise<Filter<DeadLetterRow>> {
    if (build !== undefined) return { build: build || { $exists: false } };
    const live = Object.entries((await this.#checkpointsRow())?.live ?? {});
    const others = { projection: { $nin: live.map(([name]) => name) }, build: { $exists: false } };
    return {
      $or: [
        others,
        ...live.map(([projection, one]) => ({ projection, build: one.build || { $exists: false } })),
      ],
    };
  }
}

function buildsOf(row: CheckpointsRow | null): Build[] {
  const live = row?.live ?? {};
  const known = Object.values(row?.projections ?? {});
  const followed = known.flatMap(({ projection, version, build = 0, position }): Build[] => {
    const served = live[projection];
    const isLive = served !== undefined && isSameBuild(served, { version, build });
    return position === undefined ? [] : [{ projection, version, build, live: isLive, position }];
  });
  const untouched = Object.entries(live).filter(
    ([name]) => !followed.some((one) => one.live && one.projection === name),
  );
  return [
    ...followed,
    ...untouched.map(([projection, one]) => ({ projection, ...one, live: true, position: 0n })),
  ];
}

function lettersAfter({
  position,
  projection,
  documentKey,
}: NonNullable<DeadLetterFilter['after']>): Filter<DeadLetterRow> {
  return {
    $or: [
      { position: { $gt: position } },
      { position, projection: { $gt: projection } },
      { position, projection, document_key: { $gt: text(documentKey) } },
    ],
  };
}

/** The page after a document, or the first one. Only values of indexed fields and keys get into it, and only as text. */
function filterFor(collection: Collection, { where = {}, order, after }: FindOptions): Filter<Row> {
  const fields = Object.keys(where);
  const unknown = fields.find((field) => !collection.indexes.includes(field));
  if (unknown) throw new Error(`${collection.name} has no index on ${unknown}`);
  if (fields.length === 0 && !collection.listed)
    throw new Error(`${collection.name} cannot be listed as a whole`);
  const equal = Object.fromEntries(fields.map((field) => [field, { $eq: text(where[field]) }]));
  if (!after) return equal;
  const [beyond, from] = order === 'newest_first' ? ['$lt', '$lte'] : ['$gt', '$gte'];
  const { sequence, key } = after;
  // The range comes first and by itself, so that the index starts at the last document seen.
  return {
    ...equal,
    [SEQUENCE]: { [from]: sequence },
    $or: [{ [SEQUENCE]: { [beyond]: sequence } }, { _id: { [beyond]: text(key) } }],
  };
}

/** As with lists; what has no number is not below any. */
function rankingFilter(collection: Collection, { by, within, order, after }: RankOptions): Filter<Row> {
  const ranking = collection.rankings?.find((one) => one.by === by);
  if (!ranking) throw new Error(`${collection.name} has no ranking by ${by}`);
  const equal = { [ranking.within]: { $eq: text(within) } };
  if (!after) return { ...equal, [by]: { $gte: Number.MIN_SAFE_INTEGER } };
  const [beyond, from] = order === 'largest_first' ? ['$lt', '$lte'] : ['$gt', '$gte'];
  const { value, key } = after;
  return {
    ...equal,
    [by]: { [from]: value },
    $or: [{ [by]: { [beyond]: value } }, { _id: { [beyond]: text(key) } }],
  };
}

/** What is not text could be an operator. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new StoreError('invalid_request', 'Documents are looked up by text alone.');
}

function toDeadLetter(row: DeadLetterRow): DeadLetter {
  return {
    projection: row.projection,
    documentKey: row.document_key,
    position: row.position,
    stream: row.stream,
    revision: Number(row.revision),
    eventId: row.event_id,
    eventType: row.event_type,
    cause: row.cause,
    attempts: row.attempts,
    deadSince: row.dead_since,
  };
}

function toLease({ _id, holder, token, renewals }: LeaseRow): LeaseRecord {
  return { name: _id, holder, token: Number(token), renewals: Number(renewals) };
}
