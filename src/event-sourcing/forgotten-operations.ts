/** Looks up, before a group is decided, what its aggregate may have done so long ago that it does not remember. */

import type { Undecided } from './decide-all.ts';
import {
  namesOf,
  type OperationArchive,
  type OperationLog,
  type RecordedOperation,
} from './operation-log.ts';
import { StoreError } from './store-error.ts';

/** By the id of the operation: what was done, or why that cannot be told. */
export type ForgottenOperations = ReadonlyMap<string, RecordedOperation | StoreError>;

const NONE: ForgottenOperations = new Map();

/** An archive that does not answer fails the commands that need it, and no other of the group. */
export async function findForgotten(
  archive: OperationArchive | undefined,
  aggregate: { readonly name: string; readonly id: string },
  operations: OperationLog | undefined,
  group: readonly Pick<Undecided<never, never, never>, 'context'>[],
): Promise<ForgottenOperations> {
  const horizon = operations?.horizon;
  if (!archive || horizon === undefined) return NONE;
  const names = group.flatMap(({ context: { operation } }) => (operation ? namesOf(operation) : []));
  const unknown = new Set(names.map(({ id }) => id).filter((id) => !operations?.find(id)));
  if (unknown.size === 0) return NONE;
  try {
    return await archive.find(aggregate, [...unknown], horizon);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return new Map([...unknown].map((id) => [id, error]));
  }
}
