/** Reads the read models in MongoDB. Any number of processes may do so at once. */
import type { Filter, Sort } from 'mongodb';
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Document,
  FindOptions,
  LeaseRecord,
  ReadModelReader,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { MongoConnection } from './connection.ts';
import { decode, META, type Row } from './document-format.ts';
import {
  checkpointsIn,
  type DeadLetterRow,
  deadLettersIn,
  type LeaseRow,
  leasesIn,
  nameOf,
  PROJECTIONS,
} from './layout.ts';

/** Keys in one request. */
const KEYS_MAX = 1_000;

const SEQUENCE = `${META}.sequence`;

export class MongoReadModelReader implements ReadModelReader {
  protected readonly connection: MongoConnection;

  constructor(connection: MongoConnection) {
    this.connection = connection;
  }

  async get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    const row = await this.connection.run((db) =>
      db.collection<Row>(nameOf(collection)).findOne({ _id: { $eq: text(key) } }),
    );
    return row ? decode<D>(row) : undefined;
  }

  async getMany(collection: Collection, keys: readonly string[]): Promise<StoredDocument[]> {
    return this.connection.run(async (db) => {
      const found: StoredDocument[] = [];
      for (let from = 0; from < keys.length; from += KEYS_MAX) {
        const some = keys.slice(from, from + KEYS_MAX).map(text);
        const rows = db.collection<Row>(nameOf(collection)).find({ _id: { $in: some } });
        for await (const row of rows.batchSize(KEYS_MAX)) found.push(decode(row));
      }
      return found;
    });
  }

  async find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]> {
    const filter = filterFor(collection, options);
    const direction = options.order === 'newest_first' ? -1 : 1;
    const sort: Sort = { [SEQUENCE]: direction, _id: direction };
    const rows = await this.connection.run((db) =>
      db.collection<Row>(nameOf(collection)).find(filter).sort(sort).limit(options.limit).toArray(),
    );
    return rows.map(decode<D>);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const row = await this.connection.run((db) => checkpointsIn(db).findOne({ _id: PROJECTIONS }));
    return Object.values(row?.projections ?? {}).flatMap(({ projection, version, position }) =>
      position === undefined ? [] : [{ projection, version, position }],
    );
  }

  async countDeadLetters(): Promise<number> {
    return Number(await this.connection.run((db) => deadLettersIn(db).countDocuments()));
  }

  async listDeadLetters(options: {
    projection?: string;
    documentKey?: string;
    limit: number;
  }): Promise<DeadLetter[]> {
    const { projection, documentKey, limit } = options;
    const filter: Filter<DeadLetterRow> = {
      ...(projection === undefined ? {} : { projection: { $eq: text(projection) } }),
      ...(documentKey === undefined ? {} : { document_key: { $eq: text(documentKey) } }),
    };
    const rows = await this.connection.run((db) =>
      deadLettersIn(db).find(filter).sort({ position: 1, _id: 1 }).limit(limit).toArray(),
    );
    return rows.map(toDeadLetter);
  }

  async listLeases(): Promise<LeaseRecord[]> {
    const rows = await this.connection.run((db) => leasesIn(db).find().sort({ _id: 1 }).toArray());
    return rows.map(toLease);
  }
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
