/**
 * The ConsumerGroups port: competing consumers share the events of the log, each acknowledged by itself. It is for work
 * whose order does not matter; every adapter passes `test/contract/consumer-groups`.
 */
import type { RecordedEvent } from './event-store.ts';

/** Which events a group wants. Either the one or the other is given: servers filter by one of the two. */
export interface EventSelection {
  /** Only events of streams whose names begin with one of these. */
  readonly streamPrefixes?: readonly string[];
  /** Only events of these types, whatever their streams. */
  readonly eventTypes?: readonly string[];
}

export interface ConsumerGroupSettings extends EventSelection {
  /** kebab-case. */
  readonly name: string;
  /** Where a new group begins: with the first event of the log, or with what comes next. */
  readonly startFrom: 'first_event' | 'next_event';
  /** Deliveries after the first before a message is parked. Default 10. */
  readonly maxRetries?: number;
  /** A message that is neither acknowledged nor refused in this time is delivered again. Default 30,000. */
  readonly messageTimeoutMs?: number;
}

export const MAX_RETRIES_DEFAULT = 10;
export const MESSAGE_TIMEOUT_MS_DEFAULT = 30_000;

/** One event in the hands of one consumer. After its timeout, answers count for nothing: another may have it. */
export interface Delivery {
  readonly event: RecordedEvent;
  /** How often it was delivered before. */
  readonly retries: number;
  /** Done: it is not delivered again. Resolves when the answer was sent; one that gets lost means a redelivery. */
  ack(): Promise<void>;
  /** Not done: try again (which counts), or park it at once. */
  nack(action: 'retry' | 'park', reason: string): Promise<void>;
}

/** A message that nobody could handle, set aside until someone decides. */
export interface ParkedMessage {
  readonly event: RecordedEvent;
  /** What the consumer or the store said; not every store keeps it. */
  readonly reason?: string;
  /** RFC 3339 UTC. */
  readonly parkedAt: string;
}

export interface ConsumeOptions {
  /** Unanswered messages that this consumer takes at once. Default 10. */
  readonly maxInFlight?: number;
  /** Ends the consumption; what is in flight is delivered again to others. */
  readonly signal: AbortSignal;
}

export interface ConsumerGroups {
  /** Creates the group, or changes the settings of one that exists (but not where it began). Safe to repeat. */
  ensureGroup(settings: ConsumerGroupSettings): Promise<void>;
  /**
   * Takes part in a group for ever: survives dropped connections by itself. At least once, in no promised order.
   * @throws StoreError `invalid_request` when there is no such group
   */
  consume(group: string, options: ConsumeOptions): AsyncIterable<Delivery>;
  countParked(group: string): Promise<number>;
  /** Oldest first. */
  listParked(group: string, options: { limit: number }): Promise<ParkedMessage[]>;
  /** Delivers the oldest parked messages again, with their retries counted anew. @returns how many */
  replayParked(group: string, options: { limit: number }): Promise<number>;
  /** Drops the oldest parked messages for ever. @returns how many */
  discardParked(group: string, options: { limit: number }): Promise<number>;
  /** Forgets the group with all that it knows; does nothing when there is none. */
  deleteGroup(group: string): Promise<void>;
}
