/** One connection pool to a MongoDB database, with safe settings and errors in the ports' words. */
import { type Db, MongoClient, type MongoClientOptions, MongoParseError, ReadConcern } from 'mongodb';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { toStoreError } from './errors.ts';

const DEFAULT_DATABASE = 'openbank';

/** What the URL does not say, in milliseconds. Without these bounds a call could wait for ever. */
const TIMEOUTS_MS = {
  /** For a primary to be found. */
  serverSelectionTimeoutMS: 5_000,
  /** For a new connection to be ready. */
  connectTimeoutMS: 5_000,
  /** For an answer of a server that was found but says nothing more. */
  socketTimeoutMS: 30_000,
  /** For a free connection of the pool. */
  waitQueueTimeoutMS: 10_000,
  /** For a majority of the members to have a write; a set that has lost its majority never confirms one. */
  wtimeoutMS: 10_000,
} as const;

export class MongoConnection {
  /** The servers and the database, as messages name them. */
  readonly name: string;
  readonly #client: MongoClient;
  readonly #db: Db;
  #closed = false;

  constructor(client: MongoClient, database: string) {
    const hosts = client.options.srvHost ?? client.options.hosts.map(String).join(',');
    this.name = `MongoDB at ${hosts}/${database}`;
    this.#client = client;
    // Whatever the URL says: only the primary has read what was written, and only what a majority has is there to stay.
    // A document that is read and later rolled back would be taken for a folded one. A server that stands alone
    // counts as a majority.
    this.#db = client.db(database, {
      readPreference: 'primary',
      readConcern: new ReadConcern('majority'),
      writeConcern: {
        w: 'majority',
        wtimeoutMS: client.options.writeConcern?.wtimeoutMS ?? TIMEOUTS_MS.wtimeoutMS,
      },
    });
  }

  /** @throws StoreError instead of whatever the driver throws; `closed` after `close` */
  async run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    this.#mustBeOpen();
    try {
      return await work(this.#db);
    } catch (error) {
      // Closing breaks what is under way, which is no trouble of the server's.
      if (!(error instanceof StoreError)) this.#mustBeOpen();
      throw toStoreError(this.name, error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client.close();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreError('closed', `${this.name} was closed.`);
  }
}

/**
 * Connects to the database that the URL names.
 * @throws StoreError `invalid_request` (not a MongoDB URL), `unavailable`, `access_denied` or `unsupported`.
 */
export async function connectTo(url: string): Promise<MongoConnection> {
  const client = clientFor(url);
  const connection = new MongoConnection(client, databaseOf(url));
  try {
    await connection.run(async (db) => {
      await client.connect();
      // The first command is what shows whether the credentials are good.
      await db.command({ ping: 1 });
    });
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The database in the URL's path. The driver would take `test` where there is none. */
function databaseOf(url: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^?]*)/.exec(url)?.[1] ?? '';
  return path === '' ? DEFAULT_DATABASE : decodeURIComponent(path);
}

function clientFor(url: string): MongoClient {
  try {
    return new MongoClient(url, { appName: 'openbank', useBigInt64: true, ...timeoutsFor(url) });
  } catch (error) {
    // The driver's words may repeat the URL, and with it the password.
    const reason = error instanceof MongoParseError ? 'it cannot be read' : 'an option of it cannot be used';
    throw new StoreError('invalid_request', `The URL of MongoDB is not right: ${reason}.`);
  }
}

/** Options of the driver win over those of the URL, so only what the URL leaves open is set. */
function timeoutsFor(url: string): MongoClientOptions {
  const query = url.slice(url.indexOf('?') + 1).toLowerCase();
  const given = new Set(new URLSearchParams(url.includes('?') ? query : '').keys());
  return Object.fromEntries(Object.entries(TIMEOUTS_MS).filter(([name]) => !given.has(name.toLowerCase())));
}
