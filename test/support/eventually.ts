/** Waits for what happens in the background. */
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 15_000;
const LOOK_MS = 2;

/** Looks again and again until something holds; says what was missing when it does not come. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It never came: ${what}.`);
    await sleep(LOOK_MS);
  }
}
