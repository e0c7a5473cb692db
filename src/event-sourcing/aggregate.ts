/** The words between an aggregate, whoever sends it commands, and the repository that keeps it. */
import type { DomainEvent } from './codec.ts';
import type { EventMetadata, Position } from './event-store.ts';
import type { Operation, OperationConflict, RememberedOperations } from './operation-log.ts';

/** What the repository must know of a kind of aggregate. */
export interface AggregateType<S, E extends DomainEvent> {
  /** Name in the metadata: `BankAccount`. */
  readonly name: string;
  stream(id: string): string;
  /** @param at business time of the event (its metadata's `timestamp`), RFC 3339 UTC */
  evolve(state: S | undefined, event: E, at: string): S;
  /**
   * What an event says of the stream before it, when it sums that up: a stream may begin with such an event, and
   * `evolve` makes the whole state of it. Any other event says nothing.
   */
  summaryIn?(event: E): StreamSumming | undefined;
}

/** What is to be known of events that are not there any more, beside the state that they led to. */
export interface StreamSumming {
  /** The greatest business time of them, RFC 3339 UTC. */
  readonly latest: string;
  readonly operations: RememberedOperations;
}

/** A kind of aggregate of which snapshots are kept. */
export interface SnapshotType<S, E extends DomainEvent> extends AggregateType<S, E> {
  /**
   * Version of the state's shape and of what `evolve` makes of the events. Snapshots of another version are not used, so
   * it must rise whenever either changes.
   */
  readonly stateVersion: number;
}

/** Either events (none is fine: nothing changes) or a refusal that the caller understands. */
export type Outcome<T, R> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejection: R };

/** Who asks, and why: it goes into the metadata of every event that results. */
export interface CommandContext
  extends Pick<EventMetadata, 'correlation_id' | 'causation_id' | 'actor' | 'traceparent'> {
  /** Makes the command safe to repeat: the aggregate does an operation once, and answers the same again. */
  readonly operation?: Operation;
}

export interface Aggregate<S> {
  readonly state: S;
  readonly revision: number;
}

/** What a command did: the state after it, and where its last event stands. */
export interface Committed<S, E> extends Aggregate<S> {
  readonly events: readonly E[];
  readonly stream: string;
  /** Of the append; missing when the command changed nothing. */
  readonly position?: Position;
  /** Business time of the events, RFC 3339 UTC. */
  readonly timestamp: string;
  /** The operation was done before: all of this is as it was then. */
  readonly replayed?: true;
}

/** The stream was not at the revision that the client asked for. */
export interface RevisionMismatch {
  readonly code: 'revision_mismatch';
  readonly actual: number;
}

/** Why a command was not done: the aggregate's own reasons, or the repository's. */
export type Refusal<R> = R | RevisionMismatch | OperationConflict;
