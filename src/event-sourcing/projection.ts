/** What a projection is: a name, a version, the events it wants, the documents they touch, and a pure fold. */
import type { DomainEvent, Recorded } from './codec.ts';
import type { LoggedEvent } from './logged-event.ts';
import type { Collection, Document, MinorUnits } from './read-model-store.ts';

/** Reads documents of projections that come before; they stand at the event being folded, or later when one catches up alone. */
export interface Lookup {
  get<D extends Document>(projection: DocumentsOf<D>, key: string): D | undefined;
}

/** A collection together with the type of its documents; exists for the types alone. */
export interface DocumentsOf<D extends Document> extends Collection {
  readonly documentType?: D;
}

export interface LookupKey {
  readonly from: Collection;
  readonly key: string;
}

export interface Projection<E extends DomainEvent, D extends Document> extends DocumentsOf<D> {
  readonly eventTypes: readonly E['type'][];
  /** Nobody waits for its documents: under load they are written every now and then, those that change often seldom. */
  readonly patient?: true;
  /** It is told of every event as a `LoggedEvent`, of what nobody can read too; `eventTypes` is empty then. */
  readonly watchesLog?: true;
  minorUnits?(document: D): MinorUnits;
  /** Each document is made by exactly one event and never changes: nothing has to be loaded before the fold. */
  readonly writeOnce?: boolean;
  /** The stream that alone makes the document, so that a missing one can be folded anew. */
  stream?(key: string): string;
  /** Documents of earlier projections that `keys` or `fold` will look up for this event. */
  lookups?(event: Recorded<E>): readonly LookupKey[];
  /** Keys of the documents that this event touches. */
  keys(event: Recorded<E>, lookup: Lookup): readonly string[];
  /** Pure: the document after the event. What it throws is permanent, unless it is a TemporaryError. */
  fold(document: D | undefined, event: Recorded<E>, lookup: Lookup, key: string): D;
}

/** Any projection over these events, whatever its documents look like: only its own fold knows. */
export type AnyProjection<E extends DomainEvent> = Projection<E, Document>;

/** Projections that look each other's documents up: one worker leads them together, and they are rebuilt together. */
export interface ProjectionGroup<E extends DomainEvent> {
  readonly name: string;
  /** In the order in which an event passes them. */
  readonly projections: readonly AnyProjection<E>[];
}

/** Thrown by a fold that may succeed when it is tried again later. */
export class TemporaryError extends Error {
  override readonly name = 'TemporaryError';
}

type LogProjection<D extends Document> = Omit<
  Projection<LoggedEvent, D>,
  'eventTypes' | 'watchesLog' | 'stream'
>;

/** Makes a projection over the log itself, whatever the events are. */
export function defineLogProjection<D extends Document>(projection: LogProjection<D>): Projection<never, D> {
  return defineProjection<never, D>({ ...projection, eventTypes: [], watchesLog: true });
}

/** Checks the definition and gives it its types. */
export function defineProjection<E extends DomainEvent, D extends Document>(
  projection: Projection<E, D>,
): Projection<E, D> {
  if (!/^[a-z][a-z_]*$/.test(projection.name)) throw new Error(`${projection.name} is not a collection name`);
  return projection;
}
