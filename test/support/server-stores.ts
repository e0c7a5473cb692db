/**
 * Servers for a bank: the KurrentDB and MongoDB that `KURRENTDB_TEST_URL` and `MONGODB_TEST_URL` name, or else the double
 * and the stand-in, each a process of its own that a test can kill, pause and start again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { MongoStandIn, mongoTargets, newDatabase } from './mongodb-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const DOUBLE = join(import.meta.dirname, 'kurrentdb-double', 'main.ts');

/** The double of KurrentDB as a process that keeps its events and its port. */
export class KurrentDbProcess {
  readonly #directory = temporaryDirectory();
  #process: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  url = '';

  static async start(): Promise<KurrentDbProcess> {
    const server = new KurrentDbProcess();
    await server.restart();
    return server;
  }

  /** Starts it with the events that are there, at the port that it had before. */
  async restart(): Promise<void> {
    const options = ['--state', this.#directory.file('events.ndjson'), '--system-projections'];
    const port = /:(\d+)\?/.exec(this.url)?.[1];
    if (port !== undefined) options.push('--port', port);
    const server = spawn(process.execPath, [DOUBLE, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = server;
    const reader: Interface = createInterface({ input: server.stdout });
    this.#lines = reader[Symbol.asyncIterator]();
    this.url = await this.#nextLine();
  }

  /** Makes it misbehave. */
  async tell(command: string, ...args: readonly unknown[]): Promise<void> {
    this.#process?.stdin?.write(`${JSON.stringify([command, ...args])}\n`);
    const answer = await this.#nextLine();
    if ('error' in JSON.parse(answer)) throw new Error(answer);
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#directory.remove();
  }

  async #nextLine(): Promise<string> {
    const line = await this.#lines?.next();
    if (!line || line.done) throw new Error('The double of KurrentDB ended.');
    return line.value;
  }
}

export interface ServerStores {
  readonly settings: Readonly<Record<string, string>>;
  /** Missing when it is a real server, which is not ours to kill. */
  readonly kurrentDb: KurrentDbProcess | undefined;
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
  const kurrentDb = KURRENTDB_TEST_URL ? undefined : await KurrentDbProcess.start();
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
