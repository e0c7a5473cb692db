/** Reads the whole log without the server's own events; a read that breaks goes on behind the last event that it gave. */
import type { Position, ReadAllOptions, RecordedEvent } from '../../event-sourcing/event-store.ts';
import type { KurrentDbClient } from './client.ts';
import { placeOf, toRecordedEvent, type WireEvent } from './event-mapping.ts';
import { type LogPlace, logRequest, streamFilter } from './read-request.ts';
import { messagesOf, pauseAfter } from './stream-reader.ts';

const EVERYTHING = streamFilter(undefined);

export class LogReader {
  readonly #client: KurrentDbClient;
  readonly #closing: AbortSignal;
  /** An event of ours was seen: the log is not empty, and never will be. */
  #hasEvents = false;

  constructor(client: KurrentDbClient, closing: AbortSignal) {
    this.#client = client;
    this.#closing = closing;
  }

  async *read(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const direction = options.direction ?? 'forwards';
    const isBehind = (one: Position, other: Position) =>
      direction === 'forwards' ? one > other : one < other;
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let place = await this.#start(direction, options.from, left);
    let last: Position | undefined;
    let fruitless = 0;
    while (left > 0) {
      try {
        // One more than wanted: the event at the start may have been given before.
        const asked = left + 1;
        let received = 0;
        const limit = Number.isFinite(asked) ? asked : undefined;
        const request = logRequest({ direction, from: place, limit, filter: EVERYTHING.regex });
        for await (const event of eventsOf(this.#client, request, this.#closing)) {
          received += 1;
          const { position } = placeOf(event);
          if (last !== undefined && !isBehind(position, last)) continue;
          // Backwards the start may lie behind the asked position, see below.
          if (last === undefined && options.from !== undefined && isBehind(options.from, position)) continue;
          last = position;
          place = placeAt(position);
          fruitless = 0;
          if (!isOurs(event)) continue;
          left -= 1;
          yield toRecordedEvent(event);
          if (left === 0) return;
        }
        if (received < asked) return;
      } catch (error) {
        fruitless += 1;
        await pauseAfter(error, fruitless, this.#closing);
      }
    }
  }

  /**
   * The position of the newest event of all, the server's own included: no position that anybody was ever given lies
   * behind it, and it costs one short read however many events of the server end the log.
   */
  async head(): Promise<Position | undefined> {
    const newest = await this.#first(logRequest({ direction: 'backwards', from: undefined, limit: 1 }));
    if (!newest) return undefined;
    this.#hasEvents ||= EVERYTHING.matches(placeOf(newest).stream) || (await this.#holdsEvents());
    return this.#hasEvents ? placeOf(newest).position : undefined;
  }

  /** The position of the newest event that ended before a place. */
  async newestBefore({ commit }: LogPlace): Promise<Position | undefined> {
    // Backwards a place means the end of an event, so this one gives what lies before it.
    const event = await this.#first(logRequest({ direction: 'backwards', from: placeAt(commit), limit: 1 }));
    return event && placeOf(event).position;
  }

  /** What lies behind a position, the server's own events included; answers nothing but streams and positions. */
  async placesAfter(position: Position, limit: number): Promise<{ stream: string; position: Position }[]> {
    const places: { stream: string; position: Position }[] = [];
    // Reading includes its start.
    const from = position === 0n ? undefined : placeAt(position);
    const request = logRequest({ direction: 'forwards', from, limit: limit + 1 });
    for await (const event of eventsOf(this.#client, request, this.#closing)) {
      const place = placeOf(event);
      if (place.position > position) places.push(place);
    }
    return places.slice(0, limit);
  }

  async #holdsEvents(): Promise<boolean> {
    const filter = EVERYTHING.regex;
    return (
      (await this.#first(logRequest({ direction: 'forwards', from: undefined, limit: 1, filter }))) !==
      undefined
    );
  }

  async #first(request: Parameters<typeof eventsOf>[1]): Promise<WireEvent | undefined> {
    for await (const event of eventsOf(this.#client, request, this.#closing)) return event;
    return undefined;
  }

  /** The server reads backwards from the end of an event: to include one, the read starts at the event behind it. */
  async #start(
    direction: 'forwards' | 'backwards',
    from: Position | undefined,
    left: number,
  ): Promise<LogPlace | undefined> {
    if (from === undefined || left <= 0) return undefined;
    if (direction === 'forwards') return from <= 0n ? undefined : placeAt(from);
    const [next] = await this.placesAfter(from, 1);
    return next && placeAt(next.position);
  }
}

/** Every event that the bank writes commits itself, so both halves of its place are the same. */
export function placeAt(position: Position): LogPlace {
  return { commit: position, prepare: position };
}

/** Whether an event is one of the bank's: not in the server's streams, and not one of the server's types, such as links. */
export function isOurs(event: WireEvent): boolean {
  return EVERYTHING.matches(placeOf(event).stream) && !event.getMetadataMap().get('type')?.startsWith('$');
}

async function* eventsOf(
  client: KurrentDbClient,
  request: Parameters<typeof messagesOf>[1],
  closing: AbortSignal,
): AsyncGenerator<WireEvent> {
  for await (const message of messagesOf(client, request, [closing])) {
    const event = message.getEvent()?.getEvent();
    if (event) yield event;
  }
}
