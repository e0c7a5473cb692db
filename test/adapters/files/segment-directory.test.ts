/** Segments in a directory: whole or not there, and nothing of anybody else is touched. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForExport, openForImport } from '../../../src/adapters/files/segment-directory.ts';
import { collect } from '../../support/event-builders.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.file('export');
});
afterEach(() => directory.remove());

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('a directory of segments', () => {
  it('is made for an export, for its owner alone', async () => {
    const segments = await openForExport(path);
    await segments.write(1, pieces('a'));
    await segments.close(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const [name] = readdirSync(path);
    expect(statSync(join(path, String(name))).mode & 0o777).toBe(0o600);
  });

  it('names a segment by its number and its bytes, and gives it back', async () => {
    const segments = await openForExport(path);
    const second = await segments.write(2, pieces('c', 'd'));
    const first = await segments.write(1, pieces('a', 'b'));
    expect(second).toEqual({
      number: 2,
      sha256: sha256('cd'),
      name: `segment-00000002-${sha256('cd')}.ndjson.gz`,
      bytes: 2,
    });
    expect(await segments.list()).toEqual([first, second]);
    expect(Buffer.concat(await collect(segments.read(second))).toString()).toBe('cd');
    await segments.close(true);
  });

  it('keeps nothing of a segment whose bytes end in an error', async () => {
    const segments = await openForExport(path);
    const broken = async function* () {
      yield* pieces('a');
      expect(readdirSync(path)).toContain('segment-00000001.partial');
      throw new Error('broken');
    };
    await expect(segments.write(1, broken())).rejects.toThrow('broken');
    expect(await segments.list()).toEqual([]);
    expect(readdirSync(path)).not.toContain('segment-00000001.partial');
    await segments.write(1, pieces('a'));
    expect(await segments.list()).toHaveLength(1);
    await segments.close(true);
  });

  it('says that there is no room, and keeps what is whole', async () => {
    // The shell limits the size of files: a process has no other disk that it could fill.
    const script = `
      import { openForExport } from ${JSON.stringify(join(process.cwd(), 'src/adapters/files/segment-directory.ts'))};
      const segments = await openForExport(${JSON.stringify(path)});
      await segments.write(1, (async function* () { yield Buffer.alloc(1024); })());
      const large = (async function* () { for (;;) yield Buffer.alloc(64 * 1024); })();
      await segments.write(2, large).catch(({ code, message }) => console.log(code, message));
      await segments.close(false);`;
    const limited = `ulimit -f 200; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
    expect(stdout).toBe(`disk_full ${path} has no room for the next segment (EFBIG).\n`);
    expect(readdirSync(path).filter((name) => name.startsWith('segment-'))).toEqual([
      expect.stringMatching(/^segment-00000001-/),
    ]);
  });

  it('takes one export at a time, and goes on after one that ended in the middle', async () => {
    const first = await openForExport(path);
    await first.write(1, pieces('a'));
    await expect(openForExport(path)).rejects.toMatchObject({ code: 'in_use' });
    await first.close(false);
    writeFileSync(join(path, 'segment-00000002.partial'), 'half');
    const second = await openForExport(path);
    expect(await second.list()).toHaveLength(1);
    expect(readdirSync(path)).not.toContain('segment-00000002.partial');
    await second.close(true);
    expect(readdirSync(path)).toEqual([expect.stringMatching(/^segment-00000001-/)]);
  });

  it('with files of somebody else takes no export and stays as it is', async () => {
    mkdirSync(path);
    writeFileSync(join(path, 'photo.jpg'), 'photo');
    await expect(openForExport(path)).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${path} cannot take an export: it holds 'photo.jpg', which is not of an export.`,
    });
    expect(readdirSync(path)).toEqual(['photo.jpg']);
    await expect(openForImport(path)).rejects.toThrow(/holds no export: there is no segment in it\.$/);
  });

  it('may have a note beside its segments', async () => {
    const segments = await openForExport(path);
    await segments.write(1, pieces('a'));
    await segments.close(false);
    writeFileSync(join(path, 'README.txt'), 'of the old server');
    const again = await openForExport(path);
    expect(await again.list()).toHaveLength(1);
    await again.close(true);
    expect(readFileSync(join(path, 'README.txt'), 'utf8')).toBe('of the old server');
  });

  it('that is missing, or is a file, is named', async () => {
    await expect(openForImport(path)).rejects.toThrow(`${path} does not exist (ENOENT).`);
    writeFileSync(path, 'a file');
    await expect(openForImport(path)).rejects.toThrow(`${path} cannot be used (ENOTDIR).`);
    await expect(openForExport(path)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
