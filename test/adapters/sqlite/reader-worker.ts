/** A reader on a thread of its own, as the projection worker has: reports each event that it sees. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteEventReader } from '../../../src/adapters/sqlite/event-store.ts';

const { reader, close } = openSqliteEventReader((workerData as { path: string }).path);
const abort = new AbortController();

parentPort?.on('message', (message: 'notice' | 'end') => {
  if (message === 'end') abort.abort();
  else reader.appended.notify();
});

for await (const { events } of reader.subscribeToAll({ signal: abort.signal })) {
  const seen = events.map(({ id, revision, stream }) => ({ id, revision, stream }));
  if (seen.length > 0) parentPort?.postMessage(seen);
}
close();
parentPort?.close();
