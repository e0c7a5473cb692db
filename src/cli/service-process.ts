/** The service as a process of this machine: found through its pid file, and never mistaken for another one. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { CliError } from './cli-error.ts';
import { baseUrl, pidFile, SERVICE_ENTRY } from './project.ts';
import { type Probe, probe, type ServiceStatus } from './service-probe.ts';

/** `pid` is that of a live process which is the service of this data directory, else undefined. */
export interface ServiceView {
  readonly pid: number | undefined;
  readonly probe: Probe;
}

/** Looks at the process and at its address. */
export async function findService(config: Config): Promise<ServiceView> {
  const seen = await probe(baseUrl(config));
  const candidates = [readPid(pidFile(config)), ownPid(config, seen)];
  return { pid: candidates.find((pid) => pid !== undefined && isService(pid, seen)), probe: seen };
}

/** A service whose pid file was lost is still ours when it serves our events. */
function ownPid(config: Config, seen: Probe): number | undefined {
  if (seen.kind !== 'openbank' || !usesOurStore(config, seen.status)) return undefined;
  return seen.status.pid;
}

/** Whether a service that answers keeps its events in this configuration's file. */
export function usesOurStore(config: Config, status: ServiceStatus): boolean {
  const { eventStore } = config;
  return eventStore.kind === 'file' && status.event_store.location === eventStore.path;
}

/** The process id in a pid file; undefined when there is none or it is no process id. */
export function readPid(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a process is this project's service. The command line decides where the system shows it, since a pid
 * file can outlive its process, and a container's process ids mean other processes outside of it. Elsewhere the
 * service itself has to answer with the same id.
 */
export function isService(pid: number, seen: Probe, entry: string = SERVICE_ENTRY): boolean {
  if (pid === process.pid || !isAlive(pid)) return false;
  const command = commandLine(pid);
  if (command === undefined) return seen.kind === 'openbank' && seen.status.pid === pid;
  return command.args.some((arg) => arg.endsWith('src/main.ts') && isEntry(arg, command.directory, entry));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface CommandLine {
  readonly args: readonly string[];
  /** The process's working directory, where the system tells it. */
  readonly directory: string | undefined;
}

/** Undefined where the system does not show command lines. A zombie has an empty one: it runs no more. */
function commandLine(pid: number): CommandLine | undefined {
  try {
    if (!existsSync('/proc/self/cmdline')) return { args: psArguments(pid), directory: undefined };
    return {
      args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'),
      directory: workingDirectory(pid),
    };
  } catch (error) {
    // The process ended between two looks.
    return isGone(error) ? { args: [], directory: undefined } : undefined;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function psArguments(pid: number): readonly string[] {
  const options: SpawnSyncOptions = { timeout: 2000, stdio: ['ignore', 'pipe', 'ignore'] };
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], options);
  return String(stdout).trim().split(' ');
}

function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** A path that cannot be resolved, because the directory is unknown or holds spaces in `ps`, counts by its end. */
function isEntry(arg: string, directory: string | undefined, entry: string): boolean {
  if (directory === undefined) return true;
  try {
    return realpathSync(resolve(directory, arg)) === realpathSync(entry);
  } catch {
    return false;
  }
}

const STOP_WITHIN_MS = 15_000;
const KILL_WITHIN_MS = 5_000;

/**
 * Ends a process that `findService` has found, gracefully, and on `force` hard when that takes too long.
 * @throws CliError when it is still there afterwards, or belongs to another user.
 */
export async function stopProcess(config: Config, view: ServiceView, force: boolean): Promise<void> {
  const { pid } = view;
  if (pid === undefined) return;
  send(pid, 'SIGTERM');
  if (!(await hasEnded(pid, view.probe, STOP_WITHIN_MS))) {
    const seconds = STOP_WITHIN_MS / 1000;
    if (!force)
      throw new CliError(`Process ${pid} did not stop within ${seconds} s; use --force to end it hard.`);
    send(pid, 'SIGKILL');
    if (!(await hasEnded(pid, view.probe, KILL_WITHIN_MS)))
      throw new CliError(`Process ${pid} could not be ended.`);
  }
  if (readPid(pidFile(config)) === pid) rmSync(pidFile(config), { force: true });
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM') throw new CliError(`Process ${pid} belongs to another user and cannot be stopped.`);
    if (code !== 'ESRCH') throw error;
  }
}

async function hasEnded(pid: number, seen: Probe, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isService(pid, seen)) {
    if (performance.now() > deadline) return false;
    await delay(25);
  }
  return true;
}
