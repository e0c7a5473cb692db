/**
 * Which changed documents a commit leaves out, so that those that many events change are written seldom. The checkpoints
 * of their projections wait with them: whatever ends the program, the events are folded into them again.
 */
import type { BatchPart } from './at-requests.ts';
import type { DomainEvent } from './codec.ts';
import type { DocumentSession } from './document-session.ts';
import type { AnyProjection } from './projection.ts';

type Deferrable = Pick<AnyProjection<DomainEvent>, 'name' | 'patient' | 'writeOnce'>;

export interface DeferredWritesOptions {
  readonly projections: readonly Deferrable[];
  readonly session: Pick<DocumentSession, 'isFull'>;
  /** Where others need this thread; while they do, nothing waits, for then the commits are small. */
  readonly pace?: { readonly busy: boolean } | undefined;
  /** How long documents of patient projections may wait under load, in milliseconds. */
  readonly patienceMs: number;
}

/** Events of a rebuild after which all that waits is written: so many are folded again when the program ends. */
const COLLECTED_EVENTS_MAX = 131_072;

/** Events in a batch from which on documents of patient projections wait: fewer are written at once. */
const PATIENCE_EVENTS_MIN = 50;

const NO_NAMES: ReadonlySet<string> = new Set();

export class DeferredWrites {
  readonly #options: DeferredWritesOptions;
  readonly #patient: ReadonlySet<string>;
  /** Projections whose documents change again and again. */
  readonly #rewriting: ReadonlySet<string>;
  /** Since when changed documents wait to be written; missing when none do. */
  #since: number | undefined;
  /** Events of the commits since all that waited was written. */
  #collected = 0;

  constructor(options: DeferredWritesOptions) {
    this.#options = options;
    this.#patient = namesOf(options.projections, (one) => one.patient === true);
    this.#rewriting = namesOf(options.projections, (one) => !one.writeOnce);
  }

  /** Whether any changed document waits. */
  get areWaiting(): boolean {
    return this.#since !== undefined;
  }

  /** Names of the projections whose documents need not be written with this part of the log. */
  keptBack({ events, caughtUp, request }: BatchPart): ReadonlySet<string> {
    if (request) return NO_NAMES;
    const { pace } = this.#options;
    if (pace) return !pace.busy && !caughtUp && this.#mayCollect() ? this.#rewriting : NO_NAMES;
    return caughtUp && this.#mayWait(events.length) ? this.#patient : NO_NAMES;
  }

  /** So many events were committed without the documents of these projections. */
  committed(keptBack: ReadonlySet<string>, events: number): void {
    if (keptBack.size === 0) {
      this.forget();
      return;
    }
    this.#since ??= performance.now();
    this.#collected += events;
  }

  /** Nothing waits any more: all is written, or the events will be folded again. */
  forget(): void {
    this.#since = undefined;
    this.#collected = 0;
  }

  /** A rebuild that disturbs nobody writes a document that many events change once for all of them. */
  #mayCollect(): boolean {
    return this.#collected < COLLECTED_EVENTS_MAX && !this.#options.session.isFull(this.#rewriting);
  }

  #mayWait(load: number): boolean {
    const { session, patienceMs } = this.#options;
    if (this.#patient.size === 0 || load < PATIENCE_EVENTS_MIN || session.isFull(this.#patient)) return false;
    const now = performance.now();
    return now - (this.#since ?? now) < patienceMs;
  }
}

function namesOf(
  projections: readonly Deferrable[],
  isMeant: (one: Deferrable) => boolean,
): ReadonlySet<string> {
  return new Set(projections.filter(isMeant).map(({ name }) => name));
}
