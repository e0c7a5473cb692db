/** Finds the command, runs it, and turns every failure into one sentence and an exit code. */
import { CliError, EXIT } from './cli-error.ts';
import { closest } from './closest.ts';
import { commandNames, loadCommand } from './command-list.ts';

/** Runs a command line and gives its exit code. Never throws. */
export function dispatch(args: readonly string[]): Promise<number> {
  return runCommand(args).catch(explain);
}

async function runCommand(args: readonly string[]): Promise<number> {
  const [first = 'help', ...rest] = args;
  const aliases: Readonly<Record<string, string>> = {
    '--help': 'help',
    '-h': 'help',
    '--version': 'version',
  };
  const name = aliases[first] ?? first;
  const command = await loadCommand(name);
  if (!command) {
    const what = name.startsWith('-') ? 'option' : 'command';
    const meant = closest(name, commandNames());
    const hint = meant ? ` Did you mean '${meant}'?` : '';
    throw new CliError(`There is no ${what} '${name}'.${hint} See ./openbank help.`, EXIT.usage);
  }
  return command.run(rest);
}

function explain(error: unknown): number {
  if (error instanceof CliError) {
    process.stderr.write(`openbank: ${error.message}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`openbank: unexpected failure: ${message}\n`);
  if (process.env.OPENBANK_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return EXIT.failed;
}
