/** An event as it lies in the log, for those who watch the log itself and not what it means. */
import { type RecordedEvent, UNREADABLE_EVENT_TYPE } from './event-store.ts';
import { StoreError } from './store-error.ts';

/** Why an event means nothing here: its content is no JSON, nobody knows its type, or its old version stays an old one. */
export type EventFault = 'unreadable' | 'unknown_type' | 'failing_upcast';

/** Its type may be any, and its data may be those of any version. */
export type LoggedEvent = RecordedEvent & { readonly fault?: EventFault };

/** @param error what the codec said about it */
export function faultOf(recorded: RecordedEvent, error: unknown): EventFault {
  if (recorded.type === UNREADABLE_EVENT_TYPE) return 'unreadable';
  return error instanceof StoreError && error.code === 'corrupt' ? 'unknown_type' : 'failing_upcast';
}
