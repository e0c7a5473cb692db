/** The records of a segment and their lines: the one format that carries events out of a store. See docs/segment-format.md. */
import { z } from 'zod';
import type { EventMetadata, RecordedEvent, StreamMetadata } from '../event-store.ts';
import { StoreError } from '../store-error.ts';

const SEGMENT_FORMAT = 'openbank-segment';
/** Grows when an older program could misread what a newer one writes. */
const SEGMENT_VERSION = 1;

/** No line is longer, in characters, so that a reader's memory stays bounded; a store takes far smaller events. */
export const LINE_LENGTH_MAX = 32 * 1024 * 1024;

const position = z
  .string()
  .regex(/^\d{1,40}$/)
  .transform(BigInt);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const plainObject = z.custom<object>((value) => typeof value === 'object' && value !== null);

const headerSchema = z.object({
  kind: z.literal('header'),
  store_id: z.string().min(1),
  /** From 1. */
  number: z.int().min(1),
  created_at: z.string(),
  /** Missing in a segment without events. */
  first_position: position.optional(),
  /** SHA-256 of the previous segment's file; missing in the first one. */
  previous: sha256.optional(),
});

const streamSchema = z.object({
  kind: z.literal('stream'),
  stream: z.string().min(1),
  first_revision: count,
  stream_metadata: z.object({
    maxCount: z.int().min(1).optional(),
    maxAge: z.int().min(1).optional(),
    truncateBefore: count.optional(),
  }),
});

const eventSchema = z.object({
  kind: z.literal('event'),
  stream: z.string().min(1),
  revision: count,
  position,
  id: z.string().min(1),
  type: z.string(),
  recorded_at: z.string(),
  data: plainObject,
  metadata: plainObject,
});

const endSchema = z.object({
  kind: z.literal('end'),
  finished_at: z.string(),
  events: count,
  streams: count,
  /** Of all events, see event-digest.ts. */
  digest: sha256,
});

const footerSchema = z.object({
  kind: z.literal('footer'),
  /** Of this segment alone. */
  events: count,
  last_position: position.optional(),
});

const recordSchema = z.discriminatedUnion('kind', [
  headerSchema,
  streamSchema,
  eventSchema,
  endSchema,
  footerSchema,
]);

/** First line of every segment. `number` counts from 1; `previous` is the SHA-256 of the file before. */
export type SegmentHeader = z.output<typeof headerSchema>;
/** Stands before the first event of a stream that does not begin at revision 0 or has metadata of its own. */
export type StreamRecord = Omit<z.output<typeof streamSchema>, 'stream_metadata'> & {
  readonly stream_metadata: StreamMetadata;
};
export interface EventRecord {
  readonly kind: 'event';
  readonly event: RecordedEvent;
}
/** Stands in the last segment only, as its last line but one: the export is complete, and this is what it holds. */
export type EndRecord = z.output<typeof endSchema>;
/** Last line of every segment. */
export type SegmentFooter = z.output<typeof footerSchema>;
export type SegmentRecord = SegmentHeader | StreamRecord | EventRecord | EndRecord | SegmentFooter;

/**
 * The line of a record, with its newline.
 * @throws StoreError `invalid_request` for an event that is too large for a line.
 */
export function toLine(record: SegmentRecord): string {
  const line = `${JSON.stringify(plainOf(record), bigintAsString)}\n`;
  if (line.length <= LINE_LENGTH_MAX) return line;
  const what = record.kind === 'event' ? `${placeOf(record.event)} is` : `A ${record.kind} record is`;
  throw new StoreError('invalid_request', `${what} larger than ${LINE_LENGTH_MAX} characters of JSON.`);
}

/** The name of an event for people: its stream and revision. */
export function placeOf({ stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>): string {
  return `Revision ${revision} of ${stream}`;
}

/**
 * Reads a line without its newline.
 * @param place file and line for messages
 * @throws StoreError `corrupt` when it is not a record, `unsupported` when a newer program wrote it.
 */
export function parseLine(line: string, place: string): SegmentRecord {
  const json = jsonOf(line);
  refuseForeign(json, place);
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'kind';
    throw new StoreError('corrupt', `${place}: not a record of a segment (${field}: ${issue?.message}).`);
  }
  const record = parsed.data;
  if (record.kind === 'event') return { kind: 'event', event: toEvent(record) };
  return record as Exclude<SegmentRecord, EventRecord>;
}

function plainOf(record: SegmentRecord): object {
  if (record.kind === 'header') {
    const { kind, ...rest } = record;
    return { kind, format: SEGMENT_FORMAT, version: SEGMENT_VERSION, ...rest };
  }
  if (record.kind !== 'event') return record;
  const { stream, revision, id, type, recordedAt, data, metadata } = record.event;
  const { position } = record.event;
  return { kind: 'event', stream, revision, position, id, type, recorded_at: recordedAt, data, metadata };
}

/** A `bigint` has no JSON; only positions are one. */
function bigintAsString(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function refuseForeign(json: unknown, place: string): void {
  const { kind, format, version } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (kind !== 'header') return;
  if (format !== SEGMENT_FORMAT) {
    throw new StoreError('corrupt', `${place}: not a segment of an OpenBank export.`);
  }
  if (version === SEGMENT_VERSION) return;
  const detail = `it has format ${version}, and this program reads format ${SEGMENT_VERSION}`;
  throw new StoreError('unsupported', `${place}: written by another version of OpenBank: ${detail}.`);
}

function toEvent(record: z.output<typeof eventSchema>): RecordedEvent {
  const { stream, revision, id, type, recorded_at, data, metadata } = record;
  return {
    id,
    type,
    stream,
    revision,
    position: record.position,
    recordedAt: recorded_at,
    data,
    metadata: metadata as EventMetadata,
  };
}
