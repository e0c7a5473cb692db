/** Exit codes and sentences of what needs no running service. */
import { beforeEach, describe, expect, it } from 'vitest';
import { runInProcess } from './in-process.ts';
import { type Cli, cliIn } from './run-cli.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const VERBS =
  'open, show, list, balance, changes, transactions, limit, limits, terms, freeze, unfreeze, close, hold';

let cli: Cli;
let run: Cli['run'];
beforeEach(async () => {
  cli = await cliIn(temporaryDirectory());
  const { PATH: _path, NODE_COMPILE_CACHE: _cache, ...settings } = cli.env;
  run = (args, extra = {}) => runInProcess(args, { ...settings, ...extra });
});

describe('the command line', () => {
  it.each([
    [['frobnicate'], "openbank: There is no command 'frobnicate'. See ./openbank help.\n"],
    [['--frobnicate'], "openbank: There is no option '--frobnicate'. See ./openbank help.\n"],
    [['status', '--frob'], "openbank: Unknown option '--frob'. See ./openbank status --help.\n"],
    [['account'], `openbank: account needs one of ${VERBS}. See ./openbank account --help.\n`],
    [['help', 'frob'], "openbank: There is no help on 'frob'. See ./openbank help.\n"],
    [['logs', '-n', 'x'], "openbank: --lines must be a whole number from 0 to 1000000, not 'x'.\n"],
  ])('answers %j with one sentence and 2', async (args, stderr) => {
    expect(await run(args)).toEqual({ code: 2, stdout: '', stderr });
  });

  it.each(['start', 'status', 'logs', 'stop', 'restart', 'reset', 'demo'])(
    'answers a wrong setting in %s with one sentence and 2',
    async (command) => {
      const outcome = await run([command], { OPENBANK_PORT: 'abc' });
      const stderr = 'openbank: OPENBANK_PORT=abc is not usable: it must be a number.\n';
      expect(outcome).toEqual({ code: 2, stdout: '', stderr });
    },
  );

  it('says with 3 that the bank is not running', async () => {
    expect(await run(['status'])).toEqual({
      code: 3,
      stdout: '● OpenBank is not running.\n',
      stderr: '',
    });
    const { code, stdout } = await run(['status', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'not_running', pid: null, service: null });
  });

  it('says with 3 that there is no bank to ask', async () => {
    const stderr = 'openbank: OpenBank is not running.\n';
    expect(await run(['account', 'list'])).toEqual({ code: 3, stdout: '', stderr });
  });

  it('stops a bank that is not running without a failure', async () => {
    expect(await run(['stop'])).toEqual({ code: 0, stdout: 'OpenBank is not running.\n', stderr: '' });
    const { stdout } = await run(['stop', '--json']);
    expect(JSON.parse(stdout)).toEqual({ outcome: 'not_running', pid: null });
  });

  it('does not start in the background on a port that nobody could find', async () => {
    const { code, stderr } = await run(['start'], { OPENBANK_PORT: '0' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^openbank: OPENBANK_PORT=0 is not usable in the background.*\n$/);
  });

  it('has no log before the first start, and nothing to reset', async () => {
    expect((await run(['logs'])).stderr).toMatch(/^openbank: There is no log at .*\n$/);
    expect((await run(['reset'])).stdout).toMatch(/^There is nothing to delete in /);
  });

  it('explains itself', async () => {
    for (const args of [
      [],
      ['help'],
      ['--help'],
      ['help', 'config'],
      ['demo', '--help'],
      ['test', '--help'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/Usage:|Settings/);
    }
  });

  it('is a program, without colours in a pipe', async () => {
    const { code, stdout, stderr } = await cli.run(['help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Usage:/);
    expect(stdout).not.toContain('\u001b');
    expect((await cli.run(['version'])).stdout).toMatch(/^OpenBank \d+\.\d+\.\d+ on Node\.js 2\d\./);
    const wrong = await cli.run(['frobnicate']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });
});
