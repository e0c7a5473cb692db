/** The filters that the server offers on reads and subscriptions of `$all`. */
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { EventRecord } from './event-log.ts';

export type EventFilter = (record: EventRecord) => boolean;

const PERSISTENT_PREFIX = '$persistentsubscription-$all::';

/**
 * What `$all` never shows: the epochs, and the checkpoints and parked messages of persistent subscriptions to `$all`.
 * Server: src/EventStore.Core/Services/Storage/ReaderIndex/EventFilter.cs (DefaultAllFilterStrategy)
 */
export const DEFAULT_ALL_FILTER: EventFilter = ({ stream }) => {
  if (!stream.startsWith('$')) return true;
  if (stream === '$epoch-information') return false;
  return !(
    stream.startsWith(PERSISTENT_PREFIX) &&
    (stream.endsWith('-checkpoint') || stream.endsWith('-parked'))
  );
};

/** An expression as the protocol has it; the regular expression goes first. */
interface FilterExpression {
  getRegex(): string;
  getPrefixList(): string[];
}

/** What read requests and persistent subscriptions have in common. */
export interface FilterMessage {
  hasStreamIdentifier(): boolean;
  getStreamIdentifier(): FilterExpression | undefined;
  hasEventType(): boolean;
  getEventType(): FilterExpression | undefined;
}

/** A filter in plain terms, as the configuration of a persistent subscription keeps it. */
export interface FilterDefinition {
  readonly on: 'stream' | 'type';
  readonly regex?: string;
  readonly prefixes?: readonly string[];
}

/** @returns nothing when the message names neither streams nor types */
export function toFilterDefinition(message: FilterMessage): FilterDefinition | undefined {
  const on = message.hasStreamIdentifier() ? 'stream' : 'type';
  const expression = message.getStreamIdentifier() ?? message.getEventType();
  if (expression === undefined) return undefined;
  const regex = expression.getRegex();
  return regex === '' ? { on, prefixes: expression.getPrefixList() } : { on, regex };
}

/** Server: EventFilter.cs (StreamIdPrefixStrategy and its three siblings) and Streams.Read.cs (ConvertToEventFilter) */
export function toFilter({ on, regex, prefixes = [] }: FilterDefinition): EventFilter {
  const expression = regex === undefined ? undefined : new RegExp(regex, 'u');
  return (record) => {
    if (!DEFAULT_ALL_FILTER(record)) return false;
    const value = on === 'stream' ? record.stream : record.type;
    return expression === undefined
      ? prefixes.some((prefix) => value.startsWith(prefix))
      : expression.test(value);
  };
}

/** `max` of a filter, where the request has one. @returns nothing when neither window is set, which the server refuses */
export function searchWindowOf(filter: ReadReq.Options.FilterOptions, byDefault: number): number | undefined {
  if (filter.hasMax()) return filter.getMax();
  return filter.hasCount() ? byDefault : undefined;
}
