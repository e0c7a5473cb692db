/** Events without meaning that keep the place of events that an export no longer has, so that later revisions stay as they were. */
import { hash } from 'node:crypto';
import type { NewEvent, RecordedEvent } from './event-store.ts';

/**
 * A stream cannot begin later than at revision 0, so what was cut off from one is filled up again and cut off again by
 * `truncateBefore`. A server may go on showing fillers in its whole log; who follows the log passes them over.
 */
const FILLER_EVENT_TYPE = 'Filler';

/** The same every time, so that an append that is tried again is recognised. */
export function fillerEvent(
  stream: string,
  revision: number,
): NewEvent & Pick<RecordedEvent, 'stream' | 'revision'> {
  const id = fillerId(stream, revision);
  const metadata = {
    aggregate_type: FILLER_EVENT_TYPE,
    aggregate_id: stream,
    timestamp: '1970-01-01T00:00:00.000Z',
    correlation_id: id,
    causation_id: id,
  };
  return { stream, revision, id, type: FILLER_EVENT_TYPE, data: {}, metadata };
}

export function isFiller(event: RecordedEvent): boolean {
  return event.type === FILLER_EVENT_TYPE && event.id === fillerId(event.stream, event.revision);
}

/** A UUID of version 8 (free form, RFC 9562) made from the place. */
function fillerId(stream: string, revision: number): string {
  const digits = hash('sha256', `${FILLER_EVENT_TYPE} ${revision} ${stream}`);
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5');
}
