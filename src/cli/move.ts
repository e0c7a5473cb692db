/** What export and import share: their progress, their failures in one sentence, their totals. */
import { type ExportTotals, type ReportProgress, StoreError } from '../store-tools/move-stores.ts';
import { CliError } from './cli-error.ts';
import { showMoveProgress } from './move-progress.ts';
import { alignColumns, formatBytes, formatCount } from './terminal.ts';

/**
 * Runs a move with its progress on stderr.
 * @throws CliError with the store's own sentence and what to do about it
 */
export async function move<T>(
  work: (report: ReportProgress) => Promise<T>,
  advice: Readonly<Partial<Record<StoreError['code'], string>>>,
): Promise<T> {
  const progress = showMoveProgress();
  try {
    return await work(progress.report);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new CliError([error.message, advice[error.code]].filter(Boolean).join(' '));
  } finally {
    progress.end();
  }
}

/** The figures of an export, one a line. */
export function totalsTable({ events, streams, segments, bytes, digest }: ExportTotals): string {
  const rows = [
    [formatCount(events), 'events'],
    [formatCount(streams), 'streams'],
    [formatCount(segments), `segments, ${formatBytes(bytes)}`],
  ];
  return `${alignColumns(rows, { indent: 2, right: [0] })}\n  checksum ${digest}`;
}

/** The figures of an export for scripts. */
export function totalsJson(totals: ExportTotals): object {
  const { storeId, finishedAt, events, streams, segments, bytes, digest } = totals;
  return { events, streams, segments, bytes, digest, store_id: storeId, finished_at: finishedAt };
}
