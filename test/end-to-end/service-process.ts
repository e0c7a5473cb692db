/** The real service as a process of its own: started, waited for, stopped or killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BankClient } from '../support/bank-client.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** A program like the service's own that kills itself at a step of a transfer. */
export const DYING_SERVICE = fileURLToPath(new URL('./dying-service.ts', import.meta.url));
/** Long enough for a machine that is busy with many other things. */
const START_MS_MAX = 90_000;

export type Settings = Readonly<Record<string, string>>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the service and waits until it has ended by itself. */
export function runToTheEnd(settings: Settings, cwd?: string): Promise<Ended> {
  return new Running(settings, cwd).ended;
}

/** Starts the service on a free port and waits until it answers. */
export async function startService(settings: Settings, cwd?: string): Promise<ServiceProcess> {
  const service = await spawnService(settings, cwd);
  await service.answers();
  return service;
}

/**
 * Starts the service on a free port and does not wait.
 * @param entry the program, if it is another one than the service's own
 */
export async function spawnService(settings: Settings, cwd?: string, entry = MAIN): Promise<ServiceProcess> {
  const port = String(await freePort());
  const running = new Running({ OPENBANK_PORT: port, ...settings }, cwd, entry);
  return new ServiceProcess(running, `http://127.0.0.1:${port}`);
}

export class ServiceProcess {
  readonly client: BankClient;
  readonly #running: Running;

  constructor(running: Running, url: string) {
    this.#running = running;
    this.client = new BankClient(url);
  }

  get pid(): number {
    return Number(this.#running.child.pid);
  }

  /** Resolves when it has ended, by itself or not. */
  get ended(): Promise<Ended> {
    return this.#running.ended;
  }

  /** It stands still, as a machine does that swaps or is moved, and knows nothing of it. */
  pause(): void {
    this.#running.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#running.child.kill('SIGCONT');
  }

  /** Sends a signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<Ended> {
    this.#running.child.kill(signal);
    return this.#running.ended;
  }

  async answers(): Promise<void> {
    const deadline = Date.now() + START_MS_MAX;
    while (Date.now() < deadline) {
      const up = await this.client.fetch('GET', '/health/live').then(
        (response) => response.ok,
        () => false,
      );
      if (up) return;
      const ended = await Promise.race([this.#running.ended, sleep(20)]);
      if (ended) throw new Error(`The service ended with ${ended.code}: ${ended.stderr}`);
    }
    const { stdout, stderr } = await this.end('SIGKILL');
    throw new Error(`The service did not answer in time: ${stdout}${stderr}`);
  }
}

/** A child and all that it said. */
class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(settings: Settings, cwd?: string, entry = MAIN) {
    // Nothing of the tester's own environment may configure the service under test. The cache halves its start.
    const cache = { NODE_COMPILE_CACHE: join(tmpdir(), 'openbank-test-compile-cache') };
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...cache, ...settings };
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
      env,
      stdio,
      ...(cwd === undefined ? {} : { cwd }),
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    this.child = child;
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...said }) as Ended);
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
