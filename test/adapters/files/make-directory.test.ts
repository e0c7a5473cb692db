/** Directories that are made with those that they lie in, and those that cannot be. */
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { fileArchive } from '../../../src/adapters/files/archive/file-archive.ts';
import { openForBackup } from '../../../src/adapters/files/backup-directory.ts';
import { makeDirectory } from '../../../src/adapters/files/make-directory.ts';
import { openForExport } from '../../../src/adapters/files/segment-directory.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let file: (name: string) => string;
beforeEach(() => {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  file = directory.file;
});

const errorOf = (path: string) => {
  try {
    makeDirectory(path);
    return 'none';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
};

describe('a directory', () => {
  it('is made with those that it lies in, and the outermost of them is told', () => {
    expect(makeDirectory(file('a/b/c'), 0o700)).toBe(file('a'));
    expect(statSync(file('a/b/c')).isDirectory()).toBe(true);
    for (const made of ['a', 'a/b', 'a/b/c']) expect(statSync(file(made)).mode & 0o777).toBe(0o700);
    expect(makeDirectory(file('a/b/d/e'))).toBe(file('a/b/d'));
  });

  it('that is there stays, also behind a link', () => {
    mkdirSync(file('there'));
    symlinkSync(file('there'), file('link'));
    expect(makeDirectory(file('there'))).toBeUndefined();
    expect(makeDirectory(`${file('there')}/`)).toBeUndefined();
    expect(makeDirectory(file('link'))).toBeUndefined();
    expect(makeDirectory(file('link/below'))).toBe(file('link/below'));
    expect(existsSync(file('there/below'))).toBe(true);
  });

  it('is not made where a file or a link to nowhere has its name, or one on its way', () => {
    writeFileSync(file('taken'), '');
    symlinkSync(file('nowhere'), file('dangling'));
    for (const path of ['taken', 'taken/below', 'dangling', 'dangling/below'])
      expect(errorOf(file(path))).toBe('EEXIST');
  });
});

// `/proc` takes no directories, and says that something is missing instead of why.
describe.runIf(process.platform === 'linux')('where no directory can be made', () => {
  const nowhere = '/proc/openbank';
  const refused = {
    code: 'unavailable',
    message: expect.stringMatching(/^.*\/proc\/openbank.* cannot be .*ENOENT/),
  };

  it('that is said at once', () => {
    expect(errorOf(nowhere)).toBe('ENOENT');
    expect(errorOf(join(nowhere, 'below'))).toBe('ENOENT');
  });

  it('exports, backups, archives and stores say so, too', async () => {
    await expect(openForExport(nowhere)).rejects.toMatchObject(refused);
    await expect(openForBackup(nowhere)).rejects.toMatchObject(refused);
    await expect(fileArchive(nowhere).openForWriting()).rejects.toMatchObject(refused);
    const open = () => openSqliteEventStore({ kind: 'file', path: join(nowhere, 'events.db') });
    expect(open).toThrow(expect.objectContaining(refused));
  });
});
