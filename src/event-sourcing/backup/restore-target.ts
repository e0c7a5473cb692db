/** The RestoreTarget port: a store that does not exist yet, filled with events in their old places. */
import type { Position, RecordedEvent } from '../event-store.ts';
import type { GroupState, MessageState, StreamState } from './backup-state.ts';

export interface RestoreTarget {
  /** A new one: what belongs to the log that was backed up must not pass for this one's. */
  readonly storeId: string;
  /** Writes an event with its revision, position and recorded time, which rise from call to call. */
  addEvent(event: RecordedEvent): void;
  /** What of a stream can be read, after its events were added. */
  setStream(state: StreamState): void;
  addGroup(group: GroupState): void;
  /** Of the group that was added last. */
  addMessage(message: MessageState): void;
  /** The newest position ever given: the next event comes behind it. Nothing can be added afterwards. */
  finish(head: Position): void;
  /** What it holds, in the order of the log. */
  read(): AsyncIterable<RecordedEvent>;
}
