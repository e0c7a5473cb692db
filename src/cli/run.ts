/** Runs another program in this terminal and passes its end on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CliError } from './cli-error.ts';
import { PROJECT_ROOT } from './project.ts';

/** Runs a program with this terminal and gives its exit code. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  return waitForExit(spawn(command, args, { cwd: PROJECT_ROOT, stdio: 'inherit', env: { ...env } }));
}

/**
 * Waits for a child and gives its exit code, 128 + n for a signal, as shells do. Signals that would end this
 * process go to the child instead, so that it can end in order.
 */
export async function waitForExit(child: ChildProcess): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    // A terminal's Ctrl-C has reached the child already; a second signal could hurry it.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) =>
        reject(new CliError(`${child.spawnfile} could not be run: ${error.message}.`)),
      );
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}
