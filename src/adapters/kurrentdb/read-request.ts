/** Builds the protocol's read requests, and the filter that keeps the server's own events and ours of no concern out. */
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import type { Position, ReadDirection } from '../../event-sourcing/event-store.ts';

/** The stream that holds nothing but the identity of the log. */
export const IDENTITY_STREAM = 'openbank-store';

/** Where the log is read from: the position of an event, or the exact place that a checkpoint named. */
export interface LogPlace {
  readonly commit: Position;
  readonly prepare: Position;
}

const { Options } = messages.ReadReq;
const DIRECTIONS = { forwards: 0, backwards: 1 } as const;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function streamRequest(
  stream: string,
  options: {
    direction: ReadDirection;
    from: number | undefined;
    limit: number | undefined;
    resolveLinks?: boolean;
  },
): ReadReq {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  const target = new Options.StreamOptions();
  target.setStreamIdentifier(identifier);
  if (options.from !== undefined) target.setRevision(String(options.from));
  else if (options.direction === 'forwards') target.setStart(new shared.Empty());
  else target.setEnd(new shared.Empty());
  return request((read) => {
    read.setStream(target);
    read.setNoFilter(new shared.Empty());
    read.setResolveLinks(options.resolveLinks ?? false);
    limitTo(read, options.direction, options.limit);
  });
}

/** @param filter a regular expression on stream names; without one, the server's own events come too */
export function logRequest(options: {
  direction: ReadDirection;
  from: LogPlace | undefined;
  limit?: number | undefined;
  filter?: string;
}): ReadReq {
  return request((read) => {
    read.setAll(logTarget(options.from, options.direction));
    limitTo(read, options.direction, options.limit);
    if (options.filter === undefined) read.setNoFilter(new shared.Empty());
    else read.setFilter(streamNameFilter(options.filter));
  });
}

/** @param after nothing means from the first event */
export function subscriptionRequest(after: LogPlace | undefined, filter: string): ReadReq {
  return request((read) => {
    read.setAll(logTarget(after, 'forwards'));
    read.setReadDirection(DIRECTIONS.forwards);
    read.setSubscription(new Options.SubscriptionOptions());
    read.setFilter(streamNameFilter(filter));
  });
}

/** The streams that a reader of the log gets to see. */
export interface StreamFilter {
  /** For the server. */
  readonly regex: string;
  /** The same on our side: what the server lets through is looked at again. */
  matches(stream: string): boolean;
}

/**
 * Only streams that begin with one of the prefixes, never one of the server's or the log's identity. A regular
 * expression, because the server compares prefixes by the rules of a language and not letter by letter.
 */
export function streamFilter(prefixes: readonly string[] | undefined): StreamFilter {
  const any = prefixes === undefined;
  const alternatives = (prefixes ?? []).map(escaped).join('|');
  const visible = `(?!\\$|${escaped(IDENTITY_STREAM)}$)`;
  return {
    regex: any ? `^${visible}` : prefixes.length === 0 ? '^(?!)' : `^${visible}(?:${alternatives})`,
    matches: (stream) => isVisible(stream) && (any || prefixes.some((prefix) => stream.startsWith(prefix))),
  };
}

/** Just these event types, for the server. */
export function typeRegex(eventTypes: readonly string[]): string {
  return `^(?:${eventTypes.map(escaped).join('|')})$`;
}

/** Whether a stream is neither the server's nor our own mark in the log. */
export function isVisible(stream: string): boolean {
  return !stream.startsWith('$') && stream !== IDENTITY_STREAM;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** Events that the server looks at for one page of a filtered read, and after which it sends a checkpoint. */
const SEARCH_WINDOW_EVENTS = 256;

function streamNameFilter(regex: string): InstanceType<typeof Options.FilterOptions> {
  const expression = new Options.FilterOptions.Expression();
  expression.setRegex(regex);
  const filter = new Options.FilterOptions();
  filter.setStreamIdentifier(expression);
  filter.setMax(SEARCH_WINDOW_EVENTS);
  filter.setCheckpointintervalmultiplier(1);
  return filter;
}

function logTarget(place: LogPlace | undefined, direction: ReadDirection) {
  const target = new Options.AllOptions();
  if (place) {
    const position = new Options.Position();
    position.setCommitPosition(String(place.commit));
    position.setPreparePosition(String(place.prepare));
    target.setPosition(position);
  } else if (direction === 'forwards') target.setStart(new shared.Empty());
  else target.setEnd(new shared.Empty());
  return target;
}

function limitTo(
  read: InstanceType<typeof Options>,
  direction: ReadDirection,
  limit: number | undefined,
): void {
  read.setReadDirection(DIRECTIONS[direction]);
  read.setCount(String(Math.min(limit ?? NO_LIMIT, NO_LIMIT)));
}

function request(fill: (options: InstanceType<typeof Options>) => void): ReadReq {
  const options = new Options();
  options.setResolveLinks(false);
  const ids = new Options.UUIDOption();
  ids.setString(new shared.Empty());
  options.setUuidOption(ids);
  fill(options);
  const read = new messages.ReadReq();
  read.setOptions(options);
  return read;
}
