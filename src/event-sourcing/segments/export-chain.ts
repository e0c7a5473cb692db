/** The rules that hold between the records and segments of one export; its writer and its readers run the same checks. */

import type { Position, RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import { addDigests, digestOf, digestText, EMPTY_DIGEST } from './event-digest.ts';
import {
  type EndRecord,
  placeOf,
  type SegmentFooter,
  type SegmentHeader,
  type SegmentRecord,
  type StreamRecord,
} from './segment.ts';
import type { SegmentDirectory, SegmentFile } from './segment-directory.ts';
import { decodeSegment, sha256Of } from './segment-stream.ts';

/** How far a long piece of work is. `fraction` goes from 0 to 1. */
export interface MoveProgress {
  readonly phase: 'checking' | 'exporting' | 'importing' | 'verifying';
  readonly events: number;
  readonly fraction: number;
}

export type ReportProgress = (progress: MoveProgress) => void;

/** What an export holds. `bytes` is the size of its files. */
export interface ExportTotals {
  readonly storeId: string | undefined;
  readonly segments: number;
  readonly bytes: number;
  readonly events: number;
  readonly streams: number;
  readonly digest: string;
  /** When it was finished, RFC 3339 UTC; missing while it is not. */
  readonly finishedAt: string | undefined;
}

/** Takes the records of an export in their order; holds one number a stream, and no event. */
export class ExportChain {
  readonly #mayJump: boolean;
  readonly #nextRevisions = new Map<string, number>();
  /** Where the next record stands: before a header, behind one, behind the end record, behind a footer. */
  #place: 'between' | 'inside' | 'ended' | 'closed' = 'between';
  #header: SegmentHeader | undefined;
  #newest: SegmentFile | undefined;
  #lastPosition: Position | undefined;
  #end: EndRecord | undefined;
  #digest = EMPTY_DIGEST;
  #bytes = 0;
  #events = 0;
  #eventsInSegment = 0;

  /** @param mayJump whether a `stream` record may stand before a gap in a stream, as in a backup that took years */
  constructor({ mayJump = false }: { readonly mayJump?: boolean } = {}) {
    this.#mayJump = mayJump;
  }

  /** The newest whole segment. */
  get newest(): SegmentFile | undefined {
    return this.#newest;
  }

  /** Of the newest event. */
  get lastPosition(): Position | undefined {
    return this.#lastPosition;
  }

  get eventsInSegment(): number {
    return this.#eventsInSegment;
  }

  /** The revision that the stream's next event must have; `undefined` for a stream that has not come yet. */
  nextRevision(stream: string): number | undefined {
    return this.#nextRevisions.get(stream);
  }

  /** Every stream with the revision of its newest event. */
  *lastRevisions(): Generator<readonly [stream: string, revision: number]> {
    for (const [stream, next] of this.#nextRevisions) yield [stream, next - 1];
  }

  totals(): ExportTotals {
    return {
      storeId: this.#header?.store_id,
      segments: this.#newest?.number ?? 0,
      bytes: this.#bytes,
      events: this.#events,
      streams: this.#nextRevisions.size,
      digest: digestText(this.#digest),
      finishedAt: this.#end?.finished_at,
    };
  }

  /** @throws StoreError `corrupt` when the record cannot stand here */
  accept(record: SegmentRecord): void {
    switch (record.kind) {
      case 'header':
        this.#open(record);
        break;
      case 'stream':
        this.#addStream(record);
        break;
      case 'event':
        this.#addEvent(record.event);
        break;
      case 'end':
        this.#finish(record);
        break;
      case 'footer':
        this.#closeRecords(record);
        break;
    }
  }

  /** The segment is whole and has this name. */
  closeSegment(file: SegmentFile): void {
    refuseUnless(this.#place === 'closed', 'It is cut short: its last record is missing');
    this.#newest = file;
    this.#bytes += file.bytes;
    this.#place = 'between';
  }

  #open(header: SegmentHeader): void {
    refuseUnless(this.#place === 'between', 'A header stands in the middle of a segment');
    refuseUnless(this.#end === undefined, 'It follows the end of the export');
    const storeId = this.#header?.store_id ?? header.store_id;
    refuseUnless(
      header.store_id === storeId,
      `It is of another store, ${header.store_id} instead of ${storeId}`,
    );
    const expected = (this.#newest?.number ?? 0) + 1;
    refuseUnless(
      header.number === expected,
      `It is segment ${header.number}, where segment ${expected} belongs`,
    );
    refuseUnless(header.previous === this.#newest?.sha256, 'It does not continue the segment before it');
    this.#header = header;
    this.#eventsInSegment = 0;
    this.#place = 'inside';
  }

  #addStream({ stream, first_revision }: StreamRecord): void {
    this.#refuseOutside();
    const next = this.#nextRevisions.get(stream);
    const jumps = this.#mayJump && next !== undefined && first_revision > next;
    refuseUnless(next === undefined || jumps, `The stream ${stream} begins a second time`);
    this.#nextRevisions.set(stream, first_revision);
  }

  #addEvent(event: RecordedEvent): void {
    this.#refuseOutside();
    const { stream, revision, position } = event;
    const next = this.#nextRevisions.get(stream) ?? 0;
    refuseUnless(revision === next, `${placeOf(event)} stands where revision ${next} belongs`);
    const inOrder = this.#lastPosition === undefined || position > this.#lastPosition;
    refuseUnless(inOrder, `Position ${position} follows position ${this.#lastPosition}`);
    const isFirst = this.#eventsInSegment === 0;
    refuseUnless(!isFirst || position === this.#header?.first_position, 'Its first event is missing');
    this.#nextRevisions.set(stream, next + 1);
    this.#lastPosition = position;
    this.#events += 1;
    this.#eventsInSegment += 1;
    this.#digest = addDigests(this.#digest, digestOf(event));
  }

  #finish(end: EndRecord): void {
    this.#refuseOutside();
    const { events, streams, digest } = this.totals();
    const asCounted = end.events === events && end.streams === streams && end.digest === digest;
    refuseUnless(asCounted, 'The totals of the export are not those of its events');
    this.#end = end;
    this.#place = 'ended';
  }

  #closeRecords(footer: SegmentFooter): void {
    refuseUnless(this.#place === 'inside' || this.#place === 'ended', 'A footer stands outside of a segment');
    const last = this.#eventsInSegment === 0 ? undefined : this.#lastPosition;
    const asCounted = footer.events === this.#eventsInSegment && footer.last_position === last;
    refuseUnless(asCounted, 'Its footer counts other events than it has');
    this.#place = 'closed';
  }

  #refuseOutside(): void {
    refuseUnless(this.#place === 'inside', 'A record stands outside of a segment');
  }
}

/**
 * Reads all segments of a directory through a chain: checksums, order, counts, revisions.
 * @param visit sees every record after it has passed, but before its segment is known to be whole
 * @throws StoreError `corrupt` or `unsupported`, naming the file, for whatever is not as it was written
 */
export async function checkSegments(
  directory: SegmentDirectory,
  chain: ExportChain,
  { visit, onProgress }: { visit?: (record: SegmentRecord) => void; onProgress?: ReportProgress } = {},
): Promise<void> {
  const files = await directory.list();
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files) {
    for await (const record of readSegment(directory, file)) {
      explained(file, () => chain.accept(record));
      visit?.(record);
    }
    explained(file, () => chain.closeSegment(file));
    const totals = chain.totals();
    onProgress?.({ phase: 'checking', events: totals.events, fraction: totals.bytes / bytes });
  }
}

/**
 * The records of one segment, after its checksum has been found right: no record of an altered file is ever given.
 * @throws StoreError `corrupt` or `unsupported`
 */
export async function* readSegment(
  directory: SegmentDirectory,
  file: SegmentFile,
): AsyncGenerator<SegmentRecord> {
  if ((await sha256Of(directory.read(file))) !== file.sha256) {
    const detail = 'its checksum is not the one in its name, so it was altered or cut short';
    throw new StoreError('corrupt', `${file.name} is damaged: ${detail}.`);
  }
  yield* decodeSegment(directory.read(file), file.name);
}

function explained(file: SegmentFile, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `${file.name} does not belong here: ${error.message}`, { cause: error });
  }
}

function refuseUnless(holds: boolean, sentence: string): void {
  if (!holds) throw new StoreError('corrupt', `${sentence}.`);
}
