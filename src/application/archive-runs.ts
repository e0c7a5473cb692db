/** What can be asked of the archive of accounts, and what it tells of its runs. */
import { type Decision, reject } from '../domain/decision.ts';
import type { ArchiveCatalogue } from '../event-sourcing/archive/archive-catalogue.ts';
import type { CommandContext } from '../event-sourcing/repository.ts';
import type { StoreErrorCode } from '../event-sourcing/store-error.ts';

/** Which accounts, and how many. */
export interface ArchiveRequest {
  /** RFC 3339 UTC: the end of the period. Accounts count that had `minEvents` events by then. */
  readonly upTo: string;
  /** Events that an account must have in the store itself; fewer are not worth it. */
  readonly minEvents: number;
  /** Accounts of one run; each takes an entry of memory while it is under way. */
  readonly accountsMax: number;
  /** Only count. */
  readonly dryRun: boolean;
}

/** How a run is doing, or how it ended. */
export interface ArchiveRun {
  readonly run_id: string;
  readonly state: 'RUNNING' | 'FINISHED' | 'FAILED';
  readonly dry_run: boolean;
  readonly up_to: string;
  readonly min_events: number;
  readonly started_at: string;
  readonly finished_at: string | null;
  /** Accounts that were looked at. */
  readonly examined: number;
  /** Those that are archived, and the events that leave the store. */
  readonly accounts: number;
  readonly events: number;
  /** Accounts whose books could not be closed: they never stood still, or have events that cannot be read. */
  readonly skipped: number;
  /** Whether it ended at the most accounts that a run takes: another one goes on. */
  readonly more: boolean;
  /** What was written; null while nothing is, and when nothing had to be. */
  readonly volume: string | null;
  /** Why it failed: nothing of what was to be written is lost, and nothing was cut that is not in the archive. */
  readonly error: { readonly code: StoreErrorCode | 'internal_error'; readonly detail: string } | null;
}

/** What metrics tell of it. */
export interface ArchiveFigures {
  readonly volumes: number;
  /** Volumes whose events have not all left the store: the next run goes on. */
  readonly unfinishedVolumes: number;
  readonly events: number;
  /** Of the files. */
  readonly bytes: number;
  /** Missing while no run of this process has ended; one that only counts is none. */
  readonly lastRun?: { readonly endedAt: string; readonly failed: boolean; readonly events: number };
}

export interface AccountArchiving {
  /** The run that is under way, or the newest one of this process. */
  readonly run: ArchiveRun | undefined;
  readonly catalogue: ArchiveCatalogue;
  /** Where the volumes lie; missing where nothing can be archived. */
  readonly place: string | undefined;
  /** As of now. Throws StoreError when the catalogue cannot be read. */
  figures(): Promise<ArchiveFigures>;
  /** Starts a run. Rejects with `not_supported` or `archive_run_in_progress`. */
  start(request: ArchiveRequest, context: CommandContext): Decision<ArchiveRun>;
}

export function notArchiving() {
  const detail =
    'Nothing can be archived from a store in memory, or from a server without OPENBANK_ARCHIVE_DIR.';
  return reject('not_supported', detail);
}
