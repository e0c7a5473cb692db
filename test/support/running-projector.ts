/** A projector in the background of a test, and what it reported. */
import type { DomainEvent } from '../../src/event-sourcing/codec.ts';
import type { Position } from '../../src/event-sourcing/event-store.ts';
import {
  Projector,
  type ProjectorOptions,
  type ProjectorProblem,
} from '../../src/event-sourcing/projector.ts';
import type { Collection, ReadModelReader } from '../../src/event-sourcing/read-model-store.ts';
import { eventually } from './eventually.ts';

type Options<E extends DomainEvent> = Omit<ProjectorOptions<E>, 'onProjected' | 'onProblem'>;

export class RunningProjector<E extends DomainEvent> {
  readonly projector: Projector<E>;
  readonly problems: ProjectorProblem[] = [];
  /** How often it said that it has committed. */
  projected = 0;
  readonly #options: Options<E>;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  /** Starts at once; it does not pause and hardly waits after a failure, unless the test says so. */
  constructor(options: Options<E>) {
    this.#options = options;
    this.projector = new Projector<E>({
      intervalMs: 0,
      commitEvents: 1,
      retryDelayMs: 2,
      ...options,
      onProjected: () => {
        this.projected += 1;
      },
      onProblem: (problem) => this.problems.push(problem),
    });
    this.#running = this.projector.run(this.#stopping.signal);
  }

  /** Waits until every projection has seen all that is in the log. */
  async caughtUp(): Promise<void> {
    const { reader, store, projections } = this.#options;
    await eventually('the projector at the end of the log', async () =>
      haveReached(store, projections, (await reader.headPosition()) ?? 0n),
    );
  }

  /** How many problems of a kind it reported. */
  count(kind: ProjectorProblem['kind']): number {
    return this.problems.filter((problem) => problem.kind === kind).length;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}

async function haveReached(
  readModels: Pick<ReadModelReader, 'checkpoints'>,
  collections: readonly Collection[],
  position: Position,
): Promise<boolean> {
  const checkpoints = await readModels.checkpoints();
  return collections.every(
    ({ name, version }) =>
      position === 0n ||
      checkpoints.some(
        (one) => one.projection === name && one.version === version && one.position >= position,
      ),
  );
}
