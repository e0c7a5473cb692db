/** Carries all events from the configured store into a directory, from one into the configured store, or into another form. */
import { openForExport, openForImport } from '../adapters/files/segment-directory.ts';
import { type EventLocations, openEventReader, openEventStore } from '../composition/open-stores.ts';
import type { ExportTotals, ReportProgress } from '../event-sourcing/segments/export-chain.ts';
import { type ExportResult, exportLog } from '../event-sourcing/segments/export-log.ts';
import { checkExport, type ImportResult, importLog } from '../event-sourcing/segments/import-log.ts';
import { type EventRewrite, type RewriteReport, rewriteLog } from '../event-sourcing/segments/rewrite-log.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { eventJudge } from './judge-event.ts';

export {
  type EventRewrite,
  type ExportResult,
  type ExportTotals,
  type ImportResult,
  type ReportProgress,
  type RewriteReport,
  StoreError,
};

/** @throws StoreError as `exportLog` does, and what opening the store or the directory throws */
export async function exportStore(
  { eventStore, archiveDir }: EventLocations,
  path: string,
  onProgress?: ReportProgress,
): Promise<ExportResult> {
  if (eventStore.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { reader: source, close } = await openEventReader({ eventStore, archiveDir });
  try {
    const directory = await openForExport(path);
    let finished = false;
    try {
      const now = () => new Date();
      const result = await exportLog({ source, directory, now, ...(onProgress && { onProgress }) });
      finished = true;
      return result;
    } finally {
      await directory.close(finished);
    }
  } finally {
    await close();
  }
}

/** @throws StoreError as `importLog` does, and what opening the store or the directory throws */
export async function importIntoStore(
  locations: EventLocations,
  path: string,
  onProgress?: ReportProgress,
): Promise<ImportResult> {
  const { kind } = locations.eventStore;
  if (kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory would be gone when the import ends.');
  }
  const directory = await openForImport(path);
  const { events: target } = await openEventStore(locations);
  try {
    // The embedded store commits in the order of its queue; a server promises an order within a stream only.
    const keepsOrder = kind === 'file';
    return await importLog({ directory, target, keepsOrder, ...(onProgress && { onProgress }) });
  } finally {
    await target.close();
  }
}

/** @throws StoreError when the directory does not hold a whole export */
export async function checkDirectory(path: string, onProgress?: ReportProgress): Promise<ExportTotals> {
  return (await checkExport(await openForImport(path), onProgress)).totals();
}

/**
 * Rewrites an export into another directory, or without one only reports what that would change.
 * @throws StoreError as `rewriteLog` does, and what opening the directories throws
 */
export async function rewriteDirectory(options: {
  readonly from: string;
  readonly to?: string;
  readonly rewrite: EventRewrite;
  readonly defaultCurrency: string;
  readonly onProgress?: ReportProgress;
}): Promise<RewriteReport> {
  const { from, to, rewrite, defaultCurrency, onProgress } = options;
  const work = {
    source: await openForImport(from),
    rewrite,
    judge: eventJudge(defaultCurrency),
    now: () => new Date(),
    ...(onProgress && { onProgress }),
  };
  if (to === undefined) return rewriteLog(work);
  const target = await openForExport(to);
  let finished = false;
  try {
    const report = await rewriteLog({ ...work, target });
    finished = true;
    return report;
  } finally {
    await target.close(finished);
  }
}
