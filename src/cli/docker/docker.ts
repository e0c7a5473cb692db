/** Calls the `docker` program, and says clearly what of Docker is missing on this machine. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CliError, EXIT } from '../cli-error.ts';
import { PROJECT_ROOT } from '../project.ts';
import { waitForExit } from '../run.ts';

/** The first version that `up --wait` of a file with one-shot containers was tried with. */
const COMPOSE_VERSION_MIN: readonly [number, number] = [2, 28];
const ANSWER_MS_MAX = 20_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Checks that Docker can be used: its client, its engine and its compose plugin.
 * @throws CliError with one sentence on what is missing, exit code 4
 */
export async function requireDocker(): Promise<void> {
  const engine = await call(['version', '--format', '{{.Server.Version}}']);
  if (engine.outcome === 'absent') {
    throw missing(
      'Docker is not installed: there is no program docker on the PATH. See https://docs.docker.com/get-docker/.',
    );
  }
  if (engine.outcome === 'failed') throw missing(`Docker's engine does not answer: ${reason(engine.stderr)}`);
  const compose = await call(['compose', 'version', '--short']);
  if (compose.outcome !== 'done') {
    throw missing('Docker has no compose plugin. See https://docs.docker.com/compose/install/.');
  }
  const version = compose.stdout.trim();
  if (!isRecent(version)) {
    const [major, minor] = COMPOSE_VERSION_MIN;
    throw missing(
      `Docker's compose plugin is too old: it is ${version}, but ${major}.${minor} or newer is needed.`,
    );
  }
}

/** Gives what a `docker` command says. @throws CliError when it fails */
export async function ask(args: readonly string[]): Promise<string> {
  const answer = await call(args);
  if (answer.outcome === 'done') return answer.stdout;
  const why = answer.outcome === 'failed' ? reason(answer.stderr) : 'it is not installed.';
  throw new CliError(`docker ${args.slice(0, 2).join(' ')} failed: ${why}`);
}

/**
 * Runs a `docker` command and shows what it says, on stderr, since stdout is for this program's own answer.
 * @throws CliError when it fails
 */
export async function show(args: readonly string[]): Promise<void> {
  const child = spawn('docker', args, { cwd: PROJECT_ROOT, stdio: ['inherit', process.stderr, 'inherit'] });
  const exitCode = await waitForExit(child);
  if (exitCode !== EXIT.ok) {
    throw new CliError(`docker ${args.slice(0, 2).join(' ')} failed with exit code ${exitCode} (see above).`);
  }
}

/** Runs a `docker` command whose stdout is read as a stream. */
export function stream(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  return spawn('docker', args, { cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
}

type Answer =
  | { readonly outcome: 'done'; readonly stdout: string }
  | { readonly outcome: 'failed'; readonly stderr: string }
  | { readonly outcome: 'absent' };

function call(args: readonly string[]): Promise<Answer> {
  const options = { cwd: PROJECT_ROOT, timeout: ANSWER_MS_MAX, maxBuffer: ANSWER_BYTES_MAX };
  return new Promise((resolve) => {
    execFile('docker', args, options, (error, stdout, stderr) => {
      if (!error) resolve({ outcome: 'done', stdout });
      else if (error.code === 'ENOENT') resolve({ outcome: 'absent' });
      else if (error.killed)
        resolve({ outcome: 'failed', stderr: `no answer within ${ANSWER_MS_MAX / 1000} s` });
      else resolve({ outcome: 'failed', stderr: stderr || error.message });
    });
  });
}

function missing(sentence: string): CliError {
  return new CliError(sentence, EXIT.noDocker);
}

/** The last line that a program wrote, as the end of a sentence. */
function reason(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1)?.trim() || 'it gave no reason';
  return /[.?!]$/.test(line) ? line : `${line}.`;
}

/** Versions that are no numbers are builds of people who know what they do. */
function isRecent(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  const [leastMajor, leastMinor] = COMPOSE_VERSION_MIN;
  return Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor);
}
