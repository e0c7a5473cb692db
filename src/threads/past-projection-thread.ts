/** Entry of the thread that folds one past projection, so that whoever serves requests is not kept from it. */
import { statfsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Position } from '../event-sourcing/event-store.ts';
import {
  ownProjection,
  type ProjectedDocuments,
  projectInto,
  StoreError,
} from '../store-tools/run-projection.ts';
import type { FromPastProjectionThread, PastProjectionTask } from './past-projection-messages.ts';

/** Least time between two reports of the progress, and between two looks at the disk, in milliseconds. */
const REPORT_SPACING_MS = 200;

const MIB = 1024 * 1024;

const report = (message: FromPastProjectionThread) => parentPort?.postMessage(message);
const { config, projection, time, directory, roomLeft } = workerData as PastProjectionTask;
let eventsRead = 0;
let reportedAt = Number.NEGATIVE_INFINITY;

try {
  const plan = ownProjection(projection);
  if (!plan) throw new Error(`there is no projection ${projection}`);
  const found = await projectInto(config, plan, directory, { time, onRead }, summed);
  report({ kind: 'done', events: eventsRead, ...found });
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  report({ kind: 'failed', code: error.code, message: error.message });
}

function onRead(events: number, position: Position, head: Position): void {
  eventsRead = events;
  if (performance.now() - reportedAt < REPORT_SPACING_MS) return;
  mustLeaveRoom();
  reportedAt = performance.now();
  const share = head === 0n ? 1 : Math.min(1, Number(position) / Number(head));
  report({ kind: 'progress', events, percent: Math.floor(share * 100) });
}

/** The bank's own stores may be on the same disk, and must be able to write. */
function mustLeaveRoom(): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= roomLeft) return;
  const room = `${Math.ceil(roomLeft / MIB)} MiB`;
  throw new StoreError(
    'disk_full',
    `Less than ${room} are free on the disk of the events, which needs them.`,
  );
}

async function summed({ documents, deadLetters, deadLetterCount }: ProjectedDocuments) {
  let count = 0;
  for await (const _document of documents()) count += 1;
  const first_dead_letters = deadLetters.map(({ documentKey, stream, revision, eventType, cause }) => ({
    document_key: documentKey,
    stream,
    revision,
    event_type: eventType,
    cause,
  }));
  return { documents: count, dead_letters: deadLetterCount, first_dead_letters };
}
