/** Measures the memory that is really held, for tests that prove it stays flat. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** For the finalizers of what was collected. */
const SETTLING_MS = 200;

/**
 * Bytes of JavaScript objects and buffers that are still reachable, once the memory outside of the heap is gone too:
 * objects that go let go of it only afterwards.
 */
export async function settledHeapBytes(): Promise<number> {
  collectGarbage();
  await sleep(SETTLING_MS);
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The collector is a global only with a flag, and the flag may be set late when a fresh context reads it. */
const collectGarbage: () => void = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
