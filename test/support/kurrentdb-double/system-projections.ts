/** The standard projections that link events: `$by_category`, `$by_event_type` and `$streams`. */
import { randomUUID } from 'node:crypto';
import { type EventRecord, LINK_TYPE, STREAM_DELETED_TYPE } from './event-log.ts';
import type { Store } from './store.ts';

function linkTo(record: EventRecord, projection: string): Parameters<Store['writeInternal']>[1][number] {
  return {
    id: randomUUID(),
    type: LINK_TYPE,
    isJson: false,
    data: Buffer.from(`${record.revision}@${record.stream}`),
    metadata: Buffer.from(
      JSON.stringify({
        $v: `${projection}:-1:1:4`,
        $c: record.position,
        $p: record.position,
        $causedBy: record.id,
      }),
    ),
  };
}

/**
 * From now on every event of an ordinary stream is linked from `$ce-<category>` (what stands before the first hyphen),
 * `$et-<type>` and, when it is the first of its stream, `$streams`. The links come at once, where the server takes a while.
 * Server: src/EventStore.Projections.Core/Standard/CategorizeEventsByStreamPath.cs, IndexEventsByEventType.cs, IndexStreams.cs
 */
export function followWithSystemProjections(store: Store): void {
  store.log.follow((record) => {
    if (record.stream.startsWith('$') || record.type === STREAM_DELETED_TYPE || record.type === LINK_TYPE)
      return;
    const separator = record.stream.indexOf('-');
    if (separator > 0) {
      store.writeInternal(`$ce-${record.stream.slice(0, separator)}`, [linkTo(record, '2')]);
    }
    store.writeInternal(`$et-${record.type}`, [linkTo(record, '3')]);
    if (record.revision === 0) store.writeInternal('$streams', [linkTo(record, '4')]);
  });
}
