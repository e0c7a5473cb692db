/** What a store throws when it could not do its work; rule violations and conflicts are values, never this. */

/**
 * - `unavailable`: it did not answer; the outcome of a write is unknown, and retrying with the same event ids is safe.
 * - `busy`: a bounded queue is full; nothing happened.
 * - `disk_full`: there is no room; nothing was written.
 * - `in_use`: another process holds it. - `closed`: it was shut down. - `corrupt`: the data are not what was written.
 * - `invalid_request`: the caller asked for something that can never work.
 */
export type StoreErrorCode =
  | 'unavailable'
  | 'busy'
  | 'disk_full'
  | 'in_use'
  | 'closed'
  | 'corrupt'
  | 'invalid_request';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed later. */
  get temporary(): boolean {
    return this.code === 'unavailable' || this.code === 'busy' || this.code === 'disk_full';
  }
}
