/** Consistency tokens: a writer gets one, and a reader who sends it back waits until the read models have seen that write. */
import type { Position } from './event-store.ts';
import type { Collection, ReadModelReader } from './read-model-store.ts';
import type { Signal } from './signal.ts';

/** How often a waiting reader looks by itself, in case a notice from the projector got lost. */
const LOOK_MS = 25;

export type TokenProblem = 'malformed' | 'of_another_store';

export class ReadYourWrites {
  readonly #storeId: string;
  readonly #readModels: ReadModelReader;
  readonly #projections: readonly Collection[];
  readonly #headPosition: () => Promise<Position | undefined>;
  readonly #projected: Signal;
  readonly #wakeProjector: () => void;

  /** @param projected fires when the projector has committed; @param wakeProjector asks it not to pause */
  constructor(options: {
    storeId: string;
    readModels: ReadModelReader;
    projections: readonly Collection[];
    headPosition: () => Promise<Position | undefined>;
    projected: Signal;
    wakeProjector: () => void;
  }) {
    this.#storeId = options.storeId;
    this.#readModels = options.readModels;
    this.#projections = options.projections;
    this.#headPosition = options.headPosition;
    this.#projected = options.projected;
    this.#wakeProjector = options.wakeProjector;
  }

  /** A token for a write: the store and the position, readable only by this service. */
  token(position: Position): string {
    return `${this.#storeId}:${position}`;
  }

  /** The position that a token stands for. */
  parse(token: string): Position | TokenProblem {
    const match = /^([0-9a-zA-Z-]{1,64}):(\d{1,18})$/.exec(token);
    if (!match) return 'malformed';
    return match[1] === this.#storeId ? BigInt(match[2] as string) : 'of_another_store';
  }

  /** Whether every projection has seen the position within the time; wakes the projector while it has not. */
  async waitFor(position: Position, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!(await this.#hasSeen(position))) {
      const left = deadline - Date.now();
      if (left <= 0) return false;
      this.#wakeProjector();
      await this.#projected.wait(Math.min(left, LOOK_MS));
    }
    return true;
  }

  /** Whether the position lies beyond the end of the log: then nobody was ever given it. */
  async isBeyondTheLog(position: Position): Promise<boolean> {
    return position > ((await this.#headPosition()) ?? 0n);
  }

  async #hasSeen(position: Position): Promise<boolean> {
    const checkpoints = await this.#readModels.checkpoints();
    return this.#projections.every(({ name, version }) =>
      checkpoints.some(
        (one) => one.projection === name && one.version === version && one.position >= position,
      ),
    );
  }
}
