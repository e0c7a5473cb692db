/**
 * Servers for a bank: the KurrentDB and MongoDB that `KURRENTDB_TEST_URL` and `MONGODB_TEST_URL` name, or else the double
 * and the stand-in, each a process of its own that a test can kill, pause and start again.
 */
import { type DoubleProcess, startKurrentDbDoubleProcess } from './kurrentdb-double/double-process.ts';
import { MongoStandIn, mongoTargets, newDatabase } from './mongodb-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The double of KurrentDB as a process that keeps its events and its port. */
export class KurrentDbStandIn {
  readonly #directory = temporaryDirectory();
  #process: DoubleProcess | undefined;
  #port: number | undefined;

  static async start(): Promise<KurrentDbStandIn> {
    const server = new KurrentDbStandIn();
    await server.restart();
    return server;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.#port}?tls=false`;
  }

  /** Starts it with the events that are there, at the port that it had before. */
  async restart(): Promise<void> {
    this.#process = await startKurrentDbDoubleProcess({
      stateFile: this.#directory.file('events.ndjson'),
      systemProjections: true,
      ...(this.#port === undefined ? {} : { port: this.#port }),
    });
    this.#port = this.#process.port;
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** What its streams no longer show leaves its log. */
  async scavenge(): Promise<void> {
    await this.#process?.command('scavenge');
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#directory.remove();
  }
}

export interface ServerStores {
  readonly settings: Readonly<Record<string, string>>;
  /** Missing when it is a real server, which is not ours to kill. */
  readonly kurrentDb: KurrentDbStandIn | undefined;
  readonly mongoDb: MongoStandIn | undefined;
  stop(): Promise<void>;
}

/** Why there are no servers for a bank here; nothing when there are. */
export async function serverStoresMissing(): Promise<string | undefined> {
  if (process.env.MONGODB_TEST_URL) return undefined;
  const targets = await mongoTargets();
  return targets.find(({ missing }) => missing === undefined) ? undefined : targets[0]?.missing;
}

/** Both servers for one bank alone. */
export async function startServerStores(): Promise<ServerStores> {
  const { KURRENTDB_TEST_URL, MONGODB_TEST_URL } = process.env;
  const kurrentDb = KURRENTDB_TEST_URL ? undefined : await KurrentDbStandIn.start();
  const mongoDb = MONGODB_TEST_URL ? undefined : await MongoStandIn.start();
  const database = newDatabase({ url: mongoDb?.url ?? String(MONGODB_TEST_URL) });
  return {
    kurrentDb,
    mongoDb,
    settings: {
      OPENBANK_EVENT_STORE: kurrentDb?.url ?? String(KURRENTDB_TEST_URL),
      OPENBANK_READ_MODELS: database.url,
    },
    async stop() {
      await database.drop();
      await mongoDb?.stop();
      await kurrentDb?.stop();
    },
  };
}
