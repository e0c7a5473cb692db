/** What temporal replay asks of whoever keeps snapshots; it works without them too, only slower. */

/** A state as it was right after the event of a revision. */
export interface PastState<S> {
  readonly state: S;
  readonly revision: number;
  /** Of that event: where the stream does not have it any more, the state is of other events. */
  readonly eventId: string;
  /** The latest business time of all events so far, RFC 3339 UTC. */
  readonly latest: string;
}

export interface SnapshotHistory<S> {
  /**
   * The newest usable one at or before a revision; `undefined` when there is none.
   * @throws StoreError when the store fails
   */
  atOrBefore(id: string, revision: number): Promise<PastState<S> | undefined>;
  /**
   * The newest usable one in which no event has a later business time; `undefined` when there is none.
   * @param at RFC 3339 UTC with milliseconds
   * @throws StoreError when the store fails
   */
  asOf(id: string, at: string): Promise<PastState<S> | undefined>;
}
