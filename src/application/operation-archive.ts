/** Finds operations that an aggregate has forgotten, in the read model `operations`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationArchive } from '../event-sourcing/operation-log.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { type OperationDocument, operationKey, operations } from '../projections/operations.ts';

/** How long a command waits for a read model that is behind, in milliseconds; then it is refused and may be sent again. */
const WAIT_MS_MAX = 2_000;
const LOOK_MS = 20;

/** @param wakeProjector asks it not to pause */
export function operationArchive(readModels: ReadModelReader, wakeProjector: () => void): OperationArchive {
  const read = async (key: string) => {
    const stored = await readModels.get<OperationDocument>(operations, key);
    if (stored?.blocked)
      throw new StoreError('busy', 'The operation may have been done: its record is blocked.');
    return stored?.document;
  };
  return {
    async find(aggregate, operationId, oldestRemembered) {
      const deadline = Date.now() + WAIT_MS_MAX;
      // The read model follows the log in order: one that has the oldest remembered operation has all before it.
      while (!(await read(operationKey(aggregate, oldestRemembered)))) {
        if (Date.now() > deadline) throw new StoreError('busy', 'The read model of operations is behind.');
        wakeProjector();
        await sleep(LOOK_MS);
      }
      const found = await read(operationKey(aggregate, operationId));
      if (!found) return undefined;
      const { content_hash: contentHash, first_revision: firstRevision, last_revision: lastRevision } = found;
      return { contentHash, firstRevision, lastRevision };
    },
  };
}
