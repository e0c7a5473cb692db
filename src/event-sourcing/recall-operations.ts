/** Tells of many operations of one stream what they came to, by reading the stream once. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AggregateType, Committed } from './aggregate.ts';
import type { DomainEvent, EventCodec, Recorded } from './codec.ts';
import type { EventReader } from './event-store.ts';
import type { RecordedOperation } from './operation-log.ts';

/** Events folded in one turn of the event loop. */
const EVENTS_PER_TURN = 512;

/**
 * The first answers again, by the last revision of each operation; an operation whose events are gone has none.
 * @throws StoreError when the store could not be read
 */
export async function recallOperations<S, E extends DomainEvent>(
  from: { store: Pick<EventReader, 'readStream'>; codec: EventCodec<E>; aggregate: AggregateType<S, E> },
  stream: string,
  operations: readonly RecordedOperation[],
): Promise<Map<number, Committed<S, E>>> {
  const answers = new Map<number, Committed<S, E>>();
  const byEnd = new Map(operations.map((operation) => [operation.lastRevision, operation]));
  const inOrder = [...byEnd.values()].sort((left, right) => left.lastRevision - right.lastRevision);
  const limit = (inOrder.at(-1)?.lastRevision ?? -1) + 1;
  let next = 0;
  let state: S | undefined;
  let events: E[] = [];
  for await (const recorded of from.store.readStream(stream, { limit })) {
    const { revision, position, metadata } = recorded;
    const { timestamp } = metadata;
    const event: Recorded<E> = from.codec.decode(recorded);
    state = from.aggregate.evolve(state, event as unknown as E, timestamp);
    while ((inOrder[next]?.lastRevision ?? limit) < revision) next += 1;
    const wanted = inOrder[next];
    if (!wanted) break;
    if (revision < wanted.firstRevision) continue;
    events.push({ type: event.type, data: event.data } as unknown as E);
    if (revision < wanted.lastRevision) continue;
    const { firstRevision, lastRevision } = wanted;
    if (events.length === lastRevision - firstRevision + 1) {
      answers.set(revision, { state, revision, events, stream, timestamp, position, replayed: true });
    }
    events = [];
    if (revision % EVENTS_PER_TURN === 0) await nextTurn();
  }
  return answers;
}
