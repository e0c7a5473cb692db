/** Runs a command of the command line within the test. */
import { vi } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { Outcome } from './run-cli.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A command line that is set to talk to the service at `url`, whose files lie in `dataDir`. */
export function cliOn(
  url: string,
  dataDir: string = temporaryDirectory(),
): (...args: string[]) => Promise<Outcome> {
  const { hostname, port } = new URL(url);
  const settings = { OPENBANK_HOST: hostname, OPENBANK_PORT: port, OPENBANK_DATA_DIR: dataDir };
  return (...args) => runInProcess(args, settings);
}

/** Runs a command with these settings; a second one must wait for it, for the streams are the process's own. */
export async function runInProcess(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<Outcome> {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const stdout = captured('stdout');
  const stderr = captured('stderr');
  try {
    const code = await dispatch(args);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.end();
    stderr.end();
    vi.unstubAllEnvs();
  }
}

function captured(name: 'stdout' | 'stderr') {
  const spy = vi.spyOn(process[name], 'write').mockReturnValue(true);
  return {
    text: () => spy.mock.calls.map(([chunk]) => String(chunk)).join(''),
    end: () => spy.mockRestore(),
  };
}
