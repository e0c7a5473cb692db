/** What a backup keeps beside the events: settings of streams, consumer groups, and what reactors remember. */
import { z } from 'zod';
import type { Position, StreamMetadata } from '../event-store.ts';
import type { DeadLetter, StoredDocument } from '../read-model-store.ts';
import type { SegmentDirectory } from '../segments/segment-directory.ts';
import { compressLines, gunzipLines, sha256Of } from '../segments/segment-stream.ts';
import { StoreError } from '../store-error.ts';

/** A stream of which something was removed, or that has settings. */
export interface StreamState {
  readonly kind: 'stream';
  readonly stream: string;
  /** The first revision that can be read, even where there is none yet. */
  readonly first_revision: number;
  /** -1 where nothing was removed. Revisions go on behind it, whatever became of the events. */
  readonly last_removed_revision: number;
  readonly stream_metadata: StreamMetadata;
}

/** A consumer group. `settings` are the store's own words. */
export interface GroupState {
  readonly kind: 'group';
  readonly name: string;
  readonly settings: string;
  readonly checkpoint: number;
  readonly delivered_to: number;
}

/** A message of the group before it that its checkpoint does not tell enough of, such as a parked one. */
export interface MessageState {
  readonly kind: 'message';
  readonly group: string;
  readonly position: number;
  readonly state: string;
  readonly deliveries: number;
  readonly parked_at: number | null;
  readonly reason: string | null;
}

/** How far a reactor has told the outside world. */
export interface ReactorState {
  readonly kind: 'reactor';
  readonly name: string;
  readonly position: Position;
}

/** A stream that a reactor holds back. */
export interface HeldState {
  readonly kind: 'held';
  readonly reactor: string;
  readonly stored: StoredDocument;
}

/** An event that a reactor has parked. */
export interface ParkedState {
  readonly kind: 'parked';
  readonly letter: DeadLetter;
}

export type StateRecord = StreamState | GroupState | MessageState | ReactorState | HeldState | ParkedState;

/** Those of reactors: they tell of the outside world, which no restore takes back. */
export type ReactorRecord = ReactorState | HeldState | ParkedState;

export function isReactorRecord(record: StateRecord): record is ReactorRecord {
  return record.kind === 'reactor' || record.kind === 'held' || record.kind === 'parked';
}

const FORMAT = 'openbank-backup-state';
const VERSION = 1;

const position = z
  .string()
  .regex(/^\d{1,40}$/)
  .transform(BigInt);
const count = z.int().min(0);
const text = z.string().min(1);

const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('header'), format: z.literal(FORMAT), version: z.int() }),
  z.object({
    kind: z.literal('stream'),
    stream: text,
    first_revision: count,
    last_removed_revision: z.int().min(-1),
    stream_metadata: z.object({
      maxCount: z.int().min(1).optional(),
      maxAge: z.int().min(1).optional(),
      truncateBefore: count.optional(),
    }),
  }),
  z.object({ kind: z.literal('group'), name: text, settings: text, checkpoint: count, delivered_to: count }),
  z.object({
    kind: z.literal('message'),
    group: text,
    position: count,
    state: text,
    deliveries: count,
    parked_at: z.number().nullable(),
    reason: z.string().nullable(),
  }),
  z.object({ kind: z.literal('reactor'), name: text, position }),
  z.object({
    kind: z.literal('held'),
    reactor: text,
    stored: z.object({
      key: text,
      sequence: position,
      position,
      document: z.record(z.string(), z.unknown()).optional(),
      blocked: z.boolean(),
    }),
  }),
  z.object({
    kind: z.literal('parked'),
    letter: z.object({
      projection: text,
      documentKey: text,
      position,
      stream: text,
      revision: count,
      eventId: text,
      eventType: z.string(),
      cause: z.string(),
      attempts: count,
      deadSince: z.string(),
    }),
  }),
]);

/** The bytes of a state file. */
export async function* stateBytes(records: AsyncIterable<StateRecord>): AsyncGenerator<Uint8Array> {
  yield* compressLines(linesOf(records));
}

async function* linesOf(records: AsyncIterable<StateRecord>): AsyncGenerator<string> {
  yield lineOf({ kind: 'header', format: FORMAT, version: VERSION });
  for await (const record of records) yield lineOf(record);
}

function lineOf(record: object): string {
  return `${JSON.stringify(record, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}\n`;
}

/**
 * Reads the state of a run, after its checksum has been found right.
 * @param sha256 what the manifest says
 * @throws StoreError `corrupt` or `unsupported`, naming the file
 */
export async function* readState(
  states: SegmentDirectory,
  number: number,
  sha256: string,
): AsyncGenerator<StateRecord> {
  const file = (await states.list()).find((one) => one.number === number && one.sha256 === sha256);
  if (!file) {
    throw new StoreError('corrupt', `The backup is not whole: the state of run ${number} is missing.`);
  }
  if ((await sha256Of(states.read(file))) !== sha256) {
    const detail = 'its checksum is not the one in its name, so it was altered or cut short';
    throw new StoreError('corrupt', `${file.name} is damaged: ${detail}.`);
  }
  for await (const line of gunzipLines(states.read(file), file.name)) {
    const record = parseRecord(line, file.name);
    if (record.kind !== 'header') yield record as StateRecord;
    else if (record.version !== VERSION) {
      const detail = `it has format ${record.version}, and this program reads format ${VERSION}`;
      throw new StoreError('unsupported', `${file.name} is of another version of OpenBank: ${detail}.`);
    }
  }
}

function parseRecord(line: string, name: string): z.output<typeof recordSchema> {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new StoreError('corrupt', `${name} holds what is no record of a backup's state.`, { cause: error });
  }
}
