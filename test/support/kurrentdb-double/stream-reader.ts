/** Reads pages of one stream as its metadata allows. */
import { DELETED_STREAM, type EventLog, type EventRecord, NO_STREAM } from './event-log.ts';
import { metadataOf, type StreamMetadata } from './stream-metadata.ts';

/** `next` is where the next page begins; an empty page need not be the last. */
export type StreamPage =
  | { readonly result: 'no_stream' }
  | { readonly result: 'stream_deleted' }
  | {
      readonly result: 'success';
      readonly records: readonly EventRecord[];
      readonly next: number;
      readonly lastRevision: number;
      readonly isEnd: boolean;
    };

function lowestReadable(metadata: StreamMetadata, lastRevision: number): number {
  const byCount = metadata.maxCount === undefined ? 0 : lastRevision - metadata.maxCount + 1;
  return Math.max(0, byCount, metadata.truncateBefore ?? 0);
}

function isYoungEnough(metadata: StreamMetadata, record: EventRecord): boolean {
  return metadata.maxAge === undefined || record.created >= Date.now() - metadata.maxAge * 1000;
}

function unreadable(log: EventLog, stream: string): StreamPage | undefined {
  const last = log.lastRevision(stream);
  if (last === DELETED_STREAM) return { result: 'stream_deleted' };
  if (last === NO_STREAM || metadataOf(log, stream).truncateBefore === DELETED_STREAM)
    return { result: 'no_stream' };
  return undefined;
}

/** Whether a read of its stream would give this record. */
export function canRead(log: EventLog, record: EventRecord): boolean {
  if (unreadable(log, record.stream) !== undefined) return false;
  const metadata = metadataOf(log, record.stream);
  return (
    record.revision >= lowestReadable(metadata, log.lastRevision(record.stream)) &&
    isYoungEnough(metadata, record)
  );
}

/**
 * Events that are too old are skipped, and a stream all of whose events are too old is empty, not missing.
 * Server: src/EventStore.Core/Services/Storage/ReaderIndex/IndexReader.cs (ReadStreamEventsForwardInternal)
 */
export function readStreamForwards(log: EventLog, stream: string, from: number, count: number): StreamPage {
  const failure = unreadable(log, stream);
  if (failure !== undefined) return failure;
  const lastRevision = log.lastRevision(stream);
  const metadata = metadataOf(log, stream);
  const start = Math.max(from, lowestReadable(metadata, lastRevision));
  const records: EventRecord[] = [];
  let next = start;
  for (; next <= lastRevision && records.length < count; next++) {
    const record = log.recordsOf(stream)[next] as EventRecord;
    if (isYoungEnough(metadata, record)) records.push(record);
  }
  next = Math.min(next, lastRevision + 1);
  return { result: 'success', records, next, lastRevision, isEnd: next > lastRevision };
}

/** `from` undefined is the end. Server: IndexReader.cs (ReadStreamEventsBackwardInternal) */
export function readStreamBackwards(
  log: EventLog,
  stream: string,
  from: number | undefined,
  count: number,
): StreamPage {
  const failure = unreadable(log, stream);
  if (failure !== undefined) return failure;
  const lastRevision = log.lastRevision(stream);
  const metadata = metadataOf(log, stream);
  const lowest = lowestReadable(metadata, lastRevision);
  const records: EventRecord[] = [];
  let next = Math.min(from ?? lastRevision, lastRevision);
  for (; next >= lowest && records.length < count; next--) {
    const record = log.recordsOf(stream)[next] as EventRecord;
    if (isYoungEnough(metadata, record)) records.push(record);
  }
  return { result: 'success', records, next, lastRevision, isEnd: next < lowest };
}
