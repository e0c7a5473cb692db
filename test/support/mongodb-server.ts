/**
 * Servers that speak MongoDB's protocol, for tests: a stand-in that needs Java and Maven alone, the server that
 * MONGODB_TEST_URL names, and a container where there is Docker. Each that cannot be had says why.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { GenericContainer, Wait } from 'testcontainers';
import { eventually } from './eventually.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);

const SOURCES = fileURLToPath(new URL('mongodb-stand-in/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/openbank/', import.meta.url));
const BUILD_MS_MAX = 180_000;
const IMAGE = 'mongo:8.0';

/** What the stand-in says it is: MongoDB 7.0. */
const WIRE_VERSION = 21;

/** The running server that a suite may use. */
export interface MongoServer {
  /** Without a database. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A kind of server, and the reason why it cannot be had here. */
export interface MongoTarget {
  readonly name: string;
  readonly missing?: string;
  start(): Promise<MongoServer>;
}

/** Every kind of server that the suites run on. Prints why one is left out. */
export async function mongoTargets(): Promise<MongoTarget[]> {
  const targets = [await standInTarget(), givenTarget(), await containerTarget()];
  for (const { name, missing } of targets) if (missing) console.info(`skipped: ${name}: ${missing}`);
  return targets;
}

/** A URL of a database that no other run uses. */
export function newDatabase(server: Pick<MongoServer, 'url'>): {
  readonly url: string;
  drop(): Promise<void>;
} {
  const name = `openbank_test_${randomUUID().replaceAll('-', '')}`;
  const parsed = /^([a-z+]+:\/\/[^/?]*)\/?(\?.*)?$/.exec(server.url);
  if (!parsed) throw new Error('The URL of a server for tests must name no database.');
  const query = new URLSearchParams(parsed[2] ?? '');
  // With a database in the path, the credentials would be looked for in that one.
  if (!query.has('authSource')) query.set('authSource', 'admin');
  return {
    url: `${parsed[1]}/${name}?${query}`,
    drop: async () => {
      await withClient(server.url, (client) => client.db(name).dropDatabase());
    },
  };
}

/** Asks a server past the adapter, as a person with a shell does. */
export async function withClient<T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { useBigInt64: true, serverSelectionTimeoutMS: 5_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** The stand-in as a process of its own that keeps its data and its port. */
export class MongoStandIn implements MongoServer {
  readonly #classes: string;
  readonly #directory = temporaryDirectory();
  readonly #wireVersion: number;
  #process: ChildProcess | undefined;
  #port = 0;

  private constructor(classes: string, wireVersion: number) {
    this.#classes = classes;
    this.#wireVersion = wireVersion;
  }

  /** @param wireVersion the version of the protocol that it says it speaks */
  static async start(wireVersion = WIRE_VERSION): Promise<MongoStandIn> {
    const server = new MongoStandIn(await buildStandIn(), wireVersion);
    await server.restart();
    return server;
  }

  get url(): string {
    return `mongodb://127.0.0.1:${this.#port}`;
  }

  /** Starts it with the data that are there, at the port that it had before. */
  async restart(): Promise<void> {
    const path = ['lib/*', 'classes'].map((part) => join(this.#classes, part)).join(':');
    const file = this.#directory.file('data.mv');
    const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', path];
    const server = spawn('java', [...options, 'StandIn', file, `${this.#port}`, `${this.#wireVersion}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process = server;
    for await (const line of createInterface({ input: server.stdout })) {
      const port = /^listening on (\d+)$/.exec(line)?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      return;
    }
    throw new Error('The stand-in for MongoDB did not start.');
  }

  /** As a power cut does it: nothing is finished, nothing is said. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (!server) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await gone;
  }

  /** It keeps its connections but answers nothing. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#directory.remove();
  }
}

/** Why there is no stand-in here, or nothing when there is one. */
export async function standInMissing(): Promise<string | undefined> {
  try {
    await buildStandIn();
    return undefined;
  } catch (error) {
    return `it needs Java 17 and Maven (${(error as Error).message.split('\n')[0]})`;
  }
}

async function standInTarget(): Promise<MongoTarget> {
  const missing = await standInMissing();
  const target = { name: 'the stand-in for MongoDB', start: () => MongoStandIn.start() };
  return missing === undefined ? target : { ...target, missing };
}

function givenTarget(): MongoTarget {
  const url = process.env.MONGODB_TEST_URL ?? '';
  const target = {
    name: 'the MongoDB of MONGODB_TEST_URL',
    start: async () => ({ url, stop: async () => {} }),
  };
  return url === '' ? { ...target, missing: 'MONGODB_TEST_URL is not set' } : target;
}

async function containerTarget(): Promise<MongoTarget> {
  const target = { name: `a container of ${IMAGE}`, start: startContainer };
  try {
    await run('docker', ['info'], { timeout: 10_000 });
    return target;
  } catch {
    return { ...target, missing: 'no Docker' };
  }
}

/** A replica set of one, because that is what production has: retryable writes and a majority that means something. */
async function startContainer(): Promise<MongoServer> {
  const container = await new GenericContainer(IMAGE)
    .withCommand(['--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts(27017)
    .withWaitStrategy(Wait.forLogMessage('Waiting for connections'))
    .start();
  const url = `mongodb://${container.getHost()}:${container.getMappedPort(27017)}/?directConnection=true`;
  await withClient(url, async (client) => {
    const members = [{ _id: 0, host: 'localhost:27017' }];
    await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
    await eventually('a primary', async () => {
      const { isWritablePrimary } = await client.db('admin').command({ hello: 1 });
      return isWritablePrimary === true;
    });
  });
  return {
    url,
    stop: async () => {
      await container.stop();
    },
  };
}

let built: Promise<string> | undefined;

/** The directory with its classes and libraries, made once for each state of its sources. */
function buildStandIn(): Promise<string> {
  built ??= makeStandIn();
  return built;
}

async function makeStandIn(): Promise<string> {
  const [pom, source] = ['pom.xml', 'StandIn.java'].map((file) => join(SOURCES, file)) as [string, string];
  const state = createHash('sha256').update(readFileSync(pom)).update(readFileSync(source)).digest('hex');
  const directory = join(CACHE, `mongodb-stand-in-${state.slice(0, 16)}`);
  if (existsSync(directory)) return directory;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(join(CACHE, 'unfinished-'));
  try {
    const lib = join(unfinished, 'lib');
    const options = { timeout: BUILD_MS_MAX };
    await run(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`],
      options,
    );
    await run('javac', ['-d', join(unfinished, 'classes'), '-cp', join(lib, '*'), source], options);
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another test file may have been quicker.
    if (!existsSync(directory)) throw error;
  }
  return directory;
}
