/** Folds the events of an aggregate anew and holds all of its snapshots against them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedEvent } from '../event-store.ts';
import type { RememberedOperations } from '../operation-log.ts';
import { OperationLog, operationOf } from '../operation-log.ts';
import { fingerprint, type Snapshot } from './snapshot.ts';
import type { KeptSnapshot, SnapshotStore } from './snapshot-store.ts';

/** The events of one aggregate, from the first on, and what they make of its state. */
export interface AuditSource<S> {
  events(): AsyncIterable<RecordedEvent>;
  fold(state: S | undefined, event: RecordedEvent): S;
}

/**
 * `sound`: all snapshots are what the events say. `repaired`: some were not, and all were written anew; `wrong` names the
 * revisions of those that could be read and told something else. `skipped`: there is nothing to compare, or the events
 * cannot all be read.
 */
export type AuditOutcome =
  | { readonly verdict: 'sound' | 'skipped' }
  | { readonly verdict: 'repaired'; readonly wrong: readonly number[] };

/** Longer streams are not audited. */
const AUDITED_EVENTS_MAX = 1_000_000;
/** Events that are folded in one turn of the event loop. */
const EVENTS_PER_TURN = 64;

/** @throws StoreError when the store fails, or whatever the fold throws */
export async function auditSnapshots<S>(
  source: AuditSource<S>,
  store: SnapshotStore<S>,
  id: string,
  isCancelled: () => boolean,
): Promise<AuditOutcome> {
  const kept = await store.all(id);
  if (kept.length === 0) return { verdict: 'skipped' };
  const truth = await foldAt(source, revisionsOf(kept), isCancelled);
  if (!truth) return { verdict: 'skipped' };
  const { at, newest } = truth;
  const wrong = kept.flatMap(({ read }) => {
    if (!read.usable) return [];
    const folded = at.get(read.snapshot.revision);
    return folded && isSame(read.snapshot, folded) ? [] : [read.snapshot.revision];
  });
  const unusable = kept.some(({ read }) => !read.usable && read.reason !== 'version');
  if (wrong.length === 0 && !unusable) return { verdict: 'sound' };
  const foldedOf = (isWanted: (one: KeptSnapshot<S>) => boolean) =>
    revisionsOf(kept.filter(isWanted)).flatMap((revision) => at.get(revision) ?? []);
  const recent = foldedOf(({ milestone }) => !milestone);
  await store.replaceAll(id, {
    milestones: foldedOf(({ milestone }) => milestone),
    newest: [...recent.filter(({ revision }) => revision < newest.revision), newest],
  });
  return { verdict: 'repaired', wrong: [...new Set(wrong)] };
}

/** Ascending, each once. */
function revisionsOf<S>(kept: readonly KeptSnapshot<S>[]): number[] {
  const revisions = kept.flatMap(({ read }) => (read.usable ? [read.snapshot.revision] : []));
  return [...new Set(revisions)].sort((one, other) => one - other);
}

/** What the events say at some revisions, and at the end; nothing when the stream has lost its beginning, or is gone. */
async function foldAt<S>(
  source: AuditSource<S>,
  revisions: readonly number[],
  isCancelled: () => boolean,
): Promise<{ at: Map<number, Snapshot<S>>; newest: Snapshot<S> } | undefined> {
  const wanted = new Set(revisions);
  const at = new Map<number, Snapshot<S>>();
  const operations = new OperationLog();
  let state: S | undefined;
  let latest = '';
  let last: RecordedEvent | undefined;
  const snapshot = (event: RecordedEvent): Snapshot<S> => {
    const remembered = operations.remembered(event.revision);
    const memory = remembered && { operations: remembered };
    return { state: state as S, revision: event.revision, eventId: event.id, latest, ...memory };
  };
  for await (const event of source.events()) {
    if (!last && event.revision !== 0) return undefined;
    if (event.revision >= AUDITED_EVENTS_MAX || isCancelled()) return undefined;
    if (event.revision % EVENTS_PER_TURN === 0) await nextTurn();
    state = source.fold(state, event);
    last = event;
    if (event.metadata.timestamp > latest) latest = event.metadata.timestamp;
    const operation = operationOf(event.metadata);
    if (operation) operations.note(operation, event.revision, event.revision);
    if (wanted.has(event.revision)) at.set(event.revision, snapshot(event));
  }
  return last && { at, newest: snapshot(last) };
}

function isSame<S>(found: Snapshot<S>, folded: Snapshot<S>): boolean {
  if (fingerprint(found) !== fingerprint(folded)) return false;
  return !found.operations || isMemoryOf(found.operations, folded.operations);
}

/** One that was taken while the aggregate went on may have forgotten a little more, and says so. */
function isMemoryOf(found: RememberedOperations, folded: RememberedOperations | undefined): boolean {
  if (!folded) return false;
  const forgotMore = found.recent.length < folded.recent.length;
  if (found.hasForgotten !== folded.hasForgotten && !(forgotMore && found.hasForgotten)) return false;
  if (forgotMore && !found.hasForgotten) return false;
  const comparable = folded.recent.slice(folded.recent.length - found.recent.length);
  return JSON.stringify(rows(found, found.recent)) === JSON.stringify(rows(folded, comparable));
}

function rows({ creation }: RememberedOperations, recent: RememberedOperations['recent']) {
  return [creation, ...recent].map(
    (one) => one && [one.id, one.contentHash, one.firstRevision, one.lastRevision],
  );
}
