/** Steps through one stream: each event with the state before and after it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AggregateType } from './aggregate.ts';
import type { DomainEvent, EventCodec, Recorded } from './codec.ts';
import type { EventReader, RecordedEvent } from './event-store.ts';
import { faultOf } from './logged-event.ts';
import { StoreError } from './store-error.ts';

/** Where the events are, and what they mean. */
export interface ReplaySources<S, E extends DomainEvent> {
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: Pick<EventCodec<E>, 'decode'>;
  readonly aggregate: Pick<AggregateType<S, E>, 'evolve'>;
}

/** Why an event could not be applied. */
export interface ReplayFailure {
  readonly kind: 'unreadable' | 'unknown_event_type' | 'failing_upcast' | 'not_applicable';
  readonly message: string;
}

/** One event and what it did. An event that failed has changed nothing. */
export interface ReplayStep<S, E extends DomainEvent> {
  readonly recorded: RecordedEvent;
  readonly before: S | undefined;
  readonly after: S | undefined;
  /** The event in its current version; missing when it has none. */
  readonly event?: Recorded<E>;
  readonly failure?: ReplayFailure;
}

export interface ReplayOptions<S> {
  /** Known already: the replay begins with the event behind it. */
  readonly after?: { readonly state: S | undefined; readonly revision: number };
  readonly limit?: number;
}

/**
 * Replays a stream with constant memory. An event that cannot be applied is a step that failed, so that whoever debugs
 * a stream sees what comes behind it.
 * @throws StoreError when the store cannot read on
 */
export async function* replay<S, E extends DomainEvent>(
  { reader, codec, aggregate }: ReplaySources<S, E>,
  stream: string,
  { after, limit }: ReplayOptions<S> = {},
): AsyncGenerator<ReplayStep<S, E>> {
  let state = after?.state;
  const from = after === undefined ? 0 : after.revision + 1;
  for await (const recorded of reader.readStream(stream, {
    from,
    unreadable: 'handed_on',
    ...(limit === undefined ? {} : { limit }),
  })) {
    const step = stepOf({ codec, aggregate }, state, recorded);
    yield step;
    state = step.after;
    if (isTurn(recorded.revision)) await nextTurn();
  }
}

/** Events that are folded in one turn of the event loop. */
const EVENTS_PER_TURN = 256;

/** Whether others should get their turn after the event of this revision. */
export function isTurn(revision: number): boolean {
  return revision % EVENTS_PER_TURN === EVENTS_PER_TURN - 1;
}

/** What one event does to a state. */
export function stepOf<S, E extends DomainEvent>(
  { codec, aggregate }: Omit<ReplaySources<S, E>, 'reader'>,
  before: S | undefined,
  recorded: RecordedEvent,
): ReplayStep<S, E> {
  let event: Recorded<E> | undefined;
  try {
    event = codec.decode(recorded);
    const after = aggregate.evolve(before, event, recorded.metadata.timestamp);
    return { recorded, event, before, after };
  } catch (error) {
    const failure = failureOf(recorded, error, event !== undefined);
    return { recorded, before, after: before, failure, ...(event ? { event } : {}) };
  }
}

function failureOf(recorded: RecordedEvent, error: unknown, isDecoded: boolean): ReplayFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (isDecoded) return { kind: 'not_applicable', message };
  const fault = faultOf(recorded, error);
  if (fault === 'unreadable') return { kind: fault, message: 'What the store holds there cannot be read.' };
  return { kind: fault === 'unknown_type' ? 'unknown_event_type' : fault, message };
}

/** The state after a step that must not have failed. @throws StoreError `corrupt` */
export function stateAfter<S, E extends DomainEvent>({ recorded, after, failure }: ReplayStep<S, E>): S {
  if (!failure && after !== undefined) return after;
  const { stream, revision } = recorded;
  const reason = failure?.message ?? 'it leaves no state';
  const place = { stream, revision };
  throw new StoreError('corrupt', `Revision ${revision} of ${stream} cannot be applied: ${reason}`, {
    place,
  });
}
