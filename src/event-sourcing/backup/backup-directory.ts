/** The BackupDirectory port: events and states as segments, and a manifest that is written last. */
import type { SegmentDirectory } from '../segments/segment-directory.ts';

export interface BackupDirectory {
  /** For messages. */
  readonly name: string;
  /** The log, over all runs. */
  readonly events: SegmentDirectory;
  /** What is not in the log: one file a run, under its number. */
  readonly states: SegmentDirectory;
  /** The manifest's text; `undefined` while no run has finished. */
  readManifest(): Promise<string | undefined>;
  /**
   * Puts a new manifest into the place of the old one: durable when the promise resolves, and otherwise the old one stays.
   * @throws StoreError `disk_full` or `unavailable`
   */
  writeManifest(text: string): Promise<void>;
  /** Removes the states of runs that the manifest does not name: of old ones, and of those that were interrupted. */
  keepStates(sha256s: readonly string[]): Promise<void>;
}
