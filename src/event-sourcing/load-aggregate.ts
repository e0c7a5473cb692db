/** Folds an aggregate from its stream: from the first event on, behind a snapshot, or behind what is known already. */
import type { AggregateType } from './aggregate.ts';
import type { DomainEvent, EventCodec } from './codec.ts';
import type { Known, StreamTip } from './decide-all.ts';
import type { EventReader, RecordedEvent } from './event-store.ts';
import { OperationLog, operationOf } from './operation-log.ts';
import type { Snapshot } from './snapshots/snapshot.ts';

const NOT_CREATED = -1;
export const NOTHING_KNOWN = { state: undefined, revision: NOT_CREATED, operations: undefined } as const;

/** What it takes to fold. */
export interface FoldSource<S, E extends DomainEvent> {
  /** A stream of it may begin with an event that sums up what came before. */
  readonly store: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<E>;
  readonly aggregate: AggregateType<S, E>;
}

/** What is known already, and all that has come since. @throws StoreError when the store fails */
export async function readOn<S, E extends DomainEvent>(
  source: FoldSource<S, E>,
  stream: string,
  known: Known<S>,
): Promise<Known<S>> {
  return fold(source, known, source.store.readStream(stream, { from: known.revision + 1 }));
}

/**
 * The state of a snapshot, and all that has come since.
 * @returns nothing when the stream does not have the event on which the snapshot stands
 * @throws StoreError when the store fails, or whatever the fold throws
 */
export async function readBehind<S, E extends DomainEvent>(
  source: FoldSource<S, E>,
  stream: string,
  snapshot: Snapshot<S>,
): Promise<Known<S> | undefined> {
  const { state, revision, eventId, latest, operations } = snapshot;
  const log = operations && (operations.recent.length > 0 || operations.creation !== undefined);
  const known: Known<S> = {
    state,
    revision,
    operations: log ? OperationLog.of(operations) : undefined,
    tip: { eventId, latest, covered: revision },
  };
  const events = source.store.readStream(stream, { from: revision })[Symbol.asyncIterator]();
  try {
    const anchor = await events.next();
    if (anchor.done || anchor.value.revision !== revision || anchor.value.id !== eventId) return undefined;
    return await fold(source, known, { [Symbol.asyncIterator]: () => events });
  } finally {
    await events.return?.();
  }
}

async function fold<S, E extends DomainEvent>(
  { aggregate, codec }: FoldSource<S, E>,
  known: Known<S>,
  events: AsyncIterable<RecordedEvent>,
): Promise<Known<S>> {
  let { state, revision, operations, tip } = known;
  for await (const event of events) {
    const at = event.metadata.timestamp;
    const decoded = codec.decode(event);
    if (state === undefined) {
      const summed = aggregate.summaryIn?.(decoded);
      if (summed) {
        tip = movedTip(undefined, event.id, summed.latest);
        operations = OperationLog.of(summed.operations);
      }
    }
    state = aggregate.evolve(state, decoded, at);
    revision = event.revision;
    tip = movedTip(tip, event.id, at);
    const operation = operationOf(event.metadata);
    if (!operation) continue;
    operations ??= new OperationLog();
    operations.note(operation, revision, revision);
  }
  return revision === known.revision ? known : { state, revision, operations, tip };
}

/** @param at business time of the event, RFC 3339 UTC */
export function movedTip(tip: StreamTip | undefined, eventId: string, at: string): StreamTip {
  const { latest = '', covered = NOT_CREATED, uncoveredSince = at } = tip ?? {};
  return { eventId, latest: at > latest ? at : latest, covered, uncoveredSince };
}
