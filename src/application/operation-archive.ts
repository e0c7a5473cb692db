/** Finds operations that an aggregate has forgotten, in the read model `operations`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationArchive, RecordedOperation } from '../event-sourcing/operation-log.ts';
import type { ReadModelReader, StoredDocument } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { type OperationDocument, operationKey, operations } from '../projections/operations.ts';

/** How long a command waits for a read model that is behind, in milliseconds; then it is refused and may be sent again. */
const WAIT_MS_MAX = 2_000;
const LOOK_MS = 20;

/** @param wakeProjector asks it not to pause */
export function operationArchive(readModels: ReadModelReader, wakeProjector: () => void): OperationArchive {
  const read = async (keys: readonly string[]): Promise<StoredDocument[]> => {
    if (readModels.getMany) return readModels.getMany(operations, keys);
    const found = await Promise.all(keys.map((key) => readModels.get(operations, key)));
    return found.filter((stored) => stored !== undefined);
  };
  /** Only a checkpoint says that all before it is there: some stores show parts of a commit in any order. */
  const hasAllUpTo = async (key: string): Promise<boolean> => {
    const [checkpoints, [oldest]] = await Promise.all([readModels.checkpoints(), read([key])]);
    const reached = checkpoints.find(({ projection }) => projection === operations.name)?.position ?? 0n;
    return oldest !== undefined && oldest.position <= reached;
  };
  return {
    async find(aggregate, operationIds, oldestRemembered) {
      const deadline = Date.now() + WAIT_MS_MAX;
      // The read model follows the log in order: one that has come to the oldest remembered operation has all before it.
      while (!(await hasAllUpTo(operationKey(aggregate, oldestRemembered)))) {
        if (Date.now() > deadline) throw new StoreError('busy', 'The read model of operations is behind.');
        wakeProjector();
        await sleep(LOOK_MS);
      }
      const found = await read(operationIds.map((id) => operationKey(aggregate, id)));
      const byKey = new Map(found.map((stored) => [stored.key, stored]));
      return new Map(
        operationIds.flatMap((id) => {
          const stored = byKey.get(operationKey(aggregate, id));
          return stored ? [[id, recordOf(stored)] as const] : [];
        }),
      );
    },
  };
}

function recordOf({ blocked, document }: StoredDocument): RecordedOperation | StoreError {
  if (blocked || !document)
    return new StoreError('busy', 'The operation may have been done: its record is blocked.');
  const { content_hash: contentHash, first_revision, last_revision } = document as OperationDocument;
  return { contentHash, firstRevision: first_revision, lastRevision: last_revision };
}
