/** What a command is, and how its arguments are read and explained. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { CliError, EXIT } from './cli-error.ts';
import { alignColumns, paint } from './terminal.ts';

/** One flag of a command. `value` names a string option's argument in the help. */
export interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** The values that were given; a flag that was not given is `undefined`. */
export type Values<O extends Options> = {
  readonly [K in keyof O]?: O[K]['type'] extends 'boolean' ? boolean : string;
};

/** A command as its file declares it. */
export interface CommandSpec<O extends Options> {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs below the options in the command's help. */
  readonly details?: string;
  readonly options: O;
  /** Names of the positional arguments; `[NAME]` may be left out, and a last `[NAME...]` takes any number. */
  readonly positionals?: readonly string[];
  run(values: Values<O>, positionals: readonly string[]): Promise<number>;
}

/** A command as `main.ts` runs it: it gets the raw arguments and gives the exit code. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  run(args: readonly string[]): Promise<number>;
}

/** Adds argument checking and `--help` to a command. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    run(args) {
      const { help, values, positionals } = readArguments(spec, args);
      if (!help) return spec.run(values, positionals);
      process.stdout.write(helpText(spec));
      return Promise.resolve(EXIT.ok);
    },
  };
}

/** A command that hands all its arguments to another program; only a leading `--help` is its own. */
export function definePassThrough(spec: {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  readonly positionals: readonly string[];
  run(args: readonly string[]): Promise<number>;
}): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    run(args) {
      if (args[0] !== '--help' && args[0] !== '-h') return spec.run(args);
      process.stdout.write(helpText({ ...spec, options: {} }));
      return Promise.resolve(EXIT.ok);
    },
  };
}

/**
 * Reads a command's arguments.
 * @throws CliError with one sentence for an unknown flag, a missing value or a superfluous argument.
 */
export function readArguments<O extends Options>(
  spec: Pick<CommandSpec<O>, 'name' | 'options' | 'positionals'>,
  args: readonly string[],
): { help: boolean; values: Values<O>; positionals: readonly string[] } {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short }] of Object.entries(spec.options)) {
    options[name] = short ? { type, short } : { type };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { help, ...rest } = values;
    if (!help) checkCount(spec, positionals);
    return { help: help === true, values: rest as Values<O>, positionals };
  } catch (error) {
    if (error instanceof CliError || !isParseError(error)) throw error;
    throw new CliError(`${firstSentence(error.message)} See ./openbank ${spec.name} --help.`, EXIT.usage);
  }
}

/**
 * Reads a whole number from an option.
 * @throws CliError when it is none, or outside of the bounds.
 */
export function wholeNumber(
  option: string,
  text: string | undefined,
  { fallback, min, max }: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new CliError(`${option} must be a whole number from ${min} to ${max}, not '${text}'.`, EXIT.usage);
}

function checkCount(
  { name, positionals: names = [] }: Pick<CommandSpec<Options>, 'name' | 'positionals'>,
  given: readonly string[],
): void {
  const missing = names.find((argument, index) => !argument.startsWith('[') && !given[index]);
  if (missing) throw new CliError(`${name} needs ${missing}. See ./openbank ${name} --help.`, EXIT.usage);
  if (given.length <= names.length || names.at(-1)?.endsWith('...]')) return;
  throw new CliError(
    `Unexpected argument '${given[names.length]}'. See ./openbank ${name} --help.`,
    EXIT.usage,
  );
}

function isParseError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

/** Node's messages go on with a hint about `--` that is of no use here. */
function firstSentence(message: string): string {
  const sentence = (message.split(/\. |\n/)[0] ?? message).replace(/\.$/, '');
  return `${sentence}.`;
}

function helpText(
  spec: Pick<CommandSpec<Options>, 'name' | 'summary' | 'details' | 'options' | 'positionals'>,
) {
  const rows = Object.entries(spec.options).map(([name, option]) => [flag(name, option), option.help]);
  rows.push(['-h, --help', 'Show this help']);
  const usage = ['./openbank', spec.name, '[options]', ...(spec.positionals ?? [])].join(' ');
  const parts = [
    spec.summary,
    `${paint('bold', 'Usage:')} ${usage}`,
    `${paint('bold', 'Options:')}\n${alignColumns(rows, { indent: 2 })}`,
    ...(spec.details ? [spec.details.trim()] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function flag(name: string, { short, value }: Option): string {
  return `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
}
