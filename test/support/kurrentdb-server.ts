/**
 * The KurrentDB servers that the suites run on: the double always, a real server where there is one. `KURRENTDB_TEST_URL`
 * names a server that is shared with others; without it a container is started, where Docker is.
 */
import { execFileSync } from 'node:child_process';
import { startKurrentDbDoubleProcess } from './kurrentdb-double/double-process.ts';

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
export async function startDoubleProcess(): Promise<RunningServer> {
  const { url, kill } = await startKurrentDbDoubleProcess({ systemProjections: true });
  return { url, stop: kill };
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
