/** The archive of operations: what it finds, and when it must not say that there is nothing. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  openSqliteReadModelStore,
  type SqliteReadModelStore,
} from '../../src/adapters/sqlite/read-model-store.ts';
import { operationArchive } from '../../src/application/operation-archive.ts';
import { operationKey, operations } from '../../src/projections/operations.ts';
import { checkpoint, commit, write } from '../support/read-model-builders.ts';

const ACCOUNT = { name: 'BankAccount', id: 'one' };
let store: SqliteReadModelStore;
beforeEach(async () => {
  store = openSqliteReadModelStore({ kind: 'memory' });
  await store.prepare([operations], 'a-store');
});
afterEach(() => store.close());

async function record(
  operation_id: string,
  revision: number,
  { blocked = false, of = ACCOUNT, isWhole = true } = {},
): Promise<void> {
  const document = {
    aggregate_type: of.name,
    aggregate_id: of.id,
    operation_id,
    content_hash: `content of ${operation_id}`,
    first_revision: revision,
    last_revision: revision + 1,
  };
  const position = BigInt(revision);
  const key = operationKey(of, operation_id);
  await write(store, operations, [{ key, sequence: position, position, document, blocked }]);
  if (isWhole) await commit(store, { checkpoints: [checkpoint(operations, position)] });
}

it('finds what was done, and nothing of another account', async () => {
  await record('old', 3);
  await record('horizon', 9);
  const archive = operationArchive(store, () => {});
  const other = { ...ACCOUNT, id: 'two' };
  const old = { contentHash: 'content of old', firstRevision: 3, lastRevision: 4 };
  expect(await archive.find(ACCOUNT, ['old', 'never'], 'horizon')).toEqual(new Map([['old', old]]));
  await record('horizon', 5, { of: other });
  expect(await archive.find(other, ['old'], 'horizon')).toEqual(new Map());
});

it('waits until the read model has come to what the account remembers, and asks it to hurry', async () => {
  let woken = 0;
  const archive = operationArchive(store, () => {
    woken += 1;
    void record('old', 3).then(() => record('horizon', 9));
  });
  expect((await archive.find(ACCOUNT, ['old'], 'horizon')).get('old')).toMatchObject({ firstRevision: 3 });
  expect(woken).toBeGreaterThan(0);
});

it('does not say that there is nothing while the read model is behind', async () => {
  const archive = operationArchive(store, () => {});
  await expect(archive.find(ACCOUNT, ['old'], 'horizon')).rejects.toMatchObject({ code: 'busy' });
});

it('does not say that there is nothing while the commit is under way that brings it, whatever of it is there', async () => {
  await record('first', 1);
  await record('horizon', 9, { isWhole: false });
  const archive = operationArchive(store, () => {
    void record('old', 8, { isWhole: false }).then(() => record('horizon', 9));
  });
  expect((await archive.find(ACCOUNT, ['old'], 'horizon')).get('old')).toMatchObject({ firstRevision: 8 });
});

it('does not say that there is nothing where the record is blocked', async () => {
  await record('old', 3, { blocked: true });
  await record('newer', 5);
  await record('horizon', 9);
  const archive = operationArchive(store, () => {});
  const found = await archive.find(ACCOUNT, ['old', 'newer'], 'horizon');
  expect(found.get('old')).toMatchObject({ code: 'busy' });
  expect(found.get('newer')).toMatchObject({ firstRevision: 5 });
});
