/** Paths on the command line begin where the caller stands, and not where the project lies. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');

it.each([
  ['the directory of the process', 'here', {}],
  ['the directory that ./openbank came from', 'there', { OPENBANK_CALLED_FROM: 'there' }],
])('begin in %s', async (_where, expected, from: Record<string, string>) => {
  const root = temporaryDirectory();
  const store = openSqliteEventStore({ kind: 'file', path: join(root, 'data', 'events.db') });
  await mustAppend(store, 'bank-account-1', [newEvent({})], 'no_stream');
  await store.close();
  for (const name of ['here', 'there']) mkdirSync(join(root, name));
  const absolute = Object.fromEntries(Object.entries(from).map(([name, path]) => [name, join(root, path)]));
  const flags = ['--disable-warning=ExperimentalWarning', MAIN];
  const ended = spawnSync(process.execPath, [...flags, 'export', 'mine'], {
    cwd: join(root, 'here'),
    env: { PATH: process.env.PATH, OPENBANK_DATA_DIR: join(root, 'data'), ...absolute },
    encoding: 'utf8',
  });
  expect(ended).toMatchObject({ status: 0 });
  expect(['here', 'there'].filter((name) => existsSync(join(root, name, 'mine')))).toEqual([expected]);
});
