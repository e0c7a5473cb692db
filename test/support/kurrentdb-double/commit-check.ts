/** Decides whether a write may go ahead, is a repetition of an earlier one, or contradicts what the stream holds. */
import {
  ANY,
  DELETED_STREAM,
  type EventLog,
  type EventRecord,
  NO_STREAM,
  STREAM_EXISTS,
} from './event-log.ts';
import { isSoftDeleted } from './stream-metadata.ts';
import { canRead } from './stream-reader.ts';

export type CommitDecision =
  | { readonly decision: 'ok'; readonly current: number; readonly softDeleted: boolean }
  | { readonly decision: 'wrong_expected_version'; readonly current: number }
  | { readonly decision: 'deleted' }
  /** `position` is missing when the first write's events can no longer be read. */
  | { readonly decision: 'idempotent'; readonly lastRevision: number; readonly position: number | undefined };

// Server: src/EventStore.Core/Settings/ESConsts.cs (CommitedEventsMemCacheLimit)
const CACHE_BYTES = 8 * 1024 * 1024;
// Server: IndexWriter.cs (the sizer of _committedEvents): id, number, pointer, stream name
const BYTES_PER_ENTRY = 28;

/**
 * The event ids that this process has committed lately; a restart forgets them, as the server's does.
 * Server: src/EventStore.Core/Services/Storage/ReaderIndex/IndexWriter.cs (_committedEvents), BoundedCache.cs
 */
export class RecentEventIds {
  readonly #places = new Map<string, { readonly stream: string; readonly revision: number }>();
  #bytes = 0;

  remember(record: EventRecord): void {
    this.#forget(record.id);
    this.#places.set(record.id, { stream: record.stream, revision: record.revision });
    this.#bytes += BYTES_PER_ENTRY + record.stream.length * 2;
    for (const oldest of this.#places.keys()) {
      if (this.#bytes <= CACHE_BYTES) break;
      this.#forget(oldest);
    }
  }

  /** The revision that the event has in this stream. */
  revisionIn(stream: string, id: string): number | undefined {
    const place = this.#places.get(id);
    return place?.stream === stream ? place.revision : undefined;
  }

  #forget(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#bytes -= BYTES_PER_ENTRY + place.stream.length * 2;
  }
}

interface CheckedWrite {
  readonly stream: string;
  readonly expected: number;
  readonly eventIds: readonly string[];
}

function positionOf(log: EventLog, stream: string, revision: number): number | undefined {
  const record = log.recordsOf(stream)[revision];
  return record !== undefined && canRead(log, record) ? record.position : undefined;
}

// Server: IndexWriter.cs (CheckCommit, "idempotency checks" for Any and StreamExists)
function checkAnyRevision(log: EventLog, recent: RecentEventIds, write: CheckedWrite): CommitDecision {
  const current = log.lastRevision(write.stream);
  let lastRevision: number | undefined;
  for (const id of write.eventIds) {
    const revision = recent.revisionIn(write.stream, id);
    if (revision === undefined && lastRevision !== undefined)
      return { decision: 'wrong_expected_version', current };
    if (revision === undefined) break;
    lastRevision = revision;
  }
  if (lastRevision === undefined)
    return { decision: 'ok', current, softDeleted: isSoftDeleted(log, write.stream) };
  return { decision: 'idempotent', lastRevision, position: positionOf(log, write.stream, lastRevision) };
}

// Server: IndexWriter.cs (CheckCommit, expectedVersion < curVersion); a partial repetition is "corrupted idempotency",
// which StorageWriterService.cs (ActOnCommitCheckFailure) answers as a wrong expected version.
function checkPastRevision(log: EventLog, write: CheckedWrite, current: number): CommitDecision {
  const { stream, expected, eventIds } = write;
  const records = log.recordsOf(stream);
  const mismatch = eventIds.findIndex((id, offset) => records[expected + 1 + offset]?.id !== id);
  if (mismatch === 0 && expected === NO_STREAM && isSoftDeleted(log, stream))
    return { decision: 'ok', current, softDeleted: true };
  if (mismatch !== -1 || eventIds.length === 0) return { decision: 'wrong_expected_version', current };
  const lastRevision = expected + eventIds.length;
  return { decision: 'idempotent', lastRevision, position: positionOf(log, stream, lastRevision) };
}

/** Server: src/EventStore.Core/Services/Storage/ReaderIndex/IndexWriter.cs (CheckCommit) */
export function checkCommit(log: EventLog, recent: RecentEventIds, write: CheckedWrite): CommitDecision {
  const { stream, expected } = write;
  const current = log.lastRevision(stream);
  if (current === DELETED_STREAM) return { decision: 'deleted' };
  if (expected === STREAM_EXISTS) {
    if (isSoftDeleted(log, stream)) return { decision: 'deleted' };
    if (current < 0 && log.lastRevision(`$$${stream}`) < 0)
      return { decision: 'wrong_expected_version', current };
  }
  if (expected === ANY || expected === STREAM_EXISTS) return checkAnyRevision(log, recent, write);
  if (expected < current) return checkPastRevision(log, write, current);
  if (expected > current) return { decision: 'wrong_expected_version', current };
  return { decision: 'ok', current, softDeleted: isSoftDeleted(log, stream) };
}
