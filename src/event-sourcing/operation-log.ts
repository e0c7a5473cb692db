/**
 * Which operations an aggregate has done, so that one that is asked for twice is done once. It is folded from the
 * metadata of the aggregate's own events, and so survives whatever they survive.
 */
import type { EventMetadata } from './event-store.ts';
import type { StoreError } from './store-error.ts';

/** What an operation is known by, and what was asked under that name. */
export interface OperationName {
  readonly id: string;
  /** Hash of the request's content; the same id with another one is a conflict. */
  readonly contentHash: string;
}

/** Something that may be tried twice. */
export interface Operation extends OperationName {
  /** A second name: who comes by either of the two finds the operation, and each stands for one operation only. */
  readonly alias?: OperationName;
}

/** The first one decides where both were used before. */
export function namesOf(operation: Operation): OperationName[] {
  return operation.alias ? [operation, operation.alias] : [operation];
}

/** An operation that was done, and where in the stream its events stand. */
export interface RecordedOperation {
  readonly contentHash: string;
  readonly firstRevision: number;
  readonly lastRevision: number;
}

/** The id was used for something else before. */
export interface OperationConflict {
  readonly code: 'idempotency_conflict';
  readonly operationId: string;
}

/** Operations that an aggregate remembers, beside the one that created it. */
export const REMEMBERED_OPERATIONS_MAX = 1_000;

/** What the metadata say of an operation; the other way round of `operationOf`. */
export function operationMetadata(
  operation: Operation | undefined,
): Pick<
  EventMetadata,
  'idempotency_key' | 'idempotency_hash' | 'idempotency_alias' | 'idempotency_alias_hash'
> {
  if (!operation) return {};
  const { id, contentHash, alias } = operation;
  return {
    idempotency_key: id,
    idempotency_hash: contentHash,
    ...(alias ? { idempotency_alias: alias.id, idempotency_alias_hash: alias.contentHash } : {}),
  };
}

export function operationOf(metadata: EventMetadata): Operation | undefined {
  const { idempotency_key: id, idempotency_hash: contentHash } = metadata;
  if (id === undefined || contentHash === undefined) return undefined;
  const { idempotency_alias: aliasId, idempotency_alias_hash: aliasHash } = metadata;
  if (aliasId === undefined || aliasHash === undefined) return { id, contentHash };
  return { id, contentHash, alias: { id: aliasId, contentHash: aliasHash } };
}

/** Where operations are found that an aggregate has forgotten: a read model that follows the log. */
export interface OperationArchive {
  /**
   * @param aggregate name of the kind and id; @param oldestRemembered the archive must have come at least so far
   * @returns by its id, each operation that was done, or why that cannot be told
   * @throws StoreError `busy` when the archive has not come so far, and does not in a bounded time
   */
  find(
    aggregate: { readonly name: string; readonly id: string },
    operationIds: readonly string[],
    oldestRemembered: string,
  ): Promise<ReadonlyMap<string, RecordedOperation | StoreError>>;
}

/** An operation together with its id. */
export interface RememberedOperation extends RecordedOperation {
  readonly id: string;
}

/** All that an aggregate remembers of its operations, for a snapshot. */
export interface RememberedOperations {
  readonly creation?: RememberedOperation;
  /** In the order of the stream. */
  readonly recent: readonly RememberedOperation[];
  /** Whether there were older ones, which are found in the archive. */
  readonly hasForgotten: boolean;
}

export class OperationLog {
  /** Oldest first. */
  readonly #recent = new Map<string, RecordedOperation>();
  /** It is never forgotten: the aggregate's own id comes from it. */
  #creation: RememberedOperation | undefined;

  /** The revision up to which operations may have been forgotten; −1 while none has been. */
  #forgottenUpTo = -1;

  /** The log that has just these; the other way round of `remembered`. */
  static of({ creation, recent, hasForgotten }: RememberedOperations): OperationLog {
    const log = new OperationLog();
    log.#creation = creation;
    if (hasForgotten) log.#forgottenUpTo = Math.max(0, (recent[0]?.firstRevision ?? 0) - 1);
    for (const { id, ...recorded } of recent) log.#recent.set(id, recorded);
    return log;
  }

  /** The oldest operation that is remembered, when older ones are not any more: those are found in the archive. */
  get horizon(): string | undefined {
    return this.#hasForgotten ? this.#recent.keys().next().value : undefined;
  }

  /** Whether there were older ones, which are found in the archive. */
  get #hasForgotten(): boolean {
    return this.#forgottenUpTo >= 0;
  }

  get size(): number {
    return this.#recent.size;
  }

  find(operationId: string): RecordedOperation | undefined {
    if (this.#creation?.id === operationId) return this.#creation;
    return this.#recent.get(operationId);
  }

  /** Notes events of an operation. Noting the same ones again changes nothing. */
  note(operation: Operation, firstRevision: number, lastRevision: number): void {
    for (const name of namesOf(operation)) this.#note(name, firstRevision, lastRevision);
  }

  #note({ id, contentHash }: OperationName, firstRevision: number, lastRevision: number): void {
    const known = this.find(id);
    const first = Math.min(firstRevision, known?.firstRevision ?? firstRevision);
    const last = Math.max(lastRevision, known?.lastRevision ?? lastRevision);
    const recorded = { contentHash, firstRevision: first, lastRevision: last };
    if (first === 0 && (this.#creation === undefined || this.#creation.id === id)) {
      this.#creation = { id, ...recorded };
      return;
    }
    // A slow load may note anew what was forgotten meanwhile: it would seem to be the newest, and what is newer be forgotten
    // before it, which the archive need not have yet.
    if (!known && lastRevision <= this.#forgottenUpTo) return;
    this.#recent.set(id, recorded);
    this.keepNewest(REMEMBERED_OPERATIONS_MAX);
  }

  /** Forgets older ones. @param count at least one: the oldest that is remembered tells how far the archive must be */
  keepNewest(count: number): void {
    for (const [id, { lastRevision }] of this.#recent) {
      if (this.#recent.size <= count) return;
      this.#recent.delete(id);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, lastRevision);
    }
  }

  /**
   * What is remembered of the stream up to a revision. The log may be ahead of the state that is asked about, because
   * all versions of a state share it.
   * @returns nothing when it is so far ahead that it has forgotten all of that
   */
  remembered(revision: number): RememberedOperations | undefined {
    const recent = [...this.#recent]
      .filter(([, { firstRevision }]) => firstRevision <= revision)
      .map(([id, recorded]) => upTo(revision, { id, ...recorded }))
      .toSorted((one, other) => one.firstRevision - other.firstRevision);
    if (recent.length === 0 && this.#hasForgotten) return undefined;
    const creation = this.#creation && { creation: upTo(revision, this.#creation) };
    return { ...creation, recent, hasForgotten: this.#hasForgotten };
  }
}

function upTo(revision: number, operation: RememberedOperation): RememberedOperation {
  return operation.lastRevision <= revision ? operation : { ...operation, lastRevision: revision };
}
