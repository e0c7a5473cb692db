/** Makes the record of an event that could not be handled. */
import type { DomainEvent, Recorded } from './codec.ts';
import type { RecordedEvent } from './event-store.ts';
import type { DeadLetter } from './read-model-store.ts';

/** The cause of a dead letter that was never tried, because an earlier event of its document is dead. */
export const WAITS_FOR_EARLIER = 'waits_for_earlier';

/** Stands for the projection where an event that nobody can read belongs to no document. */
export const NO_PROJECTION = '*';

/** @param attempts how often it was tried; 0 for one that waits */
export function deadLetter(
  projection: string,
  documentKey: string,
  event: RecordedEvent | Recorded<DomainEvent>,
  cause: string,
  attempts: number,
): DeadLetter {
  const { position, stream, revision } = event;
  const deadSince = new Date().toISOString();
  return {
    projection,
    documentKey,
    position,
    stream,
    revision,
    eventId: event.id,
    eventType: event.type,
    cause,
    attempts,
    deadSince,
  };
}

/** An error in one line, for the record. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
