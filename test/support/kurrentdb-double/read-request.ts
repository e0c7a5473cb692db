/** What a read asks for, in plain terms. Server: src/EventStore.Core/Services/Transport/Grpc/Streams.Read.cs, ReadReq.cs */
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { LOG_START, type LogPosition } from './all-reader.ts';
import {
  DEFAULT_ALL_FILTER,
  type EventFilter,
  searchWindowOf,
  toFilter,
  toFilterDefinition,
} from './filter.ts';
import { invalidArgument } from './rpc-errors.ts';
import { fromWireNumber } from './wire.ts';

// Server: src/EventStore.Core/Services/Transport/Enumerators/Enumerator.cs (ReadBatchSize)
export const READ_BATCH_SIZE = 32;

/** The end of the log or of a stream. */
export const END = 'end';

/** `undefined` is the start, which for a subscription differs from the first position: nothing is left out. */
export type AllStart = LogPosition | typeof END | undefined;

/** A filter with how far a page may search and how often a subscription says how far it is. */
export interface AllFilter {
  readonly filter: EventFilter;
  readonly searchWindow: number;
  /** Records looked at between two checkpoints; `undefined` without a filter, when there are no checkpoints. */
  readonly checkpointInterval: number | undefined;
}

const UNFILTERED: AllFilter = {
  filter: DEFAULT_ALL_FILTER,
  searchWindow: Number.POSITIVE_INFINITY,
  checkpointInterval: undefined,
};

export function toAllStart(options: ReadReq.Options.AllOptions): AllStart {
  if (options.hasEnd()) return END;
  if (options.hasStart()) return undefined;
  const position = options.getPosition();
  if (position === undefined)
    throw new Error('Operation is not valid due to the current state of the object.');
  const commit = fromWireNumber(position.getCommitPosition());
  const prepare = fromWireNumber(position.getPreparePosition());
  // Server: src/EventStore.Core/Services/Transport/Common/Position.cs (constructor)
  if (commit < prepare) throw new Error('The commit position cannot be less than the prepare position');
  return { commit, prepare };
}

/** Reads begin at the first position where subscriptions begin before it. */
export function toReadStart(start: AllStart, writerPosition: number): LogPosition {
  if (start === END) return { commit: writerPosition, prepare: writerPosition };
  return start ?? LOG_START;
}

/** The revision to begin with; `undefined` is the start. */
export function toStreamStart(options: ReadReq.Options.StreamOptions): number | typeof END | undefined {
  if (options.hasEnd()) return END;
  if (options.hasStart()) return undefined;
  if (options.hasRevision()) return fromWireNumber(options.getRevision());
  throw new Error('Operation is not valid due to the current state of the object.');
}

/** @throws RpcError when a filter names nothing, has no window, or its checkpoint interval is 0 */
export function toAllFilter(options: ReadReq.Options): AllFilter {
  const message = options.getFilter();
  if (message === undefined) return UNFILTERED;
  const definition = toFilterDefinition(message);
  if (definition === undefined) throw invalidArgument('The filter is not a valid FilterOptions');
  const searchWindow = searchWindowOf(message, READ_BATCH_SIZE);
  if (searchWindow === undefined) throw invalidArgument("'None' is not a valid WindowOneofCase");
  // Server: Enumerator.AllSubscriptionFiltered.cs (constructor)
  const checkpointInterval = message.getCheckpointintervalmultiplier() * searchWindow;
  if (options.hasSubscription() && checkpointInterval === 0) {
    throw new Error("checkpointIntervalMultiplier ('0') must be a non-zero value.");
  }
  return { filter: toFilter(definition), searchWindow, checkpointInterval };
}
