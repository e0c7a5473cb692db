/** New builds that are filled in several places at once: they are swapped together, so what counts is the slowest. */
import type { Position } from './event-store.ts';
import type { Filling } from './following.ts';

export class Fillings {
  readonly all: readonly Filling[];

  constructor(all: readonly Filling[]) {
    this.all = all;
  }

  /** Whether there is something to fill, and all of it is at the end of the log. */
  get caughtUp(): boolean {
    const filled = this.all.filter(({ projections }) => projections.size > 0);
    return filled.length > 0 && filled.every(({ caughtUp }) => caughtUp);
  }

  hasReached(position: Position): boolean {
    return this.all.every((one) => one.projections.size === 0 || one.position >= position);
  }

  start(signal: AbortSignal): void {
    for (const one of this.all) one.start(signal);
  }

  wake(): void {
    for (const one of this.all) one.wake();
  }

  /** @throws what ended one of them */
  mustBeWell(): void {
    for (const one of this.all) one.mustBeWell();
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((one) => one.stop()));
  }
}
