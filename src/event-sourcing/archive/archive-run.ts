/**
 * Moves the beginnings of streams into the archive: written, read back and compared, entered into the catalogue, and only
 * then cut off. Whatever step it is interrupted at, the next run cleans up or goes on, and no event is ever in neither.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventStore, Position, RecordedEvent } from '../event-store.ts';
import {
  addDigests,
  digestOf,
  digestText,
  EMPTY_DIGEST,
  type EventDigest,
} from '../segments/event-digest.ts';
import type { Exported } from '../segments/segment-writer.ts';
import { StoreError } from '../store-error.ts';
import type { ArchiveCatalogue, CataloguedVolume } from './archive-catalogue.ts';
import type { ArchiveStorage, ArchiveWriter, VolumeRecord } from './archive-storage.ts';

/** What is cut off from a stream: its events from `first` on that come before `cutBefore`, where it is summed up. */
export interface StreamCut {
  readonly first: number;
  readonly cutBefore: number;
  /** Of the event at `first`. */
  readonly firstPosition: Position;
}

/** A place at which a run may be interrupted; `cut` comes after every group of streams. */
export type ArchiveStep = 'written' | 'verified' | 'recorded' | 'cut' | 'finished';

export interface ArchiveRunOptions {
  /** Without its archive. */
  readonly live: EventStore;
  readonly storage: ArchiveStorage;
  readonly catalogue: ArchiveCatalogue;
  readonly newId: () => string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Called after each step; what it throws interrupts the run there. */
  readonly onStep?: (step: ArchiveStep) => void | Promise<void>;
}

/** Streams that are cut at the same time. */
const CUT_TOGETHER = 16;
/** Events between two looks whether the run is to end. */
const EVENTS_PER_LOOK = 1_000;

/** What has been seen of a stream, to be found again in what was written. */
interface Seen {
  events: number;
  digest: EventDigest;
}

/**
 * Finishes what an earlier run has left: volumes on record whose events were not all cut off.
 * @returns how many volumes
 * @throws StoreError `corrupt` when such a volume is not there as it was written; nothing is cut then
 */
export async function finishCuts(options: ArchiveRunOptions): Promise<number> {
  const { catalogue } = options;
  await catalogue.refresh();
  const open = catalogue.volumes.filter(({ cut }) => !cut);
  for (const volume of open) await cutOff(options, volume);
  return open.length;
}

/**
 * Archives pieces of streams, as one volume.
 * @param cuts one entry a stream is in memory meanwhile, so their number must be bounded
 * @throws StoreError `disk_full`, `unavailable`, `in_use`, `busy` or `corrupt`: unless the volume is on record, nothing
 *   was cut, and nothing is left behind
 */
export async function archiveStreams(
  options: ArchiveRunOptions,
  cuts: ReadonlyMap<string, StreamCut>,
): Promise<VolumeRecord> {
  const { storage, catalogue, onStep } = options;
  await catalogue.refresh();
  const writer = await storage.openForWriting();
  let record: VolumeRecord;
  try {
    record = await writeAndRecord(options, cuts, writer);
  } finally {
    await writer.close();
  }
  await onStep?.('recorded');
  const volume = catalogue.volumes.find((one) => one.record.volume === record.volume);
  if (volume) await cutOff(options, volume);
  return record;
}

async function writeAndRecord(
  options: ArchiveRunOptions,
  cuts: ReadonlyMap<string, StreamCut>,
  writer: ArchiveWriter,
): Promise<VolumeRecord> {
  const { live, storage, catalogue, newId, now, onStep } = options;
  const name = `${String(catalogue.volumes.length + 1).padStart(8, '0')}-${newId().slice(-8)}`;
  const seen = new Map<string, Seen>();
  const record = await writer.write(name, live.storeId, eventsToArchive(options, cuts, seen));
  let recorded = false;
  try {
    await onStep?.('written');
    await verify(storage, record, cuts, seen);
    await onStep?.('verified');
    await catalogue.record(record, { store: live, newId, now });
    recorded = true;
    return record;
  } catch (error) {
    // Unless it is known that nobody has it on record, it must stay: an entry may be durable without an answer.
    await catalogue.refresh().catch(() => {
      recorded = true;
    });
    recorded ||= catalogue.volumes.some((one) => one.record.volume === name);
    if (!recorded) await writer.discard(name).catch(() => undefined);
    throw error;
  }
}

/** All that is to be cut off, in the order of the log. @throws StoreError `corrupt` when not all of it is there */
async function* eventsToArchive(
  { live, signal }: ArchiveRunOptions,
  cuts: ReadonlyMap<string, StreamCut>,
  seen: Map<string, Seen>,
): AsyncGenerator<Exported> {
  let from: Position | undefined;
  let missing = 0;
  for (const { first, cutBefore, firstPosition } of cuts.values()) {
    if (from === undefined || firstPosition < from) from = firstPosition;
    missing += cutBefore - first;
  }
  if (from === undefined) return;
  let read = 0;
  for await (const event of live.readAll({ from })) {
    read += 1;
    if (read % EVENTS_PER_LOOK === 0) await letOthers(signal);
    const cut = cuts.get(event.stream);
    // A server may go on showing what was cut off before.
    if (!cut || event.revision < cut.first || event.revision >= cut.cutBefore) continue;
    yield { event, start: startOf(event, seen) };
    note(seen, event);
    missing -= 1;
    if (missing === 0) return;
  }
  throw new StoreError('corrupt', `${missing} events that belong to the streams are not in the log.`);
}

function startOf({ stream, revision }: RecordedEvent, seen: ReadonlyMap<string, Seen>) {
  if (revision === 0 || seen.has(stream)) return undefined;
  return { kind: 'stream', stream, first_revision: revision, stream_metadata: {} } as const;
}

function note(seen: Map<string, Seen>, event: RecordedEvent): void {
  const { events, digest } = seen.get(event.stream) ?? { events: 0, digest: EMPTY_DIGEST };
  seen.set(event.stream, { events: events + 1, digest: addDigests(digest, digestOf(event)) });
}

/** Reads the volume as it will be read, and compares it, stream by stream, with what the store gave. */
async function verify(
  storage: ArchiveStorage,
  record: VolumeRecord,
  cuts: ReadonlyMap<string, StreamCut>,
  seen: ReadonlyMap<string, Seen>,
): Promise<void> {
  const refuse = (detail: string) => {
    throw new StoreError('corrupt', `${record.volume} was not written as it should be: ${detail}.`);
  };
  const volume = await storage.open(record);
  try {
    const found = new Map<string, Seen>();
    let total = EMPTY_DIGEST;
    for await (const event of volume.readAll({ from: 0n, direction: 'forwards' })) {
      note(found, event);
      total = addDigests(total, digestOf(event));
    }
    for (const [stream, { first, cutBefore }] of cuts) {
      const [there, here] = [found.get(stream), seen.get(stream)];
      if (there?.events !== cutBefore - first) refuse(`${stream} has ${there?.events ?? 0} events in it`);
      if (there?.digest !== here?.digest) refuse(`the events of ${stream} are others`);
      const piece = volume.pieceOf(stream);
      if (piece?.first !== first || piece.cutBefore !== cutBefore) refuse(`${stream} is not in its index`);
    }
    if (found.size !== cuts.size || record.digest !== digestText(total)) refuse('it has other events');
  } finally {
    volume.close();
  }
}

/** Idempotent: a stream that is cut there, or later, stays as it is. */
async function cutOff(options: ArchiveRunOptions, { record, open }: CataloguedVolume): Promise<void> {
  const { live, storage, catalogue, newId, now, signal, onStep } = options;
  // It may have been recorded by a process that is gone, and a long time ago.
  await storage.check(record);
  let group: Promise<void>[] = [];
  for await (const { stream, cutBefore } of (await open()).pieces()) {
    group.push(truncate(live, stream, cutBefore));
    if (group.length < CUT_TOGETHER) continue;
    await Promise.all(group);
    group = [];
    await onStep?.('cut');
    await letOthers(signal);
  }
  await Promise.all(group);
  await onStep?.('cut');
  await catalogue.recordCut(record.volume, { store: live, newId, now });
  await onStep?.('finished');
}

async function truncate(live: EventStore, stream: string, cutBefore: number): Promise<void> {
  const metadata = await live.getStreamMetadata(stream);
  if ((metadata.truncateBefore ?? 0) >= cutBefore) return;
  await live.setStreamMetadata(stream, { ...metadata, truncateBefore: cutBefore });
}

/** Others get their turn, and the run ends if it is to. */
async function letOthers(signal: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal.aborted) throw new StoreError('closed', 'The archive run was ended; the next one goes on.');
}
