/** How long to wait before the next try. */

/** The longest wait between two tries, in milliseconds. */
export const RETRY_DELAY_MS_MAX = 30_000;

/**
 * Doubles each time up to a bound, with jitter so that workers that failed together do not return together.
 * @param failures how often it failed by now, from 1
 * @returns milliseconds
 */
export function backoff(firstMs: number, failures: number): number {
  const full = Math.min(firstMs * 2 ** (failures - 1), RETRY_DELAY_MS_MAX);
  return full * (0.5 + Math.random() / 2);
}
