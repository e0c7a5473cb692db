/** The order of system calls: what a volume lies in is synced before the volume is said to be there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

it('a volume is there only after the names of its files and of all new directories were synced', (context) => {
  // Some machines lack it, others forbid tracing.
  if (spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0)
    return context.skip('skipped: no strace');
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const path = directory.file('archive/of a store');
  const file = join(process.cwd(), 'src/adapters/files/archive/file-archive.ts');
  const script = `
    import { writeSync } from 'node:fs';
    import { fileArchive } from ${JSON.stringify(file)};
    const writer = await fileArchive(${JSON.stringify(path)}).openForWriting();
    const event = { stream: 'account-a', revision: 0, position: 1n, id: '1', type: 'T',
      recordedAt: '2026-01-01T00:00:00.000Z', data: {}, metadata: {} };
    await writer.write('00000001-0123abcd', 'store', (async function* () { yield { event }; })());
    writeSync(1, 'written');
    await writer.close();`;
  const output = directory.file('trace');
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ];
  spawnSync('strace', ['-f', '-y', '-e', 'trace=fsync,fdatasync,write', '-o', output, ...node]);

  const calls = readFileSync(output, 'utf8').split('\n');
  const written = calls.findIndex((call) => /write\(1.*"written/.test(call));
  expect(written).toBeGreaterThan(-1);
  const synced = calls
    .slice(0, written)
    .flatMap((call) => /f(?:data)?sync\(\d+<([^>]+)>/.exec(call)?.[1] ?? []);
  const partial = join(path, '00000001-0123abcd.partial');
  expect(synced).toEqual(
    expect.arrayContaining([join(partial, 'index.db'), partial, path, dirname(path), dirname(dirname(path))]),
  );
  expect(synced.some((name) => name.includes('.partial/segment-'))).toBe(true);
});
