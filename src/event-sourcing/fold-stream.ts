/** Folds a document that is missing from the one stream that makes it. */
import type { DomainEvent, EventCodec } from './codec.ts';
import type { DocumentSession } from './document-session.ts';
import type { EventReader } from './event-store.ts';
import type { Projection } from './projection.ts';
import type { Document } from './read-model-store.ts';

/**
 * Folds one document from its own stream: what a projector stores, and a query only answers with.
 * @param through the last revision to fold; default: the newest
 */
export async function foldStream<E extends DomainEvent, D extends Document>(
  reader: Pick<EventReader, 'readStream'>,
  codec: EventCodec<E>,
  projection: Projection<E, D>,
  key: string,
  lookup: DocumentSession,
  through = Number.MAX_SAFE_INTEGER,
): Promise<D | undefined> {
  let document: D | undefined;
  if (!projection.stream) return undefined;
  for await (const recorded of reader.readStream(projection.stream(key), { limit: through + 1 })) {
    // The limit alone is not enough: a truncated stream does not begin at revision 0.
    if (recorded.revision > through) break;
    const event = codec.decode(recorded);
    if (!projection.eventTypes.includes(event.type)) continue;
    for (const wanted of projection.lookups?.(event) ?? []) await lookup.load(wanted.from, wanted.key);
    document = projection.fold(document, event, lookup, key);
  }
  return document;
}
