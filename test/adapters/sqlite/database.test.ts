/** Opening a store: only our own files, for one process at a time, and nothing else is ever touched. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventReader, openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { collect, idsIn, mustAppend, newEvents } from '../../support/event-builders.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.file('events.db');
});
afterEach(() => directory.remove());

const open = (at = path) => openSqliteEventStore({ kind: 'file', path: at });

describe('one process at a time', () => {
  it('refuses a second opening of the same file as in_use, and the first goes on', async () => {
    const first = open();
    await mustAppend(first, 'stream', newEvents(1), 'no_stream');
    expectRefusal(() => open(), 'in_use', path);
    expect((await mustAppend(first, 'stream', newEvents(1), 0)).revision).toBe(1);
    await first.close();
  });

  it('refuses a second process in the same way', async () => {
    const first = open();
    expect(openInOtherProcess(path)).toBe('in_use');
    expect((await mustAppend(first, 'stream', newEvents(1), 'no_stream')).revision).toBe(0);
    await first.close();
    expect(openInOtherProcess(path)).toBe('opened');
  });

  it('opens again after it was closed', async () => {
    for (const _ of [1, 2, 3]) await open().close();
    expect(openInOtherProcess(path)).toBe('opened');
  });

  it('opens two files beside each other, and any number of stores in memory', async () => {
    const stores = [
      open(),
      open(directory.file('other.db')),
      openSqliteEventStore({ kind: 'memory' }),
      openSqliteEventStore({ kind: 'memory' }),
    ];
    for (const store of stores) await mustAppend(store, 'stream', newEvents(1), 'no_stream');
    expect(new Set(stores.map((store) => store.storeId)).size).toBe(4);
    for (const store of stores) await store.close();
  });

  it('does not keep the lock after a refusal', async () => {
    writeFileSync(path, randomBytes(4_096));
    expectRefusal(() => open(), 'corrupt', path);
    writeFileSync(path, '');
    await open().close();
  });
});

describe('files that are not ours', () => {
  it('refuses a file that is not a database', () => {
    writeFileSync(path, 'Dear diary, today I was mistaken for a database.\n'.repeat(100));
    expectUntouchedRefusal(path, 'corrupt');
  });

  it('refuses a damaged header', async () => {
    const store = open();
    await mustAppend(store, 'stream', newEvents(1), 'no_stream');
    await store.close();
    const bytes = readFileSync(path);
    bytes.write('not a database', 0);
    writeFileSync(path, bytes);
    expectUntouchedRefusal(path, 'corrupt');
  });

  it.each(['DELETE', 'WAL'])('refuses a database of another program, in journal mode %s', (mode) => {
    const foreign = new DatabaseSync(path);
    foreign.exec(`PRAGMA journal_mode = ${mode}; PRAGMA user_version = 1;
      CREATE TABLE events (note TEXT); INSERT INTO events VALUES ('mine')`);
    foreign.close();
    expectUntouchedRefusal(path, 'corrupt');
  });

  it('refuses a database that another program has marked as its own, though it is empty', () => {
    const foreign = new DatabaseSync(path);
    foreign.exec('PRAGMA application_id = 42');
    foreign.close();
    expectUntouchedRefusal(path, 'corrupt');
  });

  it.each([3, 99])('refuses format %i, written by a newer program, and names both', async (version) => {
    await open().close();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${version}`);
    newer.close();
    const { message } = expectUntouchedRefusal(path, 'corrupt');
    expect(message).toContain(`format ${version}`);
    expect(message).toContain('format 2');
  });

  it('refuses them for reading as well', () => {
    writeFileSync(path, randomBytes(4_096));
    expectRefusal(() => openSqliteEventReader(path), 'corrupt', path);
    const foreignPath = directory.file('foreign.db');
    const foreign = new DatabaseSync(foreignPath);
    foreign.exec('CREATE TABLE store (id TEXT)');
    foreign.close();
    expectRefusal(() => openSqliteEventReader(foreignPath), 'unavailable', foreignPath);
  });
});

describe('paths', () => {
  it('creates the directories above the file', async () => {
    const deep = directory.file('a/b/c/events.db');
    await open(deep).close();
    expect(existsSync(deep)).toBe(true);
  });

  it('refuses a path below a regular file, and leaves that file alone', () => {
    const regular = directory.file('regular');
    writeFileSync(regular, 'kept');
    expectRefusal(() => open(join(regular, 'events.db')), 'unavailable', regular);
    expectRefusal(() => open(join(regular, 'deeper/events.db')), 'unavailable', regular);
    expect(readFileSync(regular, 'utf8')).toBe('kept');
  });

  it('refuses a path that is a directory', () => {
    mkdirSync(path);
    expectRefusal(() => open(), 'unavailable', path);
  });

  it('refuses to read a file that is missing, and does not create it', () => {
    expectRefusal(() => openSqliteEventReader(path), 'unavailable', path);
    expect(existsSync(path)).toBe(false);
  });
});

describe('durability settings', () => {
  it('syncs at every commit', async () => {
    const store = open();
    const settings = (store as unknown as { db: DatabaseSync }).db;
    expect(settings.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(settings.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    await store.close();
  });

  it('keeps everything in the one file once it is closed', async () => {
    const store = open();
    const events = newEvents(10);
    await mustAppend(store, 'stream', events, 'no_stream');
    await store.close();
    const copy = directory.file('copy.db');
    writeFileSync(copy, readFileSync(path));
    const reopened = open(copy);
    expect(await idsIn(reopened, 'stream')).toEqual(events.map((event) => event.id));
    expect(await collect(reopened.readAll())).toHaveLength(10);
    expect(reopened.storeId).toBe(store.storeId);
    await reopened.close();
  });
});

function expectRefusal(work: () => unknown, code: string, named: string): StoreError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(named) });
    return error as StoreError;
  }
  throw new Error(`${named} was not refused.`);
}

function expectUntouchedRefusal(file: string, code: string): StoreError {
  const before = fingerprint(file);
  const error = expectRefusal(() => open(file), code, file);
  expect(fingerprint(file)).toBe(before);
  return error;
}

function fingerprint(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** What another process of this program gets: `opened`, or the error's code. */
function openInOtherProcess(file: string): string {
  const module = fileURLToPath(new URL('../../../src/adapters/sqlite/event-store.ts', import.meta.url));
  const script = `
    import { openSqliteEventStore } from ${JSON.stringify(module)};
    try {
      await openSqliteEventStore({ kind: 'file', path: ${JSON.stringify(file)} }).close();
      process.stdout.write('opened');
    } catch (error) {
      process.stdout.write(error.code ?? String(error));
    }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  return stdout;
}
