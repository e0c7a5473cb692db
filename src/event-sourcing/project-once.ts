/** Folds projections over the log once, into a store of their own, and stops where the log ends. */
import type { DomainEvent, EventCodec } from './codec.ts';
import type { EventReader } from './event-store.ts';
import { LogUntil, type ReadingReport } from './log-until.ts';
import type { AnyProjection } from './projection.ts';
import { Projector } from './projector.ts';
import type { ReadModelStore } from './read-model-store.ts';

/** Failures in a row, such as a store that does not answer, after which it is given up. */
const FAILURES_MAX = 4;

export interface ProjectOnceOptions<E extends DomainEvent> {
  readonly reader: EventReader;
  /** Empty, and for nothing else: what is looked at must not touch what serves queries. */
  readonly store: ReadModelStore;
  readonly codec: EventCodec<E>;
  readonly projections: readonly AnyProjection<E>[];
  readonly streamPrefixes: readonly string[];
  /** RFC 3339; without it, all events count. */
  readonly time?: string | undefined;
  readonly onRead?: ReadingReport | undefined;
}

/**
 * The same fold as the service's own, dead letters too, with the same bounds on memory.
 * @throws whatever kept it from going on
 */
export async function projectOnce<E extends DomainEvent>(options: ProjectOnceOptions<E>): Promise<void> {
  const { reader, store, projections, time, onRead, ...rest } = options;
  await store.prepare(projections, reader.storeId);
  if ((await reader.headPosition()) === undefined) return;
  const over = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const projector: Projector<E> = new Projector<E>({
    ...rest,
    reader: new LogUntil(reader, time, onRead),
    store,
    projections,
    retryDelayMs: 250,
    onProjected() {
      // What the log brings last is committed in several parts, where requests of operators are among it.
      if (projector.caughtUp) over.abort();
    },
    onProblem(problem) {
      if (problem.kind !== 'retrying' || problem.failures < FAILURES_MAX) return;
      failure = { error: problem.error };
      over.abort();
    },
  });
  await projector.run(over.signal);
  if (failure) throw failure.error;
}
