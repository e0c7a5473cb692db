/** Starts the servers under test as processes of their own, waits until they are ready, and stops them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '../src/cli/project.ts';

export const PROJECT_ROOT = resolve(import.meta.dirname, '..');

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;
const POLL_MS = 5;

export type ServerKind = 'service' | 'api-only' | 'bare';

const ENTRIES: Readonly<Record<ServerKind, string>> = {
  service: 'src/main.ts',
  'api-only': 'bench/api-only-server.ts',
  bare: 'bench/bare-server.ts',
};

export interface Server {
  readonly port: number;
  /** From the spawn to the first 200 of `/health/ready`. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** What the benchmarks need of `/admin/status`. */
export interface ServerStatus {
  readonly memory_bytes: number;
  readonly event_store: { readonly events: number };
  /** A server's positions count no events, so there `lag_events` is missing. */
  readonly projections: readonly { readonly lag_events: number | null; readonly lag_ms: number }[];
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server over a data directory, which keeps its databases, its log and what it prints.
 * @param settings configuration beside the usual one, such as another event store
 */
export async function startServer(
  kind: ServerKind,
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  mkdirSync(dataDir, { recursive: true });
  const port = await freePort();
  const output = join(dataDir, 'output.txt');
  const out = openSync(output, 'a');
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), join(PROJECT_ROOT, ENTRIES[kind]), String(port)], {
    // Elsewhere a `.env` of the project would be read, and the figures were those of someone's own settings.
    cwd: dataDir,
    stdio: ['ignore', out, out],
    env: { ...environmentOf(dataDir, port), ...settings },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  try {
    await untilReady(child, port);
  } catch (error) {
    await stop(child);
    throw new Error(`${kind}: ${(error as Error).message}\n${readFileSync(output, 'utf8').slice(-2000)}`);
  }
  return { port, readyMs: performance.now() - startedAt, stop: () => stop(child) };
}

/** What `./openbank start` sets, and nothing of the caller's own configuration. */
function environmentOf(dataDir: string, port: number): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  const compileCache = process.env.NODE_COMPILE_CACHE ?? join(PROJECT_ROOT, 'node_modules/.cache/openbank');
  return {
    PATH,
    NODE_COMPILE_CACHE: compileCache,
    OPENBANK_DATA_DIR: dataDir,
    OPENBANK_PORT: String(port),
    OPENBANK_LOG_FILE: join(dataDir, 'openbank.log'),
  };
}

/** `OPENBANK_BENCH_NODE_FLAGS` lets one profile a server: `--cpu-prof --cpu-prof-dir=DIR`. */
function nodeFlags(): string[] {
  const more = process.env.OPENBANK_BENCH_NODE_FLAGS?.split(' ') ?? [];
  return [...NODE_FLAGS, ...more.filter((flag) => flag !== '')];
}

export async function statusOf(server: Server): Promise<ServerStatus> {
  const { status, body } = await ask(server.port, '/admin/status');
  if (status !== 200) throw new Error(`/admin/status answered ${status}: ${body}`);
  return JSON.parse(body) as ServerStatus;
}

/** Waits until every projection has seen every event. */
export async function untilProjected(server: Server): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const { projections } = await statusOf(server);
    if (projections.every(({ lag_events, lag_ms }) => (lag_events ?? lag_ms) === 0)) return;
    await sleep(50);
  }
  throw new Error('the projections did not catch up');
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the server ended');
    const answer = await ask(port, '/health/ready').catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(POLL_MS);
  }
  throw new Error('the server did not become ready');
}

function ask(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: HOST, port, path, agent: false, timeout: 10_000 }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
    });
    request.once('timeout', () => request.destroy(new Error(`${path} did not answer`)));
    request.once('error', reject);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(overdue);
}
