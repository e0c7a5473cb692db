/** Runs the command line as a person would, in a data directory of its own. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** How a command ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line with an environment of its own. */
export interface Cli {
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], extra?: Readonly<Record<string, string>>): Promise<Outcome>;
}

/** Makes a command line whose data lies in `directory` and whose service listens on a free port. */
export async function cliIn(directory: string): Promise<Cli> {
  const env = {
    PATH: process.env.PATH ?? '',
    OPENBANK_DATA_DIR: join(directory, 'data'),
    OPENBANK_HOST: '127.0.0.1',
    OPENBANK_PORT: String(await freePort()),
    LOG_LEVEL: 'info',
    // As ./openbank sets it; a test spawns many processes.
    NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../node_modules/.cache/openbank'),
  };
  return { env, run: (args, extra = {}) => runCli(args, { ...env, ...extra }) };
}

function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const flags = ['--disable-warning=ExperimentalWarning', MAIN];
  const child = spawn(process.execPath, [...flags, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
