/** A projector that runs beside others, can be stopped, and remembers why it ended by itself. */
import type { DomainEvent } from './codec.ts';
import type { Position } from './event-store.ts';
import { Projector, type ProjectorOptions, type ProjectorState } from './projector.ts';

export type FollowingOptions<E extends DomainEvent> = ProjectorOptions<E> & {
  /** Called when it has ended, however that came. */
  readonly onEnded: () => void;
};

/** What keeps some builds going, on this thread or on another one. */
export interface Filling {
  /** The names of its projections. */
  readonly projections: ReadonlySet<string>;
  readonly state: ProjectorState | undefined;
  readonly caughtUp: boolean;
  /** Up to here everything is stored. */
  readonly position: Position;
  /** Up to here it is folded. */
  readonly reached: Position;
  readonly rates: Rates;
  start(signal: AbortSignal): void;
  wake(): void;
  /** @throws what ended it */
  mustBeWell(): void;
  stop(): Promise<void>;
}

/** How fast it has been since it was started. */
export interface Rates {
  readonly events_per_second: number;
  readonly positions_per_second: number;
}

/** Tells how fast something goes that says where it is. */
export class RateMeter {
  #startedAt = performance.now();
  #startedFrom: Position | undefined;

  start(): void {
    this.#startedAt = performance.now();
  }

  rates(position: Position, events: number): Rates {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#startedFrom ??= position;
    return {
      events_per_second: Math.round(events / seconds),
      positions_per_second: Number(position - this.#startedFrom) / seconds,
    };
  }
}

export class Following<E extends DomainEvent> implements Filling {
  readonly #projector: Projector<E> | undefined;
  readonly #onEnded: () => void;
  readonly #stopping = new AbortController();
  readonly projections: ReadonlySet<string>;
  #running: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  readonly #meter = new RateMeter();

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

  get reached(): Position {
    return this.#projector?.reached ?? 0n;
  }

  /** Events of the log that it has folded. */
  get eventsSeen(): number {
    return this.#projector?.eventsSeen ?? 0;
  }

  get rates(): Rates {
    return this.#meter.rates(this.reached, this.eventsSeen);
  }

  start(signal: AbortSignal): void {
    if (!this.#projector) return;
    this.#meter.start();
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

  mustBeWell(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
