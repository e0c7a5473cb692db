/** What temporal replay asks of whoever keeps snapshots; it works without them too, only slower. */

/** A state as it was right after a revision. */
export interface SnapshotOfState<S> {
  readonly state: S;
  readonly revision: number;
  /**
   * The latest business time of all events up to the revision, RFC 3339 UTC. Where it is missing, the snapshot helps to
   * find a revision, but not a time.
   */
  readonly latestTime?: string;
}

export interface SnapshotHistory<S> {
  /** The newest snapshot at or before a revision; `undefined` when there is none, or none that can be read any more. */
  snapshotAtOrBefore(stream: string, revision: number): Promise<SnapshotOfState<S> | undefined>;
}
