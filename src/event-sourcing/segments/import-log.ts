/** Writes an export into an empty store, goes on where it was interrupted, and compares all of it in the end. */

import type { EventStore, RecordedEvent, StreamMetadata } from '../event-store.ts';
import { fillerEvent } from '../filler-event.ts';
import { StoreError } from '../store-error.ts';
import { AppendBatch } from './append-batch.ts';
import { digestText } from './event-digest.ts';
import {
  checkSegments,
  ExportChain,
  type ExportTotals,
  type ReportProgress,
  readSegment,
} from './export-chain.ts';
import type { SegmentRecord, StreamRecord } from './segment.ts';
import type { SegmentDirectory } from './segment-directory.ts';
import { StoreContents } from './store-contents.ts';

export interface ImportOptions {
  readonly directory: SegmentDirectory;
  /** Nobody else may write to it meanwhile. */
  readonly target: EventStore;
  /** Whether the target writes appends in the order in which they are issued; see `AppendBatch`. */
  readonly keepsOrder: boolean;
  readonly onProgress?: ReportProgress;
}

export interface ImportResult extends ExportTotals {
  /** Events that an earlier, interrupted run had written already. */
  readonly eventsBefore: number;
}

const REPORT_EVERY_EVENTS = 1_000;

/**
 * Checks that a directory holds a whole export: every byte, every count, the end.
 * @param visit sees every record
 * @throws StoreError `corrupt`, `unsupported`, or `invalid_request` when the export was never finished
 */
export async function checkExport(
  directory: SegmentDirectory,
  onProgress?: ReportProgress,
  visit?: (record: SegmentRecord) => void,
): Promise<ExportChain> {
  const chain = new ExportChain();
  await checkSegments(directory, chain, { ...(visit && { visit }), ...(onProgress && { onProgress }) });
  if (chain.totals().finishedAt !== undefined) return chain;
  const detail = `its last segment is missing, or the export was interrupted behind segment ${chain.totals().segments}`;
  throw new StoreError('invalid_request', `${directory.name} holds no finished export: ${detail}.`);
}

/**
 * Imports a whole export; nothing is appended before all of it was found right. The target is empty, or holds the
 * beginning of this very export.
 * @throws StoreError `invalid_request` (other events in the target, or an unfinished export), `corrupt` or
 *   `unsupported` (a damaged export, or a target that in the end does not hold what was exported), or what the target
 *   threw; after an interruption the same call goes on.
 */
export async function importLog(options: ImportOptions): Promise<ImportResult> {
  const { directory, target, onProgress } = options;
  const held = await StoreContents.of(target);
  const comparison = held.comparison();
  const special: StreamRecord[] = [];
  const chain = await checkExport(directory, onProgress, (record) => {
    comparison.show(record);
    if (record.kind === 'stream') special.push(record);
  });
  comparison.refuseOthers();
  await new LogImport(options, held, chain.totals().events).run();
  await refuseDifferences(target, chain, onProgress);
  // Last, because it hides events that the comparison must see: the fillers, and what grows too old.
  for (const record of special) await target.setStreamMetadata(record.stream, metadataOf(record));
  return { ...chain.totals(), eventsBefore: held.events };
}

class LogImport {
  readonly #options: ImportOptions;
  readonly #held: StoreContents;
  readonly #batch: AppendBatch;
  readonly #total: number;
  #events = 0;

  constructor(options: ImportOptions, held: StoreContents, total: number) {
    this.#options = options;
    this.#held = held;
    this.#batch = new AppendBatch(options.target, options.keepsOrder);
    this.#total = total;
  }

  async run(): Promise<void> {
    const { directory } = this.#options;
    for (const file of await directory.list()) {
      for await (const record of readSegment(directory, file)) {
        if (record.kind === 'stream') await this.#fillUp(record);
        if (record.kind === 'event') await this.#append(record.event);
      }
    }
    await this.#batch.flush();
  }

  async #append(event: RecordedEvent): Promise<void> {
    if (!this.#held.has(event.stream, event.revision)) await this.#batch.add(event);
    this.#events += 1;
    if (this.#events % REPORT_EVERY_EVENTS !== 0) return;
    const { onProgress } = this.#options;
    onProgress?.({ phase: 'importing', events: this.#events, fraction: this.#events / this.#total });
  }

  /** Takes the places of what the stream had before its first exported event. */
  async #fillUp({ stream, first_revision }: StreamRecord): Promise<void> {
    // A stream begins only after what came before it.
    await this.#batch.flush();
    const present = this.#held.lastRevision(stream) ?? -1;
    for (let revision = present + 1; revision < first_revision; revision += 1) {
      await this.#batch.add(fillerEvent(stream, revision));
    }
    await this.#batch.flush();
  }
}

/** @throws StoreError `corrupt`, naming what differs */
async function refuseDifferences(
  target: EventStore,
  chain: ExportChain,
  onProgress: ReportProgress | undefined,
): Promise<void> {
  const { events, digest } = chain.totals();
  const found = await StoreContents.of(target, (read) =>
    onProgress?.({ phase: 'verifying', events: read, fraction: Math.min(1, read / events) }),
  );
  for (const [stream, last] of chain.lastRevisions()) {
    const actual = found.lastRevision(stream) ?? 'missing';
    if (actual !== last) throw differs(`${stream} is at revision ${actual}, not at ${last}`);
  }
  if (found.events !== events) throw differs(`it has ${found.events} events, not ${events}`);
  if (digestText(found.digest) !== digest) throw differs('the checksum over all events is another one');
}

function differs(detail: string): StoreError {
  return new StoreError('corrupt', `The store does not hold what was exported: ${detail}.`);
}

function metadataOf({ first_revision, stream_metadata }: StreamRecord): StreamMetadata {
  const truncateBefore = Math.max(first_revision, stream_metadata.truncateBefore ?? 0);
  return truncateBefore === 0 ? stream_metadata : { ...stream_metadata, truncateBefore };
}
