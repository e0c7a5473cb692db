/** Where snapshots are kept: streams of their own, which say nothing that the events do not say. */

/** Followers of the log, exports and counts of events leave streams out that begin so. */
export const SNAPSHOT_STREAM_PREFIX = 'snapshot-';

/** The newest snapshots of an aggregate: `snapshot-bank-account-…`. */
export function snapshotStream(stream: string): string {
  return SNAPSHOT_STREAM_PREFIX + stream;
}

/** Snapshots that are kept for good, one in so many revisions, so that no look into the past begins far from its goal. */
export function milestoneStream(stream: string): string {
  return `${SNAPSHOT_STREAM_PREFIX}milestone-${stream}`;
}

export function isSnapshotStream(stream: string): boolean {
  return stream.startsWith(SNAPSHOT_STREAM_PREFIX);
}
