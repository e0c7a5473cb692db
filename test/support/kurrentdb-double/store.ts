/** The one writer: appends, soft deletes and tombstones, each checked against what the stream holds. */
import { randomUUID } from 'node:crypto';
import { checkCommit, RecentEventIds } from './commit-check.ts';
import {
  DELETED_STREAM,
  type EventLog,
  type EventRecord,
  METADATA_TYPE,
  type ProposedEvent,
  STREAM_DELETED_TYPE,
} from './event-log.ts';
import { isSoftDeleted, SOFT_DELETED_JSON } from './stream-metadata.ts';

/** `position` is missing when the server cannot say it; `lastRevision` is -1 for an empty write to a new stream. */
export type WriteResult =
  | { readonly result: 'success'; readonly lastRevision: number; readonly position: number | undefined }
  | { readonly result: 'wrong_expected_version'; readonly current: number }
  | { readonly result: 'stream_deleted' };

const NO_BYTES = new Uint8Array();

function jsonEvent(type: string, json: string): ProposedEvent {
  return { id: randomUUID(), type, isJson: true, data: Buffer.from(json), metadata: NO_BYTES };
}

export class Store {
  readonly log: EventLog;
  readonly #recent = new RecentEventIds();

  constructor(log: EventLog) {
    this.log = log;
    // Server: StorageWriterService.cs; every node begins its log with an epoch record.
    if (log.records.length === 0)
      this.#append('$epoch-information', 0, [jsonEvent('$epoch-information', '{}')]);
  }

  /** Server: src/EventStore.Core/Services/Storage/StorageWriterService.cs (WritePrepares) */
  write(stream: string, expected: number, events: readonly ProposedEvent[]): WriteResult {
    const check = checkCommit(this.log, this.#recent, {
      stream,
      expected,
      eventIds: events.map(({ id }) => id),
    });
    if (check.decision === 'deleted') return { result: 'stream_deleted' };
    if (check.decision === 'wrong_expected_version')
      return { result: 'wrong_expected_version', current: check.current };
    if (check.decision === 'idempotent')
      return { result: 'success', lastRevision: check.lastRevision, position: check.position };
    if (events.length === 0)
      return { result: 'success', lastRevision: check.current, position: this.log.writerPosition };
    const undeletesStreamOf = stream.startsWith('$$') && isSoftDeleted(this.log, stream.slice(2));
    const last = this.#append(stream, check.current + 1, events).at(-1) as EventRecord;
    if (check.softDeleted) this.#undelete(stream, check.current + 1);
    if (undeletesStreamOf) this.#undelete(stream.slice(2), this.log.lastRevision(stream.slice(2)) + 1);
    return { result: 'success', lastRevision: last.revision, position: last.position };
  }

  /** Hides all events so far; the stream may be written again. Server: StorageWriterService.cs (WriteDelete, SOFT DELETE) */
  softDelete(stream: string, expected: number): WriteResult {
    const refusal = this.#checkDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    const metastream = `$$${stream}`;
    const last = this.log.lastRevision(metastream);
    if (this.log.lastRevision(stream) < 0 && last < 0)
      return { result: 'wrong_expected_version', current: -1 };
    return this.#done(this.#append(metastream, last + 1, [jsonEvent(METADATA_TYPE, SOFT_DELETED_JSON)]));
  }

  /** Ends the stream for ever. Server: StorageWriterService.cs (WriteDelete, HARD DELETE) */
  tombstone(stream: string, expected: number): WriteResult {
    const refusal = this.#checkDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    const event = {
      id: randomUUID(),
      type: STREAM_DELETED_TYPE,
      isJson: false,
      data: NO_BYTES,
      metadata: NO_BYTES,
    };
    return this.#done(this.#append(stream, DELETED_STREAM, [event]));
  }

  /** For the server's own streams: appends without looking at what is expected. */
  writeInternal(stream: string, events: readonly ProposedEvent[]): EventRecord[] {
    return this.#append(stream, this.log.lastRevision(stream) + 1, events);
  }

  #checkDelete(stream: string, expected: number): WriteResult | undefined {
    const check = checkCommit(this.log, this.#recent, { stream, expected, eventIds: [randomUUID()] });
    if (check.decision === 'deleted') return { result: 'stream_deleted' };
    if (check.decision === 'wrong_expected_version')
      return { result: 'wrong_expected_version', current: check.current };
    return undefined;
  }

  #done(records: readonly EventRecord[]): WriteResult {
    const last = records.at(-1) as EventRecord;
    return { result: 'success', lastRevision: last.revision, position: last.position };
  }

  // Server: StorageWriterService.cs (SoftUndeleteStream, SoftUndeleteRawMeta)
  #undelete(stream: string, truncateBefore: number): void {
    const newest = this.log.recordsOf(`$$${stream}`).at(-1);
    if (newest === undefined) return;
    let metadata: unknown;
    try {
      metadata = JSON.parse(Buffer.from(newest.data).toString('utf8'));
    } catch {
      return;
    }
    if (typeof metadata !== 'object' || metadata === null) return;
    const json = JSON.stringify({ ...metadata, $tb: truncateBefore });
    this.#append(`$$${stream}`, newest.revision + 1, [jsonEvent(METADATA_TYPE, json)]);
  }

  #append(stream: string, firstRevision: number, events: readonly ProposedEvent[]): EventRecord[] {
    const records = this.log.append({ stream, firstRevision, events, created: Date.now() });
    for (const record of records) this.#recent.remember(record);
    return records;
  }
}

/** An event of the server's own, with a fresh id. */
export { jsonEvent as newJsonEvent };
