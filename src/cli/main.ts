/** The command line: finds the command, runs it, and turns every failure into one sentence and an exit code. */
import { CliError, EXIT } from './cli-error.ts';
import { loadCommand } from './command-list.ts';
import { PROJECT_ROOT } from './project.ts';

async function main(args: readonly string[]): Promise<number> {
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
    throw new CliError(`There is no ${what} '${name}'. See ./openbank help.`, EXIT.usage);
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

// `./openbank logs | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

process.chdir(PROJECT_ROOT);
process.exitCode = await main(process.argv.slice(2)).catch(explain);
