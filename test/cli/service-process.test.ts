/** No process is ever taken for the service that is not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findService, isService, readPid, stopProcess } from '../../src/cli/service-process.ts';
import { loadConfig } from '../../src/config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const nobody = { kind: 'unreachable' } as const;
const hasProc = existsSync('/proc/self/cmdline');

function program(directory: string): string {
  mkdirSync(join(directory, 'src'), { recursive: true });
  const entry = join(directory, 'src/main.ts');
  writeFileSync(entry, "setInterval(() => {}, 1000);\nconsole.log('up');\n");
  return entry;
}

async function running(args: readonly string[], cwd: string): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid ?? 0;
}

describe('the pid file', () => {
  it.each([
    ['4711\n', 4711],
    ['4711', 4711],
    ['', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['12 34', undefined],
    ['99999999999', undefined],
    ['abc', undefined],
  ])('with %j gives %s', (text, pid) => {
    const file = join(temporaryDirectory(), 'pid');
    writeFileSync(file, text);
    expect(readPid(file)).toBe(pid);
  });

  it('may be missing', () => {
    expect(readPid('/nowhere/openbank.pid')).toBeUndefined();
  });
});

describe.runIf(hasProc)('a process', () => {
  it('is the service when it runs its entry file, named absolutely, relatively or through a link', async () => {
    const directory = temporaryDirectory();
    const entry = program(directory);
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(directory, link);
    const absolute = await running([entry], '/');
    const relative = await running(['src/main.ts'], directory);
    const linked = await running([join(link, 'src/main.ts')], '/');
    for (const pid of [absolute, relative, linked]) expect(isService(pid, nobody, entry)).toBe(true);
  });

  it('is not the service when it runs something else, another copy included', async () => {
    const entry = program(temporaryDirectory());
    const other = await running([program(temporaryDirectory())], '/');
    const unrelated = await running(['-e', "setInterval(() => {}, 1000); console.log('src/main.ts')"], '/');
    for (const pid of [other, unrelated, process.pid, 1, 2 ** 22 + 1]) {
      expect(isService(pid, nobody, entry)).toBe(false);
    }
  });

  it('of a stale pid file is left alone', async () => {
    const dataDir = temporaryDirectory();
    const innocent = await running(['-e', "setInterval(() => {}, 1000); console.log('up')"], '/');
    writeFileSync(join(dataDir, 'openbank.pid'), String(innocent));
    const config = loadConfig({ OPENBANK_DATA_DIR: dataDir, OPENBANK_PORT: '1' });
    const view = await findService(config);
    expect(view).toEqual({ pid: undefined, probe: nobody });
    await stopProcess(config, view, true);
    expect(() => process.kill(innocent, 0)).not.toThrow();
  });
});
