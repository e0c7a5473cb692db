/** Writes events into one segment after the other; the segment in which they run out tells the totals. */
import type { RecordedEvent } from '../event-store.ts';
import type { ExportChain } from './export-chain.ts';
import { type SegmentRecord, type StreamRecord, toLine } from './segment.ts';
import type { SegmentDirectory } from './segment-directory.ts';
import { compressLines } from './segment-stream.ts';

/** An event, and before a stream's first one what is special about that stream. */
export interface Exported {
  readonly event: RecordedEvent;
  readonly start?: StreamRecord | undefined;
}

export interface SegmentWriterOptions {
  /** Names the store that the events come from. */
  readonly storeId: string;
  readonly directory: SegmentDirectory;
  readonly now: () => Date;
  /** Events after which a segment is closed; an interruption costs at most one segment's work. Default 50,000. */
  readonly segmentEvents?: number;
  /** Characters of JSON after which a segment is closed. Default 64 Mi. */
  readonly segmentLength?: number;
  /** Whether more is added some day: then nothing is written where there is no event, and no totals. Default false. */
  readonly goesOn?: boolean;
  /** How the lines of the segment with that number become bytes; default: one piece of gzip. */
  readonly compress?: (lines: AsyncIterable<string>, number: number) => AsyncIterable<Uint8Array>;
}

/**
 * Writes until the events have run out.
 * @param chain stands behind what the directory holds already, and behind the whole export afterwards
 * @throws StoreError what the directory, the chain or `exported` throws
 */
export async function writeSegments(
  options: SegmentWriterOptions,
  chain: ExportChain,
  exported: AsyncGenerator<Exported>,
): Promise<void> {
  const { directory, compress = compressLines } = options;
  try {
    let next = await exported.next();
    while (options.goesOn ? !next.done : chain.totals().finishedAt === undefined) {
      const number = (chain.newest?.number ?? 0) + 1;
      const lines = segment(options, chain, number, next, exported);
      const file = await directory.write(number, compress(lines, number));
      chain.closeSegment(file);
      next = await exported.next();
    }
  } finally {
    await exported.return(undefined);
  }
}

async function* segment(
  options: SegmentWriterOptions,
  chain: ExportChain,
  number: number,
  first: IteratorResult<Exported, void>,
  exported: AsyncGenerator<Exported>,
): AsyncGenerator<string> {
  const { storeId, now, segmentEvents = 50_000, segmentLength = 64 * 1024 * 1024 } = options;
  const line = (record: SegmentRecord): string => {
    chain.accept(record);
    return toLine(record);
  };
  let next = first;
  yield line({
    kind: 'header',
    store_id: storeId,
    number,
    created_at: now().toISOString(),
    ...(next.done ? {} : { first_position: next.value.event.position }),
    ...(chain.newest ? { previous: chain.newest.sha256 } : {}),
  });
  let length = 0;
  while (!next.done) {
    const { start, event } = next.value;
    const lines = (start ? line(start) : '') + line({ kind: 'event', event });
    length += lines.length;
    yield lines;
    if (chain.eventsInSegment >= segmentEvents || length >= segmentLength) break;
    next = await exported.next();
  }
  if (next.done && !options.goesOn) yield line(endRecord(chain, now));
  const events = chain.eventsInSegment;
  const last_position = chain.lastPosition;
  yield line({ kind: 'footer', events, ...(events > 0 && last_position ? { last_position } : {}) });
}

function endRecord(chain: ExportChain, now: () => Date): SegmentRecord {
  const { events, streams, digest } = chain.totals();
  return { kind: 'end', finished_at: now().toISOString(), events, streams, digest };
}
