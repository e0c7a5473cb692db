/** `help`: the commands, and with `help config` every setting, read from where the settings are declared. */
import { z } from 'zod';
import { settings } from '../../settings.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { type Command, defineCommand } from '../command.ts';
import { alignColumns, paint, print } from '../terminal.ts';

/** The commands that the help is about; handed in, since the help is one of them. */
export interface CommandList {
  loadCommand(name: string): Promise<Command | undefined>;
  loadCommands(): Promise<readonly Command[]>;
}

/** Makes the command `help` for a list of commands. */
export function helpOn({ loadCommand, loadCommands }: CommandList): Command {
  return defineCommand({
    name: 'help',
    summary: 'Show this help; help config lists the settings, help COMMAND explains a command.',
    options: {},
    positionals: ['[config | COMMAND...]'],
    async run(_values, [topic, ...rest]) {
      if (topic === undefined) overview(await loadCommands());
      else if (topic === 'config') configuration();
      else return explain(topic, rest, await loadCommand(topic));
      return EXIT.ok;
    },
  });
}

function overview(commands: readonly Command[]): void {
  print(
    'OpenBank: an event-sourced bank-account service.',
    '',
    `${paint('bold', 'Usage:')} ./openbank COMMAND [options]`,
    '',
    paint('bold', 'Commands:'),
    alignColumns(
      commands.map(({ name, summary }) => [name, summary]),
      { indent: 2 },
    ),
    '',
    'Every command explains itself with --help. Settings come from the environment and a .env file in the',
    "project's directory; relative paths in them start there too. See ./openbank help config.",
  );
}

function configuration(): void {
  const rows = settingRows().map(({ variable, fallback, description }) => [
    paint('cyan', variable),
    fallback,
    description,
  ]);
  print(
    'Settings, read from the environment and from a .env file (the environment wins):',
    '',
    alignColumns([['Variable', 'Default', 'Meaning'].map((title) => paint('bold', title)), ...rows], {
      indent: 2,
    }),
    '',
    "Relative paths start in the project's directory, wherever the command is called from.",
  );
}

/** One row of the settings' table. */
export interface SettingRow {
  readonly variable: string;
  readonly fallback: string;
  readonly description: string;
}

/** The table of settings, derived from their schema so that it cannot fall behind. */
export function settingRows(): readonly SettingRow[] {
  const { properties = {} } = z.toJSONSchema(z.object(settings), { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([variable, property]) => {
    const { default: fallback, description = '', enum: choices } = property as z.core.JSONSchema.Schema;
    const values = choices && choices.length > 3 ? ` (${choices.join(', ')})` : '';
    return {
      variable,
      fallback: fallback === undefined ? '-' : String(fallback),
      description: description + values,
    };
  });
}

function explain(
  name: string,
  subcommands: readonly string[],
  command: Command | undefined,
): Promise<number> {
  if (!command) throw new CliError(`There is no help on '${name}'. See ./openbank help.`, EXIT.usage);
  return command.run([...subcommands, '--help']);
}
