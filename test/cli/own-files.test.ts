/** A reset deletes what OpenBank made, and nothing else. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ownFiles } from '../../src/cli/own-files.ts';
import { loadConfig } from '../../src/config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

function touch(directory: string, ...names: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  for (const name of names) writeFileSync(join(directory, name), 'x');
}

function names(config: Parameters<typeof ownFiles>[0]): string[] {
  return ownFiles(config)
    .map(({ path }) => path)
    .sort();
}

function database(path: string, applicationId: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA application_id = ${applicationId}; CREATE TABLE t (x)`);
  db.close();
}

describe('own files', () => {
  it('are the databases with what lies beside them, the logs and the pid file', () => {
    const dataDir = temporaryDirectory();
    const own = [
      ...['events.db', 'events.db-shm', 'events.db-wal', 'events.db.lock'],
      ...['openbank.log', 'openbank.log.1', 'openbank.log.4', 'openbank.out', 'openbank.pid'],
      ...['reactors.db', 'reactors.db-wal', 'read-models.db', 'read-models.db-wal'],
    ];
    touch(
      dataDir,
      ...own,
      'mine.txt',
      'events.db.bak',
      'openbank.log.gz',
      'openbank.log.1.gz',
      'other.db',
      '.env',
    );
    const found = names(loadConfig({ OPENBANK_DATA_DIR: dataDir }));
    expect(found.map((path) => basename(path))).toEqual(own);
    expect(found.every((path) => dirname(path) === dataDir)).toBe(true);
  });

  it('are what past projections have left after a crash', () => {
    const dataDir = temporaryDirectory();
    const place = 'past-projections-01990d2e-7c1b-4a52-9d5e-0c8f7f4b1a01';
    const one = join(dataDir, place, '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02');
    touch(dataDir, `${place}.lock`, 'past-projections-mine.lock', `${place}.txt`);
    touch(one, 'read-models.db', 'read-models.db-wal', 'read-models.db.lock', 'mine.db');
    touch(join(dataDir, 'past-projections-mine'), 'read-models.db');
    const own = ['', '-wal', '.lock'].map((suffix) => join(one, `read-models.db${suffix}`));
    const found = names(loadConfig({ OPENBANK_DATA_DIR: dataDir }));
    expect(found).toEqual([join(dataDir, `${place}.lock`), ...own].sort());
  });

  it('are only files: a directory of the same name stays', () => {
    const dataDir = temporaryDirectory();
    mkdirSync(join(dataDir, 'events.db'));
    expect(names(loadConfig({ OPENBANK_DATA_DIR: dataDir }))).toEqual([]);
  });

  it('are the volumes of the archive, unless somebody put it elsewhere', () => {
    const dataDir = temporaryDirectory();
    const store = join(dataDir, 'archive/0123456789abcdef');
    const volume = join(store, '00000001-0123abcd');
    touch(volume, 'index.db', `segment-00000001-${'0'.repeat(64)}.ndjson.gz`, 'notes.txt');
    touch(store, 'archive.lock', 'mine.txt');
    const found = names(loadConfig({ OPENBANK_DATA_DIR: dataDir }));
    expect(found.map((path) => basename(path))).toEqual([
      'index.db',
      `segment-00000001-${'0'.repeat(64)}.ndjson.gz`,
      'archive.lock',
    ]);
    const elsewhere = {
      OPENBANK_DATA_DIR: temporaryDirectory(),
      OPENBANK_ARCHIVE_DIR: join(dataDir, 'archive'),
    };
    expect(names(loadConfig(elsewhere))).toEqual([]);
  });

  it('are where the configuration says', () => {
    const root = temporaryDirectory();
    const [events, log] = [join(root, 'stores/bank.db'), join(root, 'logs/bank.log')];
    database(events, 0x4f424556);
    touch(join(root, 'logs'), 'bank.log', 'bank.log.2', 'other.log');
    const config = loadConfig({
      OPENBANK_DATA_DIR: join(root, 'data'),
      OPENBANK_EVENT_STORE: `sqlite:${events}`,
      OPENBANK_READ_MODELS: 'sqlite::memory:',
      OPENBANK_LOG_FILE: log,
    });
    expect(names(config)).toEqual([log, `${log}.2`, events]);
  });

  it("are not another program's database, which a mistyped setting may name", () => {
    const root = temporaryDirectory();
    const foreign = join(root, 'photos.db');
    database(foreign, 0);
    touch(root, 'photos.db-wal', 'letter.txt');
    for (const path of [foreign, join(root, 'letter.txt')]) {
      const env = { OPENBANK_DATA_DIR: join(root, 'data'), OPENBANK_EVENT_STORE: `sqlite:${path}` };
      expect(names(loadConfig(env))).toEqual([]);
    }
  });
});
