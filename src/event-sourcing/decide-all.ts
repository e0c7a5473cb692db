/** Decides a group of commands to one aggregate before anything of it is durable. */

import type { AggregateType, CommandContext, Outcome, Refusal } from './aggregate.ts';
import type { DomainEvent } from './codec.ts';
import { namesOf, type OperationLog, type OperationName, type RecordedOperation } from './operation-log.ts';
import { StoreError } from './store-error.ts';

/** An aggregate as far as it was read. */
export interface Known<S> {
  readonly state: S | undefined;
  readonly revision: number;
  /** Shared by all versions of the entry, because it only ever grows; missing until the first operation. */
  readonly operations: OperationLog | undefined;
  /** Missing while there is no event. */
  readonly tip?: StreamTip | undefined;
}

/** Where the part of a stream ends that was folded, and what of it no snapshot has. */
export interface StreamTip {
  /** Of the last event. */
  readonly eventId: string;
  /** The greatest business time of all events so far, RFC 3339 UTC. */
  readonly latest: string;
  /** The revision up to which there is a snapshot; −1 for none. */
  readonly covered: number;
  /** Business time of the first event behind it; missing when there is none. */
  readonly uncoveredSince?: string;
}

/** What one command of a group came to, before the group's append is durable. */
export type Tentative<S, E, R> =
  | { readonly kind: 'accepted'; readonly state: S; readonly revision: number; readonly events: E[] }
  | { readonly kind: 'repeated'; readonly operation: RecordedOperation }
  | { readonly kind: 'rejected'; readonly rejection: Refusal<R> }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A command that waits for its decision. */
export interface Undecided<S, E, R> {
  /** @param now the business time that its events will carry */
  readonly decide: (state: S | undefined, now: string) => Outcome<E[], R>;
  readonly context: CommandContext;
  readonly expectedRevision: number | undefined;
}

/** Decides one command after the other, each on the state that the ones before it leave behind, and all at the same time. */
export function decideAll<S, E extends DomainEvent, R>(
  aggregate: AggregateType<S, E>,
  known: Known<S>,
  group: readonly Undecided<S, E, R>[],
  now: string,
  forgotten: ReadonlyMap<string, RecordedOperation | StoreError> = new Map(),
): Tentative<S, E, R>[] {
  let { state, revision } = known;
  const done = new Map<string, RecordedOperation>();
  return group.map(({ decide, expectedRevision, context: { operation } }) => {
    try {
      const names = operation ? namesOf(operation) : [];
      for (const name of names) {
        const before = done.get(name.id) ?? known.operations?.find(name.id) ?? forgotten.get(name.id);
        if (before instanceof StoreError) throw before;
        if (before) return repeated(name, before);
      }
      if (expectedRevision !== undefined && state !== undefined && expectedRevision !== revision) {
        return { kind: 'rejected', rejection: { code: 'revision_mismatch', actual: revision } };
      }
      const decision = decide(state, now);
      if (!decision.ok) return { kind: 'rejected', rejection: decision.rejection };
      const after = decision.value.reduce<S | undefined>(
        (folded, event) => aggregate.evolve(folded, event, now),
        state,
      );
      if (after === undefined)
        throw new Error(`${aggregate.name} was accepted without an event that creates it`);
      state = after;
      revision += decision.value.length;
      const accepted = { kind: 'accepted', state: after, revision, events: decision.value } as const;
      // What wrote nothing is not remembered, and may be decided anew.
      if (decision.value.length > 0) {
        for (const name of names) done.set(name.id, recordedOperation(name, accepted));
      }
      return accepted;
    } catch (error) {
      return { kind: 'failed', error };
    }
  });
}

function recordedOperation(
  { contentHash }: OperationName,
  accepted: { revision: number; events: readonly unknown[] },
): RecordedOperation {
  return { contentHash, firstRevision: firstRevisionOf(accepted), lastRevision: accepted.revision };
}

/** The same content gets the first answer again; another one has taken an id that is not its own. */
function repeated<S, E extends DomainEvent, R>(
  { id, contentHash }: OperationName,
  operation: RecordedOperation,
): Tentative<S, E, R> {
  if (operation.contentHash === contentHash) return { kind: 'repeated', operation };
  return { kind: 'rejected', rejection: { code: 'idempotency_conflict', operationId: id } };
}

/** The revision of a command's first event, told by that of its last one. */
export function firstRevisionOf({
  revision,
  events,
}: {
  revision: number;
  events: readonly unknown[];
}): number {
  return revision - events.length + 1;
}
