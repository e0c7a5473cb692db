/** A snapshot as an event of its stream: versioned, checksummed, and read with distrust. */
import { hash } from 'node:crypto';
import type { NewEvent, RecordedEvent } from '../event-store.ts';
import type { RememberedOperation, RememberedOperations } from '../operation-log.ts';
import { fromExactJson, type Json, toExactJson } from './exact-json.ts';

/** The state of an aggregate, folded from its events up to one of them. */
export interface Snapshot<S> {
  readonly state: S;
  /** Of the last event that was folded. */
  readonly revision: number;
  /** The id of that event: the stream must still have it, or the snapshot is of other events. */
  readonly eventId: string;
  /** The greatest business time of all events so far, RFC 3339 UTC. */
  readonly latest: string;
  /** Missing in one that serves looks into the past only. */
  readonly operations?: RememberedOperations;
}

/**
 * Why a snapshot is not used: `checksum`, its content is not what was written; `unreadable`, it has not the form of one;
 * `version`, it was written by a program whose state has another shape; `anchor`, the stream does not have the event on
 * which it stands; `wrong`, the events lead to another state.
 */
export type DiscardReason = 'checksum' | 'unreadable' | 'version' | 'anchor' | 'wrong';

/** What an event of a snapshot stream holds. */
export type ReadSnapshot<S> =
  | { readonly usable: true; readonly snapshot: Snapshot<S>; readonly takenAt: string }
  | {
      readonly usable: false;
      readonly reason: Extract<DiscardReason, 'checksum' | 'unreadable' | 'version'>;
    };

export const SNAPSHOT_EVENT_TYPE = 'SnapshotV1';

/** Of one kind of aggregate. */
export interface SnapshotKind {
  readonly name: string;
  /** Of the shape and meaning of its state. */
  readonly stateVersion: number;
}

/** An operation in a snapshot: id, hash of the content, first and last revision. */
type OperationRow = readonly [string, string, number, number];

interface Content {
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly state_version: number;
  readonly revision: number;
  readonly event_id: string;
  readonly latest: string;
  readonly state: Json;
  readonly operations?: {
    readonly creation: OperationRow | null;
    readonly recent: readonly OperationRow[];
    readonly has_forgotten: boolean;
  };
}

/**
 * @param takenAt RFC 3339 UTC
 * @throws TypeError when the state has no exact JSON
 */
export function toSnapshotEvent<S>(
  kind: SnapshotKind,
  aggregateId: string,
  snapshot: Snapshot<S>,
  { id, takenAt }: { readonly id: string; readonly takenAt: string },
): NewEvent {
  const { revision, eventId, latest, operations } = snapshot;
  const content: Content = {
    aggregate_type: kind.name,
    aggregate_id: aggregateId,
    state_version: kind.stateVersion,
    revision,
    event_id: eventId,
    latest,
    state: toExactJson(snapshot.state),
    ...(operations ? { operations: toRows(operations) } : {}),
  };
  return {
    id,
    type: SNAPSHOT_EVENT_TYPE,
    data: { ...content, checksum: checksumOf(content) },
    metadata: {
      aggregate_type: `${kind.name}Snapshot`,
      aggregate_id: aggregateId,
      timestamp: takenAt,
      correlation_id: id,
      causation_id: eventId,
    },
  };
}

export function readSnapshot<S>(
  kind: SnapshotKind,
  aggregateId: string,
  event: RecordedEvent,
): ReadSnapshot<S> {
  const { checksum, ...content } = (event.data ?? {}) as Content & { checksum?: unknown };
  if (event.type !== SNAPSHOT_EVENT_TYPE || typeof checksum !== 'string') return unusable('unreadable');
  if (checksum !== checksumOf(content)) return unusable('checksum');
  if (content.state_version !== kind.stateVersion) return unusable('version');
  // Another aggregate's, put into this one's stream by hand.
  if (content.aggregate_type !== kind.name || content.aggregate_id !== aggregateId)
    return unusable('unreadable');
  try {
    const { revision, event_id: eventId, latest, operations } = content;
    const state = fromExactJson(content.state) as S;
    const snapshot = {
      state,
      revision,
      eventId,
      latest,
      ...(operations && { operations: fromRows(operations) }),
    };
    return { usable: true, snapshot, takenAt: event.metadata.timestamp };
  } catch {
    return unusable('unreadable');
  }
}

/** The state and what goes with it, as text in which equal snapshots are equal. */
export function fingerprint<S>({ state, revision, eventId, latest }: Snapshot<S>): string {
  return JSON.stringify([revision, eventId, latest, canonical(toExactJson(state))]);
}

/** Objects with their keys in one order: a fold may have made the same state in another one. */
function canonical(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(canonical);
  const fields = Object.entries(json).map(([key, inner]) => [key, canonical(inner)] as const);
  return Object.fromEntries(fields.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function unusable(reason: 'checksum' | 'unreadable' | 'version') {
  return { usable: false, reason } as const;
}

function checksumOf(content: Content): string {
  return hash('sha256', JSON.stringify(content), 'base64url');
}

function toRows({
  creation,
  recent,
  hasForgotten,
}: RememberedOperations): NonNullable<Content['operations']> {
  return {
    creation: creation ? toRow(creation) : null,
    recent: recent.map(toRow),
    has_forgotten: hasForgotten,
  };
}

function toRow({ id, contentHash, firstRevision, lastRevision }: RememberedOperation): OperationRow {
  return [id, contentHash, firstRevision, lastRevision];
}

function fromRows({
  creation,
  recent,
  has_forgotten,
}: NonNullable<Content['operations']>): RememberedOperations {
  return {
    ...(creation ? { creation: fromRow(creation) } : {}),
    recent: recent.map(fromRow),
    hasForgotten: has_forgotten,
  };
}

function fromRow([id, contentHash, firstRevision, lastRevision]: OperationRow): RememberedOperation {
  return { id, contentHash, firstRevision, lastRevision };
}
