/** The settings of a persistent subscription: as requests have them, and as `$persistentSubscriptionConfig` keeps them. */
import type { CreateReq, UpdateReq } from '@eventstore/db-client/generated/persistent_pb.js';
import type { LogPosition } from './all-reader.ts';
import { type FilterDefinition, toFilterDefinition } from './filter.ts';
import { invalidArgument } from './rpc-errors.ts';
import { fromStreamIdentifier, fromWireNumber } from './wire.ts';

export type ConsumerStrategyName = 'DispatchToSingle' | 'RoundRobin' | 'Pinned';

export interface GroupSettings {
  readonly resolveLinks: boolean;
  readonly extraStatistics: boolean;
  readonly messageTimeoutMs: number;
  readonly maxRetryCount: number;
  readonly checkpointAfterMs: number;
  readonly minCheckpointCount: number;
  readonly maxCheckpointCount: number;
  /** 0 is any number. */
  readonly maxSubscriberCount: number;
  readonly liveBufferSize: number;
  readonly bufferSize: number;
  readonly readBatchSize: number;
  readonly strategy: ConsumerStrategyName;
  /** A revision for a stream (both numbers the same), a position for `$all`; -1 is the end. */
  readonly startFrom: LogPosition;
}

export interface GroupDefinition {
  /** A stream, or `$all`. */
  readonly stream: string;
  readonly group: string;
  /** Only `$all` has one. */
  readonly filter: FilterDefinition | undefined;
  readonly settings: GroupSettings;
}

export const ALL_STREAM = '$all';
const LIVE: LogPosition = { commit: -1, prepare: -1 };
const START: LogPosition = { commit: 0, prepare: 0 };
const STRATEGIES: readonly ConsumerStrategyName[] = ['DispatchToSingle', 'RoundRobin', 'Pinned'];
const TICKS_PER_MILLISECOND = 10_000;

type SettingsMessage = CreateReq.Settings | UpdateReq.Settings;

function millisecondsOf(hasMs: boolean, ms: number, hasTicks: boolean, ticks: string): number {
  if (hasMs) return ms;
  return hasTicks ? Math.trunc(Number(ticks) / TICKS_PER_MILLISECOND) : 0;
}

function toSettings(message: SettingsMessage | undefined, startFrom: LogPosition): GroupSettings {
  if (message === undefined) throw new Error('Object reference not set to an instance of an object.');
  return {
    resolveLinks: message.getResolveLinks(),
    extraStatistics: message.getExtraStatistics(),
    messageTimeoutMs: millisecondsOf(
      message.hasMessageTimeoutMs(),
      message.getMessageTimeoutMs(),
      message.hasMessageTimeoutTicks(),
      message.getMessageTimeoutTicks(),
    ),
    maxRetryCount: message.getMaxRetryCount(),
    checkpointAfterMs: millisecondsOf(
      message.hasCheckpointAfterMs(),
      message.getCheckpointAfterMs(),
      message.hasCheckpointAfterTicks(),
      message.getCheckpointAfterTicks(),
    ),
    minCheckpointCount: message.getMinCheckpointCount(),
    maxCheckpointCount: message.getMaxCheckpointCount(),
    maxSubscriberCount: message.getMaxSubscriberCount(),
    liveBufferSize: message.getLiveBufferSize(),
    bufferSize: message.getHistoryBufferSize(),
    readBatchSize: message.getReadBatchSize(),
    strategy: STRATEGIES[message.getNamedConsumerStrategy()] ?? 'DispatchToSingle',
    startFrom,
  };
}

type StreamMessage = CreateReq.StreamOptions | UpdateReq.StreamOptions;
type AllMessage = CreateReq.AllOptions | UpdateReq.AllOptions;

function streamStart(message: StreamMessage): LogPosition {
  if (message.hasStart()) return START;
  if (message.hasEnd()) return LIVE;
  if (!message.hasRevision()) throw invalidArgument("'None' is not a valid RevisionOptionOneofCase");
  const revision = fromWireNumber(message.getRevision());
  return { commit: revision, prepare: revision };
}

function legacyStart(text: string): LogPosition {
  const revision = fromWireNumber(text);
  return Number.isSafeInteger(revision) ? { commit: revision, prepare: revision } : LIVE;
}

function allStart(message: AllMessage): LogPosition {
  if (message.hasStart()) return START;
  if (message.hasEnd()) return LIVE;
  const position = message.getPosition();
  if (position === undefined) throw invalidArgument("'None' is not a valid AllOptionOneofCase");
  return {
    commit: fromWireNumber(position.getCommitPosition()),
    prepare: fromWireNumber(position.getPreparePosition()),
  };
}

/**
 * A changed group keeps its filter, whatever is asked; so `filter` is missing then.
 * Server: src/EventStore.Core/Services/Transport/Grpc/PersistentSubscriptions.Create.cs, PersistentSubscriptions.Update.cs
 * @throws RpcError
 */
export function toDefinition(options: CreateReq.Options | UpdateReq.Options | undefined): GroupDefinition {
  const all = options?.getAll();
  const stream = options?.getStream();
  const group = options?.getGroupName() ?? '';
  const settings = options?.getSettings();
  if (all !== undefined) {
    const filter = 'getFilter' in all ? all.getFilter() : undefined;
    return {
      stream: ALL_STREAM,
      group,
      filter: filter === undefined ? undefined : toFilterDefinition(filter),
      settings: toSettings(settings, allStart(all)),
    };
  }
  // This client names the stream the way it did before 21.10, with ulong.MaxValue for the end.
  const name = stream?.getStreamIdentifier() ?? options?.getStreamIdentifier();
  const startFrom = stream === undefined ? legacyStart(settings?.getRevision() ?? '0') : streamStart(stream);
  return {
    stream: fromStreamIdentifier(name),
    group,
    filter: undefined,
    settings: toSettings(settings, startFrom),
  };
}
