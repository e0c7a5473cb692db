/** Watches from outside how far the projections are behind: the age of the oldest event that one has not seen. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 10;

export interface LagSampler {
  /** Ends the sampling; answers the ages in milliseconds. */
  stop(): Promise<number[]>;
}

/** The databases are opened read-only, and no transaction stays open between two samples. */
export function sampleLag(events: string, readModels: string): LagSampler {
  const eventDb = new DatabaseSync(events, { readOnly: true });
  const readModelDb = new DatabaseSync(readModels, { readOnly: true });
  const checkpoint = readModelDb.prepare('SELECT coalesce(min(position), 0) AS position FROM checkpoints');
  const next = eventDb.prepare('SELECT recorded_at FROM events WHERE position > ? ORDER BY position LIMIT 1');
  const ages: number[] = [];
  let running = true;
  const sampling = (async () => {
    while (running) {
      const { position } = checkpoint.get() as { position: number };
      // The time of the checkpoint's reading counts: the event may have been projected since then.
      const now = Date.now();
      const oldest = next.get(position) as { recorded_at: number } | undefined;
      ages.push(oldest ? Math.max(0, now - oldest.recorded_at) : 0);
      await sleep(EVERY_MS);
    }
  })();
  return {
    async stop() {
      running = false;
      await sampling;
      eventDb.close();
      readModelDb.close();
      return ages;
    },
  };
}
