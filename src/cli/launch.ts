/** Starts the service as a background process and waits until it is ready. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { makeDirectory } from '../store-tools/make-directory.ts';
import { CliError, EXIT } from './cli-error.ts';
import { baseUrl, logFile, NODE_FLAGS, outputFile, PROJECT_ROOT, pidFile, SERVICE_ENTRY } from './project.ts';
import { type Probe, probe } from './service-probe.ts';
import { findService, readPid, type ServiceView } from './service-process.ts';

const READY_WITHIN_MS = 30_000;
const OTHER_START_WITHIN_MS = 5_000;

/** `already` is a healthy service that was running before. */
export interface Launch {
  readonly outcome: 'started' | 'already';
  readonly pid: number;
}

/**
 * Makes sure that the service of this data directory runs and is ready.
 * @throws CliError with the service's own sentence and exit code when it cannot start.
 */
export async function launch(config: Config): Promise<Launch> {
  if (config.port === 0) {
    const why =
      'OPENBANK_PORT=0 is not usable in the background: the other commands could not find the service.';
    throw new CliError(`${why} Use start --foreground or name a port.`, EXIT.usage);
  }
  const running = await runningAlready(config);
  if (running) return running;
  const child = spawnInBackground(config);
  const end = await readyOrExit(config, child);
  if (end === 'ready') return { outcome: 'started', pid: child.pid ?? 0 };
  const words = lastWords(config);
  const winner = await otherStart(config, words);
  if (winner) return winner;
  throw new CliError(words, end);
}

/** Of two starts at the same time one wins; the other one's service refuses, and that is no failure. */
async function otherStart(config: Config, words: string): Promise<Launch | undefined> {
  if (!words.includes('another OpenBank process')) return undefined;
  const deadline = performance.now() + OTHER_START_WITHIN_MS;
  while (performance.now() < deadline) {
    // A pid file that a killed process left behind tells nothing: what counts is who answers.
    const running = await runningAlready(config);
    if (running) return running;
    await delay(50);
  }
  return undefined;
}

async function runningAlready(config: Config): Promise<Launch | undefined> {
  const view = await findService(config);
  return view.pid === undefined ? refuseForeign(config, view) : alreadyRunning(config, view.pid, view.probe);
}

function alreadyRunning(config: Config, pid: number, seen: Probe): Launch {
  if (seen.kind === 'openbank' && seen.ready && seen.status.pid === pid) return { outcome: 'already', pid };
  const state =
    seen.kind === 'openbank' ? `says it is ${seen.health.status}` : `does not answer at ${baseUrl(config)}`;
  const advice = 'See ./openbank status, or restart it.';
  throw new CliError(`OpenBank runs already (process ${pid}) but ${state}. ${advice}`);
}

function refuseForeign(config: Config, { probe: seen }: ServiceView): undefined {
  if (seen.kind !== 'openbank') return;
  const other = `Another OpenBank (process ${seen.status.pid}, events in ${seen.status.event_store.location})`;
  throw new CliError(`${other} answers at ${baseUrl(config)}; stop it or set another OPENBANK_PORT.`);
}

function spawnInBackground(config: Config): ChildProcess {
  const output = openOutput(config);
  try {
    const child = spawn(process.execPath, [...NODE_FLAGS, SERVICE_ENTRY], {
      cwd: PROJECT_ROOT,
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, OPENBANK_LOG_FILE: logFile(config) },
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

function openOutput(config: Config): number {
  try {
    // Owner only: the databases hold personal data.
    makeDirectory(config.dataDir, 0o700);
    return openSync(outputFile(config), 'w');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(`The data directory ${config.dataDir} cannot be used (${code}).`);
  }
}

/** Gives `ready`, or the exit code of a service that ended instead. */
async function readyOrExit(config: Config, child: ChildProcess): Promise<'ready' | number> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  for (let pause = 20; performance.now() < deadline; pause = Math.min(pause * 1.5, 250)) {
    await delay(pause);
    if (failure) throw new CliError(`The service could not be started: ${failure.message}.`);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode || EXIT.failed;
    if (await isReady(config, child)) return 'ready';
  }
  const seconds = READY_WITHIN_MS / 1000;
  throw new CliError(`OpenBank is not ready after ${seconds} s; see ./openbank status and ./openbank logs.`);
}

/** The pid file tells that it is our child who answers, and not another program at the same address. */
async function isReady(config: Config, child: ChildProcess): Promise<boolean> {
  if (readPid(pidFile(config)) !== child.pid) return false;
  const seen = await probe(baseUrl(config), 1000);
  return seen.kind === 'openbank' && seen.ready;
}

/** The service's own sentence, without the prefix that this command adds again; else its last lines. */
function lastWords(config: Config): string {
  const lines = readFileSync(outputFile(config), 'utf8').trim().split('\n').slice(-20);
  const sentence = lines.findLast((line) => line.startsWith('openbank: '));
  if (sentence) return sentence.slice('openbank: '.length);
  const said = lines.join('\n');
  return said
    ? `The service ended at once and said:\n${said}`
    : 'The service ended at once and said nothing.';
}
