/** Backs up the embedded event store, with what its bank remembers beside it, and restores it into an empty place. */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { openForBackup, openForRestore } from '../adapters/files/backup-directory.ts';
import { openBackupSource } from '../adapters/sqlite/backup-source.ts';
import { openRestoreTarget } from '../adapters/sqlite/restore-target.ts';
import { CLOUD_EVENT_PUBLISHER } from '../application/cloud-event-publisher.ts';
import { openReadModelReader, openReadModelStore, readThroughArchive } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import { checkBackup, manifestOf } from '../event-sourcing/backup/backup-chain.ts';
import type { BackupManifest, BackupRun } from '../event-sourcing/backup/backup-manifest.ts';
import type { ReactorRecord } from '../event-sourcing/backup/backup-state.ts';
import { readReactor, writeReactors } from '../event-sourcing/backup/reactor-state.ts';
import {
  planRestore,
  type RestorePlan,
  type RestorePoint,
  reactorRecords,
  restoreBackup,
} from '../event-sourcing/backup/restore-backup.ts';
import { wholeSource } from '../event-sourcing/backup/whole-source.ts';
import { type BackupResult, backUp } from '../event-sourcing/backup/write-backup.ts';
import type { ExportTotals, ReportProgress } from '../event-sourcing/segments/export-chain.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { type BankStores, partialOf, RestorePlace } from './restore-place.ts';

export {
  type BackupManifest,
  type BackupResult,
  type BackupRun,
  type BankStores,
  type RestorePoint,
  StoreError,
};

/**
 * Adds to a backup what came since its newest run; also while the bank runs.
 * @throws StoreError as `backUp` does; `unsupported` where the events are not in an embedded store's file
 */
export async function backUpStore(
  stores: BankStores,
  path: string,
  onProgress?: ReportProgress,
): Promise<BackupResult> {
  const file = embeddedFile(stores);
  const { source: live, close } = openBackupSource(file);
  const { reader, archive } = readThroughArchive(live, stores.archiveDir);
  const source = wholeSource(live, reader);
  try {
    const directory = await openForBackup(path);
    try {
      const reactors = () => publisherState(stores);
      const now = () => new Date();
      return await backUp({ source, directory, reactors, now, ...(onProgress && { onProgress }) });
    } finally {
      await directory.close();
    }
  } finally {
    close();
    await archive.catalogue.close();
  }
}

/** Reads a whole backup. @throws StoreError as `checkBackup` does */
export function checkBackupIn(
  path: string,
  onProgress?: ReportProgress,
): Promise<{ readonly manifest: BackupManifest; readonly totals: ExportTotals }> {
  return checkBackup(openForRestore(path), onProgress ? { onProgress } : {});
}

/** The runs that were finished; none where there is no backup yet. @throws StoreError when the manifest is damaged */
export async function finishedRuns(path: string): Promise<readonly BackupRun[]> {
  const directory = openForRestore(path);
  return (await directory.readManifest()) === undefined ? [] : (await manifestOf(directory)).runs;
}

/** @throws StoreError `unsupported` where backups are made by the server, or make no sense */
export function embeddedFile({ eventStore }: Pick<Config, 'eventStore'>): string {
  if (eventStore.kind === 'file') return eventStore.path;
  const why =
    eventStore.kind === 'memory'
      ? 'A store in memory is gone when its process ends.'
      : 'KurrentDB has backups of its own; docs/backup.md says how.';
  throw new StoreError('unsupported', `Backup and restore are for the embedded store. ${why}`);
}

export interface RestoredBank {
  readonly events: number;
  readonly streams: number;
  readonly last: RestorePlan['last'];
  /** When the state beside the events was as restored; missing where the point lies before the first run. */
  readonly stateAsOf: string | undefined;
  readonly storeId: string;
}

/**
 * Restores a backup where there is no bank.
 * @throws StoreError `invalid_request` when there is one, or the backup does not reach the point; `corrupt` for a backup
 *   that is not whole. Nothing of a bank is there then; the same call may be repeated.
 */
export async function restoreStore(
  stores: BankStores,
  path: string,
  to: RestorePoint | undefined,
  onProgress?: ReportProgress,
): Promise<RestoredBank> {
  const file = embeddedFile(stores);
  const place = new RestorePlace(stores);
  await place.refuseOccupied();
  const directory = openForRestore(path);
  const progress = onProgress && { onProgress };
  const plan = await planRestore(directory, to, onProgress);
  const { target, publish, close } = openRestoreTarget(file);
  try {
    await place.begin();
    const restored = await restoreBackup({ directory, target, plan, ...progress });
    // Before the events are there: without it a bank that publishes would begin with the first event.
    await restorePublisher(stores, reactorRecords(directory, plan), target.storeId, plan);
    publish();
    return { ...restored, last: plan.last, stateAsOf: plan.stateOf?.as_of, storeId: target.storeId };
  } finally {
    close();
    await place.end();
  }
}

/** Of the publisher of CloudEvents, wherever it keeps it. */
async function* publisherState({ publisherState: location }: BankStores): AsyncGenerator<ReactorRecord> {
  if (location.kind === 'memory') return;
  if (location.kind === 'file' && !existsSync(location.path)) return;
  const { readModels, close } = await openReadModelReader(location);
  try {
    yield* readReactor(CLOUD_EVENT_PUBLISHER, readModels);
  } finally {
    await close();
  }
}

async function restorePublisher(
  { publisherState: location }: BankStores,
  records: AsyncGenerator<ReactorRecord>,
  storeId: string,
  plan: RestorePlan,
): Promise<void> {
  const first = await records.next();
  if (first.done) return;
  const all = (async function* () {
    yield first.value;
    yield* records;
  })();
  const partial = location.kind === 'file' ? partialOf(location.path) : undefined;
  const store = await openReadModelStore(partial === undefined ? location : { kind: 'file', path: partial });
  try {
    await writeReactors(all, { store, storeId, last: plan.head });
  } finally {
    await store.close();
  }
  if (partial !== undefined && location.kind === 'file') await rename(partial, location.path);
}
