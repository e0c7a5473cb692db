/** A projector that runs beside others, can be stopped, and remembers why it ended by itself. */
import type { DomainEvent } from './codec.ts';
import type { Position } from './event-store.ts';
import { Projector, type ProjectorOptions, type ProjectorState } from './projector.ts';

export type FollowingOptions<E extends DomainEvent> = ProjectorOptions<E> & {
  /** Called when it has ended, however that came. */
  readonly onEnded: () => void;
};

export class Following<E extends DomainEvent> {
  readonly #projector: Projector<E> | undefined;
  readonly #onEnded: () => void;
  readonly #stopping = new AbortController();
  readonly projections: ReadonlySet<string>;
  #running: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #startedAt = 0;
  #startedFrom: Position | undefined;

  /** Without projections there is nothing to follow: it only waits to be stopped. */
  constructor({ onEnded, ...options }: FollowingOptions<E>) {
    this.projections = new Set(options.projections.map(({ name }) => name));
    this.#projector = options.projections.length > 0 ? new Projector(options) : undefined;
    this.#onEnded = onEnded;
  }

  get state(): ProjectorState | undefined {
    return this.#projector?.state;
  }

  get caughtUp(): boolean {
    return this.#projector?.caughtUp ?? false;
  }

  get position(): Position {
    return this.#projector?.position ?? 0n;
  }

  /** Events of the log that it has folded. */
  get eventsSeen(): number {
    return this.#projector?.eventsSeen ?? 0;
  }

  /** How fast it has been since it was started. */
  get rates(): { readonly events_per_second: number; readonly positions_per_second: number } {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const position = this.position;
    this.#startedFrom ??= position;
    const events = this.eventsSeen;
    return {
      events_per_second: Math.round(events / seconds),
      positions_per_second: Number(position - this.#startedFrom) / seconds,
    };
  }

  start(signal: AbortSignal): void {
    if (!this.#projector) return;
    this.#startedAt = performance.now();
    const either = AbortSignal.any([signal, this.#stopping.signal]);
    this.#running = this.#projector
      .run(either)
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(this.#onEnded);
  }

  wake(): void {
    this.#projector?.wake();
  }

  /** @throws what ended it */
  mustBeWell(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
