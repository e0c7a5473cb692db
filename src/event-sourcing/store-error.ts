/** What a store throws when it could not do its work; rule violations and conflicts are values, never this. */

/**
 * - `unavailable`: it did not answer; the outcome of a write is unknown, and retrying with the same event ids is safe.
 * - `busy`: a bounded queue is full; nothing happened.
 * - `disk_full`: there is no room; nothing was written.
 * - `in_use`: another process holds it. - `closed`: it was shut down. - `corrupt`: the data are not what was written.
 * - `archive_damaged`: events that were moved into the archive are missing there, or not what was written.
 * - `invalid_request`: the caller asked for something that can never work.
 * - `access_denied`: the server does not let these credentials do it. - `unsupported`: the server lacks what we rely on.
 * - `fenced`: someone else leads by now; what was not written yet must not be written by this leader.
 */
export type StoreErrorCode =
  | 'unavailable'
  | 'busy'
  | 'disk_full'
  | 'in_use'
  | 'closed'
  | 'corrupt'
  | 'archive_damaged'
  | 'invalid_request'
  | 'access_denied'
  | 'unsupported'
  | 'fenced';

/** An event that could not be read, or makes no sense. */
export interface EventPlace {
  readonly stream: string;
  readonly revision: number;
}

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** Where `corrupt` is about a single event, that event. */
  readonly place: EventPlace | undefined;
  /** Where `archive_damaged` is about a single volume, its name. */
  readonly volume: string | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: ErrorOptions & { place?: EventPlace; volume?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.place = options.place;
    this.volume = options.volume;
  }

  /** Whether the same call may succeed later. */
  get temporary(): boolean {
    return this.code === 'unavailable' || this.code === 'busy' || this.code === 'disk_full';
  }
}
