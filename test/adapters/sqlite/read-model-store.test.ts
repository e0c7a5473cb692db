/** Files of read models that an earlier version wrote, and files that a later one did. */
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openSqliteReadModelReader } from '../../../src/adapters/sqlite/read-model-cache.ts';
import { openSqliteReadModelStore } from '../../../src/adapters/sqlite/read-model-store.ts';
import type { Collection } from '../../../src/event-sourcing/read-model-store.ts';
import { checkpoint, commit, newDeadLetter, newDocument, write } from '../../support/read-model-builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };

/** A file as format 1 was: checkpoints without fences, no leases. */
const FORMAT_1 = `
  PRAGMA application_id = ${0x4f42524d};
  PRAGMA user_version = 1;
  CREATE TABLE source (store_id TEXT NOT NULL);
  CREATE TABLE checkpoints (
    projection TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (projection, version)
  ) WITHOUT ROWID;
  CREATE TABLE dead_letters (
    projection TEXT NOT NULL, document_key TEXT NOT NULL, position INTEGER NOT NULL,
    stream TEXT NOT NULL, revision INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
    cause TEXT NOT NULL, attempts INTEGER NOT NULL, dead_since TEXT NOT NULL,
    PRIMARY KEY (projection, document_key, position)
  ) WITHOUT ROWID;
  CREATE TABLE collection_things_v1 (
    key TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, position INTEGER NOT NULL,
    document TEXT, blocked INTEGER NOT NULL, owner TEXT
  );
  CREATE INDEX collection_things_v1_by_owner ON collection_things_v1 (owner, sequence);
  CREATE INDEX collection_things_v1_by_sequence ON collection_things_v1 (sequence);
  INSERT INTO source VALUES ('a-store');
  INSERT INTO checkpoints VALUES ('things', 1, 7);
  INSERT INTO collection_things_v1 VALUES ('one', 3, 7, '{"owner":"ann"}', 0, 'ann');
  INSERT INTO dead_letters VALUES ('things', 'thing-1', 1, 'thing-1', 0, '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01',
    'ThingHappenedDomainEventV1', 'Error: this thing cannot happen', 1, '2026-01-02T03:04:05.678Z');
`;

function fileOf(sql: string): string {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const path = directory.file('read-models.db');
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return path;
}

it('keeps all that is in a file of format 1, and gives it leases and fences', async () => {
  const path = fileOf(FORMAT_1);
  const store = openSqliteReadModelStore({ kind: 'file', path });
  await store.prepare([THINGS], 'a-store');
  const one = newDocument({ key: 'one', sequence: 3n, position: 7n, document: { owner: 'ann' } });
  expect(
    await store.find(THINGS, { where: { owner: 'ann' }, order: 'oldest_first', limit: 9 }),
  ).toStrictEqual([one]);
  expect(await store.checkpoints()).toStrictEqual([checkpoint(THINGS, 7n)]);
  expect(await store.listDeadLetters({ limit: 9 })).toStrictEqual([newDeadLetter()]);

  const lease = { name: 'things', holder: 'ann', token: 2, renewals: 0 };
  expect(await store.swapLease(undefined, lease)).toBe(true);
  const fence = { lease: 'things', token: 2 };
  await commit(store, { checkpoints: [checkpoint(THINGS, 8n)], fence });
  const late = { checkpoints: [checkpoint(THINGS, 9n)], fence: { ...fence, token: 1 } };
  await expect(commit(store, late)).rejects.toMatchObject({ code: 'fenced' });
  await write(store, THINGS, [{ ...one, position: 9n }]);
  await store.close();

  const again = openSqliteReadModelStore({ kind: 'file', path });
  await again.prepare([THINGS], 'a-store');
  expect(await again.checkpoints()).toStrictEqual([checkpoint(THINGS, 8n)]);
  expect(await again.listLeases()).toStrictEqual([lease]);
  await expect(commit(again, late)).rejects.toMatchObject({ code: 'fenced' });
  await again.close();
});

it('reads a file that has just been migrated beside its writer', async () => {
  const path = fileOf(FORMAT_1);
  const store = openSqliteReadModelStore({ kind: 'file', path });
  const { reader, close } = openSqliteReadModelReader(path);
  expect(await reader.checkpoints()).toStrictEqual([checkpoint(THINGS, 7n)]);
  expect(await reader.listLeases()).toEqual([]);
  close();
  await store.close();
});

it.each([0, 4, 99])('refuses a file of format %i and leaves it as it was', (format) => {
  const path = fileOf(`${FORMAT_1} PRAGMA user_version = ${format}`);
  expect(() => openSqliteReadModelStore({ kind: 'file', path })).toThrow(
    expect.objectContaining({ name: 'StoreError', code: 'corrupt', message: expect.stringContaining(path) }),
  );
  const db = new DatabaseSync(path);
  expect(db.prepare('SELECT * FROM checkpoints').all()).toHaveLength(1);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: format });
  db.close();
});

it('lists documents that share no sequence without sorting them', async () => {
  const store = openSqliteReadModelStore({ kind: 'memory' });
  onTestFinished(() => store.close());
  await store.prepare([THINGS], 'a-store');
  const keys = ['c', 'b', 'a'];
  await write(
    store,
    THINGS,
    keys.map((key, index) => newDocument({ key, position: BigInt(index + 1), document: { owner: 'ann' } })),
  );
  const plans = watchPlans();
  const after = { sequence: 1n, key: 'c' };
  const options = { where: { owner: 'ann' }, order: 'oldest_first', limit: 2, after } as const;
  expect((await store.find(THINGS, options)).map(({ key }) => key)).toEqual(['b', 'a']);
  expect(plans.join('\n')).toMatch(/USING INDEX/);
  expect(plans.join('\n')).not.toMatch(/TEMP B-TREE/);
});

it('ranks documents by an index, and goes on from where a page ended without those before it', async () => {
  const ranked = { ...THINGS, name: 'ranked', rankings: [{ by: 'size', within: 'owner' }] };
  const store = openSqliteReadModelStore({ kind: 'memory' });
  onTestFinished(() => store.close());
  await store.prepare([ranked], 'a-store');
  const plans = watchPlans();
  const after = { value: 5, key: 'c' };
  for (const order of ['largest_first', 'smallest_first'] as const)
    await store.rank(ranked, { by: 'size', within: 'ann', order, after, limit: 2 });
  expect(plans.filter((plan) => plan.includes('ranked_by_size (owner=? AND '))).toHaveLength(2);
  expect(plans.join('\n')).not.toMatch(/TEMP B-TREE/);
});

/** The plans of all statements from now on, until the test ends. */
function watchPlans(): string[] {
  const plans: string[] = [];
  const { prepare } = DatabaseSync.prototype;
  const watched = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (
    this: DatabaseSync,
    sql,
  ) {
    const plan = prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all();
    plans.push(...plan.map(({ detail }) => String(detail)));
    return prepare.call(this, sql);
  });
  onTestFinished(() => watched.mockRestore());
  return plans;
}
