/** Commands that belong together under one name, such as `account open` and `account show`. */
import { CliError, EXIT } from './cli-error.ts';
import { closest } from './closest.ts';
import type { Command } from './command.ts';
import { alignColumns, paint } from './terminal.ts';

/** A group as its file declares it; the names of its commands begin with its own. */
export interface GroupSpec {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** Makes a command that hands its arguments to the sub-command which they begin with. */
export function defineGroup(spec: GroupSpec): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    run([first, ...rest]) {
      if (first !== '--help' && first !== '-h') return find(spec, first).run(rest);
      process.stdout.write(helpText(spec));
      return Promise.resolve(EXIT.ok);
    },
  };
}

function find(spec: GroupSpec, name: string | undefined): Command {
  const found = spec.commands.find((command) => ownName(spec, command) === name);
  if (found) return found;
  const names = spec.commands.map((command) => ownName(spec, command));
  if (name === undefined) throw usage(spec, `${spec.name} needs one of ${names.join(', ')}.`);
  const meant = closest(name, names);
  const hint = meant ? ` Did you mean '${meant}'?` : '';
  throw usage(spec, `There is no command '${spec.name} ${name}'.${hint}`);
}

function usage({ name }: GroupSpec, sentence: string): CliError {
  return new CliError(`${sentence} See ./openbank ${name} --help.`, EXIT.usage);
}

/** `open` of `account open`. */
function ownName(spec: GroupSpec, { name }: Command): string {
  return name.slice(spec.name.length + 1);
}

function helpText(spec: GroupSpec): string {
  const rows = spec.commands.map((command) => [ownName(spec, command), command.summary]);
  const parts = [
    spec.summary,
    `${paint('bold', 'Usage:')} ./openbank ${spec.name} COMMAND [options]`,
    `${paint('bold', 'Commands:')}\n${alignColumns(rows, { indent: 2 })}`,
    `./openbank ${spec.name} COMMAND --help explains each.`,
  ];
  return `${parts.join('\n\n')}\n`;
}
