/** Tells what an operation came to when it was done, from the events that it left in its stream. */

import type { AggregateType, Committed } from './aggregate.ts';
import type { DomainEvent, EventCodec } from './codec.ts';
import type { EventReader, RecordedEvent } from './event-store.ts';
import type { RecordedOperation } from './operation-log.ts';
import { StoreError } from './store-error.ts';

/**
 * The first answer again: the state after the operation, its events and when they were recorded.
 * @param stateThen the state after the operation, when it is known; else the stream is folded up to there
 * @throws StoreError `corrupt` when events of the operation are gone
 */
export async function recallOperation<S, E extends DomainEvent>(
  from: { store: EventReader; codec: EventCodec<E>; aggregate: AggregateType<S, E> },
  stream: string,
  { firstRevision, lastRevision }: RecordedOperation,
  stateThen?: S,
): Promise<Committed<S, E>> {
  const start = stateThen === undefined ? 0 : firstRevision;
  const events: E[] = [];
  let folded: S | undefined;
  let last: RecordedEvent | undefined;
  const limit = lastRevision - start + 1;
  for await (const recorded of from.store.readStream(stream, { from: start, limit })) {
    // The limit alone is not enough: a truncated stream does not begin at revision 0.
    if (recorded.revision > lastRevision) break;
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
