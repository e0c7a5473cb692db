/** Reads the segments of a backup, whole and in order, as far as its manifest says that they go. */

import {
  checkSegments,
  ExportChain,
  type ExportTotals,
  type ReportProgress,
} from '../segments/export-chain.ts';
import type { SegmentRecord } from '../segments/segment.ts';
import type { SegmentDirectory, SegmentFile } from '../segments/segment-directory.ts';
import { StoreError } from '../store-error.ts';
import type { BackupDirectory } from './backup-directory.ts';
import { type BackupManifest, type BackupRun, newestRun, parseManifest } from './backup-manifest.ts';
import { readState } from './backup-state.ts';

export function backupChain(): ExportChain {
  return new ExportChain({ mayJump: true });
}

/** @throws StoreError `corrupt` or `unsupported`; `invalid_request` when there is none */
export async function manifestOf(directory: BackupDirectory): Promise<BackupManifest> {
  const text = await directory.readManifest();
  if (text !== undefined) return parseManifest(text, directory.name);
  throw new StoreError(
    'invalid_request',
    `${directory.name} holds no finished backup: backup.json is missing.`,
  );
}

/** The segments of a run and of those before it; what an interrupted run left behind them is not among them. */
export function segmentsOf(directory: BackupDirectory, run: BackupRun): SegmentDirectory {
  const { events } = directory;
  return {
    name: events.name,
    list: async () => (await events.list()).filter(({ number }) => number <= run.segments),
    read: (file) => events.read(file),
    write: (number, bytes) => events.write(number, bytes),
  };
}

/**
 * Reads a whole backup: every byte, every count, and that its segments are those that the manifest names.
 * @param visit sees every record, in order, after the checksum of its file was found right
 * @throws StoreError `corrupt` or `unsupported`, naming the file; `invalid_request` when there is no finished backup
 */
export async function checkBackup(
  directory: BackupDirectory,
  options: { visit?: (record: SegmentRecord) => void; onProgress?: ReportProgress } = {},
): Promise<{ readonly manifest: BackupManifest; readonly totals: ExportTotals }> {
  const manifest = await manifestOf(directory);
  const run = newestRun(manifest);
  const chain = backupChain();
  const segments = segmentsOf(directory, run);
  refuseOthers(await segments.list(), run);
  await checkSegments(segments, chain, options);
  refuseDifferences(manifest, chain.totals());
  await checkStates(directory, manifest);
  return { manifest, totals: chain.totals() };
}

/**
 * Reads the states of all runs that the manifest names.
 * @throws StoreError `corrupt` or `unsupported`, naming the file
 */
export async function checkStates({ states }: BackupDirectory, { runs }: BackupManifest): Promise<void> {
  // A manifest may name a thousand of them: to list the files anew for each would take most of the time.
  const files = await states.list();
  const listed: SegmentDirectory = {
    name: states.name,
    list: async () => files,
    read: (file) => states.read(file),
    write: (number, bytes) => states.write(number, bytes),
  };
  for (const { number, state } of runs) {
    for await (const _record of readState(listed, number, state)) {
      // That it can be read is all that is asked.
    }
  }
}

/** @throws StoreError `corrupt` when the segments are not those that the manifest ends with */
export function refuseOthers(files: readonly SegmentFile[], { segments, last_segment }: BackupRun): void {
  const last = files.find(({ number }) => number === segments);
  if (segments === 0 || last?.sha256 === last_segment) return;
  const found = last ? 'is another one than the manifest names' : 'is missing';
  throw new StoreError('corrupt', `The backup is not whole: segment ${segments} ${found}.`);
}

function refuseDifferences(manifest: BackupManifest, totals: ExportTotals): void {
  const { events, digest } = newestRun(manifest);
  const sameStore = totals.storeId === undefined || totals.storeId === manifest.store_id;
  if (sameStore && totals.events === events && totals.digest === digest) return;
  throw new StoreError(
    'corrupt',
    'The backup is not whole: its events are not those that the manifest counts.',
  );
}
