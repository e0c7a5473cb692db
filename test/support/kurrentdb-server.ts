/**
 * The KurrentDB servers that the suites run on: the double always, a real server where there is one. `KURRENTDB_TEST_URL`
 * names a server that is shared with others; without it a container is started, where Docker is.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface RunningServer {
  /** A connection string. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A server that a suite can be run on, or why it cannot. */
export interface AvailableServer {
  readonly name: string;
  /** Missing when there is no such server here; the name says why. */
  start?(): Promise<RunningServer>;
}

const IMAGE = 'docker.kurrent.io/kurrent-latest/kurrentdb:latest';
const PORT = 2113;
const STARTUP_MS = 120_000;

/** The double in a process of its own, as a server is, so that what it stores is not held by the tests' process. */
export function startDoubleProcess(): Promise<RunningServer> {
  const child = fork(join(import.meta.dirname, 'kurrentdb-double-process.ts'), { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The double ended with ${code} before it was ready.`)));
    child.once('message', (url) => {
      const stop = async () => {
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      };
      resolve({ url: String(url), stop });
    });
  });
}

/** The double, and the real server if there is any. */
export function availableServers(): AvailableServer[] {
  return [{ name: 'the KurrentDB double', start: startDoubleProcess }, realServer()];
}

function realServer(): AvailableServer {
  const url = process.env.KURRENTDB_TEST_URL;
  if (url)
    return {
      name: 'the KurrentDB of KURRENTDB_TEST_URL',
      start: async () => ({ url, stop: async () => {} }),
    };
  return hasDocker()
    ? { name: 'KurrentDB in a container', start: startContainer }
    : { name: 'KurrentDB in a container (skipped: no Docker, and KURRENTDB_TEST_URL is not set)' };
}

function hasDocker(): boolean {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: 'ignore',
      timeout: 5_000,
    });
    return true;
  } catch {
    return false;
  }
}

async function startContainer(): Promise<RunningServer> {
  // Loaded only where it is needed: it takes its time.
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({
      KURRENTDB_INSECURE: 'true',
      KURRENTDB_RUN_PROJECTIONS: 'All',
      KURRENTDB_START_STANDARD_PROJECTIONS: 'true',
    })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
    .withStartupTimeout(STARTUP_MS)
    .start();
  return {
    url: `kurrentdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`,
    stop: async () => {
      await container.stop();
    },
  };
}
