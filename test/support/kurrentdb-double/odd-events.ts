/** Events that no well-behaved client writes, but that a reader of a whole server meets. */
import { randomUUID } from 'node:crypto';
import { ANY } from './event-log.ts';
import { newJsonEvent, type Store } from './store.ts';

/** Appends an event that calls itself JSON and is not. Every client can write such a one, for the server does not look. */
export function writeUnreadable(store: Store, stream: string, type: string): void {
  const data = Buffer.from('{"cut off');
  store.write(stream, ANY, [{ id: randomUUID(), type, isJson: true, data, metadata: Buffer.from('{{') }]);
}

/** What a server writes about itself every so often. Server: src/EventStore.Core/Services/Monitoring/MonitoringService.cs */
export function writeStatistics(store: Store, port: number): void {
  const data = JSON.stringify({ 'proc-startTime': new Date().toISOString(), 'proc-mem': 123_456_789 });
  store.writeInternal(`$stats-127.0.0.1:${port}`, [newJsonEvent('$statsCollected', data)]);
}
