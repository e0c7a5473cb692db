/** Writes the events of a store into segments, in the order of the log, and goes on where it was interrupted. */
import { ARCHIVE_STREAM_PREFIX } from '../archive/archive-catalogue.ts';
import type { EventReader, EventStore, Position, RecordedEvent, StreamMetadata } from '../event-store.ts';
import { SNAPSHOT_STREAM_PREFIX } from '../snapshots/snapshot-streams.ts';
import { StoreError } from '../store-error.ts';
import { checkSegments, ExportChain, type ExportTotals, type ReportProgress } from './export-chain.ts';
import type { StreamRecord } from './segment.ts';
import { type Exported, type SegmentWriterOptions, writeSegments } from './segment-writer.ts';

/** What an export reads. */
export type ExportSource = EventReader & Pick<EventStore, 'getStreamMetadata'>;

export interface ExportOptions extends Omit<SegmentWriterOptions, 'storeId'> {
  readonly source: ExportSource;
  readonly onProgress?: ReportProgress;
}

export interface ExportResult extends ExportTotals {
  /** Events that an earlier, interrupted run had written already. */
  readonly eventsBefore: number;
}

/** Snapshots are made anew; what lies in the archive is exported with the rest, without its catalogue; names that begin with `$` are the server's own. */
const LEFT_OUT = [SNAPSHOT_STREAM_PREFIX, ARCHIVE_STREAM_PREFIX, '$'];
/** Events looked at together; the beginnings of their streams are asked for at the same time. */
const PAGE_EVENTS = 128;
const REPORT_EVERY_EVENTS = 1_000;

/**
 * Exports what the store holds now: later events are not part of it. A finished export is left as it is.
 * @throws StoreError `invalid_request` when the directory holds another store's export, `corrupt` when it is damaged,
 *   `disk_full` or `unavailable` when the directory or the store fails; the same call goes on afterwards.
 */
export async function exportLog(options: ExportOptions): Promise<ExportResult> {
  const { source, directory, onProgress } = options;
  const chain = new ExportChain();
  await checkSegments(directory, chain, onProgress ? { onProgress } : {});
  const before = chain.totals();
  if (before.storeId !== undefined && before.storeId !== source.storeId) {
    const detail = `it is of the store ${before.storeId}, and this one is ${source.storeId}`;
    throw new StoreError('invalid_request', `${directory.name} holds another export: ${detail}.`);
  }
  if (before.finishedAt === undefined) await new LogExport(options, chain).run();
  return { ...chain.totals(), eventsBefore: before.events };
}

interface StreamStart {
  readonly metadata: StreamMetadata;
  /** The first revision that can be read, infinite when none can. */
  readonly first: number;
}

class LogExport {
  readonly #options: ExportOptions;
  readonly #chain: ExportChain;

  constructor(options: ExportOptions, chain: ExportChain) {
    this.#options = options;
    this.#chain = chain;
  }

  async run(): Promise<void> {
    const { source } = this.#options;
    // Fixed at the start, so that an export of a busy bank ends.
    const head = (await source.headPosition()) ?? 0n;
    const { storeId } = source;
    await writeSegments({ ...this.#options, storeId }, this.#chain, this.#eventsUpTo(head));
  }

  /** What is to be exported, from behind the newest exported event up to `head`. */
  async *#eventsUpTo(head: Position): AsyncGenerator<Exported> {
    const after = this.#chain.lastPosition;
    const from = after === undefined ? {} : { from: after };
    let seen = 0;
    for await (const page of pagesOf(this.#options.source.readAll(from), PAGE_EVENTS)) {
      const starts = await this.#startsOf(page);
      for (const event of page) {
        if (event.position > head) return;
        seen += 1;
        if (seen % REPORT_EVERY_EVENTS === 0) this.#report(event.position, head);
        if (after !== undefined && event.position <= after) continue;
        if (!isCarried(event)) continue;
        const next = this.#chain.nextRevision(event.stream);
        if (next !== undefined) {
          refuseGap(event, next);
          yield { event };
          continue;
        }
        const start = starts.get(event.stream);
        // A server's log may still show what the stream itself no longer does.
        if (start && event.revision >= start.first)
          yield { event, start: startRecord(event, start.metadata) };
      }
    }
  }

  /** The beginnings of the streams that have not come yet, all asked for at once. */
  async #startsOf(page: readonly RecordedEvent[]): Promise<ReadonlyMap<string, StreamStart>> {
    const unseen = new Set<string>();
    for (const event of page) {
      if (isCarried(event) && this.#chain.nextRevision(event.stream) === undefined) unseen.add(event.stream);
    }
    const asked = [...unseen].map(async (stream) => [stream, await this.#startOf(stream)] as const);
    return new Map(await Promise.all(asked));
  }

  async #startOf(stream: string): Promise<StreamStart> {
    const { source } = this.#options;
    const metadata = await source.getStreamMetadata(stream);
    let first = Number.POSITIVE_INFINITY;
    for await (const event of source.readStream(stream, { limit: 1 })) first = event.revision;
    return { metadata, first };
  }

  #report(position: Position, head: Position): void {
    const { events } = this.#chain.totals();
    this.#options.onProgress?.({ phase: 'exporting', events, fraction: Number(position) / Number(head) });
  }
}

function isCarried({ stream }: RecordedEvent): boolean {
  return !LEFT_OUT.some((prefix) => stream.startsWith(prefix));
}

/** Only a stream's beginning can be missing; a hole means that something was cut off while we were reading. */
function refuseGap(event: RecordedEvent, next: number): void {
  if (event.revision <= next) return;
  const what = `${event.stream} lost its events before revision ${event.revision} while it was exported`;
  throw new StoreError('invalid_request', `${what}; export into an empty directory again.`);
}

/** Most streams begin at revision 0 and have no metadata: nothing need be said of them. */
function startRecord(
  { stream, revision }: RecordedEvent,
  metadata: StreamMetadata,
): StreamRecord | undefined {
  if (revision === 0 && Object.keys(metadata).length === 0) return undefined;
  return { kind: 'stream', stream, first_revision: revision, stream_metadata: metadata };
}

async function* pagesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
