/** Tells what an operation came to when it was done, from the events that it left in its stream. */

import type { Committed } from './aggregate.ts';
import type { DomainEvent } from './codec.ts';
import type { RecordedEvent } from './event-store.ts';
import type { FoldSource } from './load-aggregate.ts';
import type { RecordedOperation } from './operation-log.ts';
import type { Snapshot } from './snapshots/snapshot.ts';
import { StoreError } from './store-error.ts';

/** Where the fold may begin that leads to the state after an operation. */
export interface RecallStart<S> {
  /** The state after it, when it is known: then nothing is folded. */
  readonly state?: S | undefined;
  /** Of a revision before its first event; else the stream is folded from its beginning. */
  readonly start?: Snapshot<S> | undefined;
}

/**
 * The first answer again: the state after the operation, its events and when they were recorded.
 * @throws StoreError `corrupt` when events of the operation are gone
 */
export async function recallOperation<S, E extends DomainEvent>(
  from: FoldSource<S, E>,
  stream: string,
  operation: RecordedOperation,
  { state: stateThen, start }: RecallStart<S> = {},
): Promise<Committed<S, E>> {
  const { firstRevision, lastRevision } = operation;
  const first = stateThen === undefined ? (start?.revision ?? 0) : firstRevision;
  const events: E[] = [];
  let folded: S | undefined;
  let last: RecordedEvent | undefined;
  for await (const recorded of from.store.readStream(stream, {
    from: first,
    limit: lastRevision - first + 1,
  })) {
    // The limit alone is not enough: a truncated stream does not begin at revision 0.
    if (recorded.revision > lastRevision) break;
    if (recorded.id === start?.eventId) {
      folded = start.state;
      continue;
    }
    // The snapshot is of other events.
    if (start && folded === undefined) return recallOperation(from, stream, operation);
    const event: E = from.codec.decode(recorded);
    if (stateThen === undefined) folded = from.aggregate.evolve(folded, event, recorded.metadata.timestamp);
    if (recorded.revision < firstRevision) continue;
    events.push({ type: event.type, data: event.data } as E);
    last = recorded;
  }
  const state = stateThen ?? folded;
  if (state === undefined || !last || events.length !== lastRevision - firstRevision + 1) {
    throw new StoreError('corrupt', `Revisions ${firstRevision} to ${lastRevision} of ${stream} are gone.`);
  }
  const { position, metadata } = last;
  const { timestamp } = metadata;
  return { state, revision: lastRevision, events, stream, timestamp, position, replayed: true };
}
