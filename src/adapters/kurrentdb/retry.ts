/** How this adapter tries again: a bounded number of times, or for ever while it follows; never all at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../event-sourcing/store-error.ts';

const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 5_000;

/** Doubles with each failure up to a bound, with jitter so that clients that failed together do not return together. */
export function backoffMs(failures: number): number {
  const full = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1));
  return full * (0.5 + Math.random() / 2);
}

/** Waits for the backoff of so many failures; ends early, without an error, when `signal` fires. */
export async function pause(failures: number, signal: AbortSignal): Promise<void> {
  await sleep(backoffMs(failures), undefined, { signal }).catch(() => undefined);
}

/**
 * Does `work` until it succeeds, at most `tries` times; goes on only after errors that say `unavailable`.
 * @throws StoreError of the last try
 */
export async function retrying<T>(tries: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof StoreError && error.code === 'unavailable';
      if (!again || failures >= tries || signal.aborted) throw error;
      await pause(failures, signal);
    }
  }
}
