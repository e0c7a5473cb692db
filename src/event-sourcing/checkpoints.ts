/** How far each of a projector's projections has got in the log, as far as it is stored. */
import type { Position } from './event-store.ts';
import type { Checkpoint, Collection } from './read-model-store.ts';

export class Checkpoints<P extends Collection> {
  readonly #projections: readonly P[];
  readonly #positions = new Map<string, Position>();

  constructor(projections: readonly P[]) {
    this.#projections = projections;
  }

  /** What the furthest behind of them has seen; `undefined` before anything was taken up. */
  get least(): Position | undefined {
    return [...this.#positions.values()].reduce<Position | undefined>(
      (smallest, one) => (smallest === undefined || one < smallest ? one : smallest),
      undefined,
    );
  }

  of({ name }: Pick<Collection, 'name'>): Position {
    return this.#positions.get(name) ?? 0n;
  }

  /**
   * Takes up what is stored. A checkpoint that lies beyond the end of the log belongs to other events: its projection
   * starts over.
   * @returns those that start over, and where their checkpoints were
   */
  takeUp(
    stored: readonly Checkpoint[],
    head: Position,
  ): readonly { readonly projection: P; readonly position: Position }[] {
    this.#positions.clear();
    const found = this.#projections.map((projection) => ({
      projection,
      position: stored.find((one) => isOf(one, projection))?.position ?? 0n,
    }));
    for (const { projection, position } of found)
      this.#positions.set(projection.name, position <= head ? position : 0n);
    return found.filter(({ position }) => position > head);
  }

  /** What a commit stores that ends here: all that are not as far yet, without those that wait. */
  upTo(position: Position, waiting: ReadonlySet<string>): Checkpoint[] {
    return this.#projections
      .filter((one) => this.of(one) < position && !waiting.has(one.name))
      .map((one) => checkpointAt(one, position));
  }

  /** All of them, at the very beginning: a store moves none of its checkpoints back for these. */
  atStart(): Checkpoint[] {
    return this.#projections.map((one) => checkpointAt(one, 0n));
  }

  /** They are stored now. */
  committed(checkpoints: readonly Checkpoint[]): void {
    for (const { projection, position } of checkpoints) this.#positions.set(projection, position);
  }
}

function checkpointAt({ name, version }: Collection, position: Position): Checkpoint {
  return { projection: name, version, position };
}

function isOf(checkpoint: Checkpoint, projection: Collection): boolean {
  return checkpoint.projection === projection.name && checkpoint.version === projection.version;
}
