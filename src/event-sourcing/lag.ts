/** How long a follower of the log is behind it. */
import type { EventReader, Position } from './event-store.ts';

/** How long the oldest event after a position has been waiting, in milliseconds; 0 when there is none. */
export async function ageOfNextEvent(
  events: Pick<EventReader, 'readAll'>,
  position: Position,
): Promise<number> {
  // Not from the position after: a server knows only those where something stands.
  for await (const event of events.readAll({ from: position, limit: 2 })) {
    if (event.position > position) return Math.max(0, Date.now() - Date.parse(event.recordedAt));
  }
  return 0;
}
