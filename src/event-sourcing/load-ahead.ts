/** Tells which documents a batch of events will want, as far as that is known before it is folded, and loads them. */
import type { DomainEvent, EventCodec, Recorded } from './codec.ts';
import type { DocumentSession } from './document-session.ts';
import type { RecordedEvent } from './event-store.ts';
import type { AnyProjection, LookupKey } from './projection.ts';

/**
 * What cannot be told yet, because it depends on what the batch itself brings, is left to be loaded one at a time. So is
 * every error: the fold meets it again and deals with it.
 * @param wanting the projections that the event has not passed yet
 * @returns the events as they were decoded
 */
export async function loadAhead<E extends DomainEvent>(
  session: DocumentSession,
  codec: EventCodec<E>,
  events: readonly RecordedEvent[],
  wanting: (event: Recorded<E>) => readonly AnyProjection<E>[],
): Promise<ReadonlyMap<RecordedEvent, Recorded<E>>> {
  const decoded = new Map<RecordedEvent, Recorded<E>>();
  for (const recorded of events) {
    for (const event of unlessItFails(() => [codec.decode(recorded)])) decoded.set(recorded, event);
  }
  const pairs = [...decoded.values()].flatMap((event) =>
    wanting(event).map((projection) => [projection, event] as const),
  );
  // The keys of one projection's documents may stand in those of another.
  await session.loadMany(
    pairs.flatMap(([projection, event]) => unlessItFails(() => projection.lookups?.(event) ?? [])),
  );
  await session.loadMany(pairs.flatMap(([projection, event]) => keysOf(session, projection, event)));
  return decoded;
}

function keysOf<E extends DomainEvent>(
  session: DocumentSession,
  projection: AnyProjection<E>,
  event: Recorded<E>,
): readonly LookupKey[] {
  if (projection.writeOnce) return [];
  return unlessItFails(() => projection.keys(event, session).map((key) => ({ from: projection, key })));
}

function unlessItFails<T>(work: () => readonly T[]): readonly T[] {
  try {
    return work();
  } catch {
    return [];
  }
}
