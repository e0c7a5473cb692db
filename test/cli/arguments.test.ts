/** How commands read their arguments. */
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import { readArguments, wholeNumber } from '../../src/cli/command.ts';
import { loadCommand, loadCommands } from '../../src/cli/command-list.ts';

const spec = {
  name: 'try',
  options: {
    loud: { type: 'boolean', short: 'l', help: 'Loud' },
    size: { type: 'string', value: 'N', help: 'Size' },
  },
} as const;

function failure(args: readonly string[]): CliError {
  try {
    readArguments(spec, args);
  } catch (error) {
    if (error instanceof CliError) return error;
  }
  throw new Error(`${args} were accepted`);
}

describe('reading arguments', () => {
  it('gives flags by name and by letter', () => {
    expect(readArguments(spec, ['-l', '--size', '3']).values).toEqual({ loud: true, size: '3' });
    expect(readArguments(spec, ['--size=3']).values).toEqual({ size: '3' });
    expect(readArguments(spec, []).values).toEqual({});
  });

  it('knows --help on every command', () => {
    expect(readArguments(spec, ['--help']).help).toBe(true);
    expect(readArguments(spec, ['-h', 'whatever']).help).toBe(true);
  });

  it.each([
    [['--huge'], "Unknown option '--huge'. See ./openbank try --help."],
    [['--size'], "Option '--size <value>' argument missing. See ./openbank try --help."],
    [['--loud=yes'], "Option '-l, --loud' does not take an argument. See ./openbank try --help."],
    [['now'], "Unexpected argument 'now'. See ./openbank try --help."],
  ])('refuses %j in one sentence', (args, message) => {
    const error = failure(args);
    expect(error.message).toBe(message);
    expect(error.exitCode).toBe(2);
  });

  it('takes the positional arguments that the command has', () => {
    const topic = { ...spec, positionals: ['TOPIC', '[MORE]'] };
    expect(readArguments(topic, ['config']).positionals).toEqual(['config']);
    expect(readArguments(topic, ['config', '-l', 'x']).positionals).toEqual(['config', 'x']);
    const any = { ...spec, positionals: ['[TOPIC...]'] };
    expect(readArguments(any, ['a', 'b', 'c']).positionals).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [['TOPIC', 'SIZE'], ['x'], 'try needs SIZE. See ./openbank try --help.'],
    [['TOPIC'], [''], 'try needs TOPIC. See ./openbank try --help.'],
    [['TOPIC'], ['x', 'y', 'z'], "Unexpected argument 'y'. See ./openbank try --help."],
  ])('of a command with %j refuses %j', (positionals, args, message) => {
    expect(() => readArguments({ ...spec, positionals }, args)).toThrow(message);
  });
});

describe('whole numbers', () => {
  const bounds = { fallback: 5, min: 1, max: 10 };

  it('reads them, and falls back when none is given', () => {
    expect(wholeNumber('--n', '7', bounds)).toBe(7);
    expect(wholeNumber('--n', undefined, bounds)).toBe(5);
  });

  it.each(['0', '11', '-1', '1.5', '1e1', '', ' 3', 'x', '0x3', '9'.repeat(20)])('refuses %j', (text) => {
    expect(() => wholeNumber('--n', text, bounds)).toThrow(/--n must be a whole number from 1 to 10/);
  });
});

describe('the list of commands', () => {
  it('holds what the help promises, under the same names', async () => {
    const commands = await loadCommands();
    const names = commands.map(({ name }) => name);
    expect(names).toEqual(
      'start status logs stop restart person account deposit withdraw transfer reverse interest statement analytics snapshot archive streams projections rebuild dead-letters demo replay project export import rewrite backup restore verify reset test bench help version'.split(
        ' ',
      ),
    );
    for (const name of names) expect((await loadCommand(name))?.name).toBe(name);
  });

  it('does not take inherited properties for commands', async () => {
    expect(await loadCommand('toString')).toBeUndefined();
    expect(await loadCommand('__proto__')).toBeUndefined();
  });
});
