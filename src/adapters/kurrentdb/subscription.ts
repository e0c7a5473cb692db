/**
 * Follows the log for ever. One supervised loop: whatever breaks the call, it is opened again behind the last event that
 * was handed over.
 *
 * Servers from 23.10 on say when a subscription has caught up. For older ones, and for the events that the server filters
 * out without a word until its next checkpoint, a silent subscription looks into the log by itself.
 */
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type {
  Position,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { KurrentDbClient } from './client.ts';
import { toReadableEvent } from './event-mapping.ts';
import { isOurs, type LogReader, placeAt } from './log-reader.ts';
import { ReadCall, type ReadCallLimits } from './read-call.ts';
import { type LogPlace, type StreamFilter, streamFilter, subscriptionRequest } from './read-request.ts';
import { pause } from './retry.ts';
import type { ConfirmLog } from './store-identity.ts';
import { refuseWhenClosed } from './stream-reader.ts';

/** A batch holds what arrived while the consumer worked, up to these; then the server waits. */
const BATCH_LIMITS: ReadCallLimits = { messages: 8_192, bytes: 1024 * 1024 };
/** Far behind, fewer and larger batches are cheaper; live, nothing waits. */
const GATHERING_MS = 250;
/** After so long without a message the log is looked at, then twice as late again, up to the second. */
const FIRST_SILENCE_MS = 100;
const SILENCE_MS_MAX = 1_000;
/** Events that one look takes: more than the server filters out between two checkpoints. */
const LOOK_EVENTS = 512;
/** Looks in a row that find an event which the subscription does not deliver; then the call counts as dead. */
const STALLED_LOOKS_MAX = 8;

/** What a subscription shares with the store that it belongs to. */
export interface SubscriptionParts {
  readonly client: KurrentDbClient;
  readonly log: LogReader;
  readonly confirm: ConfirmLog;
  readonly closing: AbortSignal;
}

export class Subscription {
  readonly #client: KurrentDbClient;
  readonly #log: LogReader;
  readonly #confirm: ConfirmLog;
  readonly #closing: AbortSignal;
  readonly #abort: AbortSignal;
  readonly #filter: StreamFilter;
  /** Everything up to here has been handed over or was not wanted; always the position of an event. */
  #position: Position;
  /** Where the server's filter had got to behind the last event. */
  #checkpoint: LogPlace | undefined;
  /** Whether all that comes now is new. */
  #isLive = false;
  /** What the last batch said. */
  #saidCaughtUp = false;
  #failures = 0;

  constructor({ client, log, confirm, closing }: SubscriptionParts, options: SubscribeOptions) {
    this.#client = client;
    this.#log = log;
    this.#confirm = confirm;
    this.#closing = closing;
    this.#abort = options.signal;
    this.#filter = streamFilter(options.streamPrefixes);
    this.#position = options.after ?? 0n;
  }

  /** @throws StoreError for what no later try can mend: no rights, another log, a position that is not one, a closed store */
  async *batches(): AsyncGenerator<SubscriptionBatch> {
    while (!this.#abort.aborted) {
      refuseWhenClosed(this.#client.store, this.#closing);
      try {
        yield* this.#follow();
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error;
      }
      if (this.#abort.aborted) return;
      this.#failures += 1;
      await pause(this.#failures, AbortSignal.any([this.#abort, this.#closing]));
    }
  }

  /** One call, until it ends or breaks. */
  async *#follow(): AsyncGenerator<SubscriptionBatch> {
    this.#isLive = false;
    this.#checkpoint = undefined;
    await this.#confirm(this.#abort);
    if (this.#abort.aborted) return;
    const after = this.#position === 0n ? undefined : placeAt(this.#position);
    const request = subscriptionRequest(after, this.#filter.regex);
    const call = await ReadCall.open(this.#client, request, BATCH_LIMITS, [this.#abort, this.#closing]);
    let silenceMs = FIRST_SILENCE_MS;
    let stalledLooks = 0;
    try {
      for (;;) {
        const taken = await call.take(silenceMs, this.#isLive ? 0 : GATHERING_MS);
        if (!taken || this.#abort.aborted) return;
        const before = this.#position;
        const events = this.#sort(taken);
        if (events.length > 0 || this.#checkpoint) stalledLooks = 0;
        if (events.length === 0) {
          const isStalled = await this.#advance(taken.length === 0);
          stalledLooks = isStalled ? stalledLooks + 1 : 0;
          if (stalledLooks >= STALLED_LOOKS_MAX) return;
        }
        silenceMs = events.length > 0 ? FIRST_SILENCE_MS : Math.min(SILENCE_MS_MAX, silenceMs * 2);
        const caughtUp = this.#isLive && !call.isFull;
        if (events.length === 0 && this.#position === before && caughtUp === this.#saidCaughtUp) continue;
        this.#saidCaughtUp = caughtUp;
        yield { events, position: this.#position, caughtUp };
        if (this.#abort.aborted) return;
      }
    } finally {
      call.cancel();
    }
  }

  /** Takes the wanted events out of what came, and notes what the server says between them. */
  #sort(messages: readonly ReadResp[]): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    for (const message of messages) {
      const event = message.getEvent()?.getEvent();
      const checkpoint = message.getCheckpoint();
      if (event) {
        const position = BigInt(event.getCommitPosition());
        if (position <= this.#position) continue;
        this.#position = position;
        this.#checkpoint = undefined;
        if (isOurs(event)) events.push(toReadableEvent(event));
      } else if (checkpoint) {
        this.#checkpoint = {
          commit: BigInt(checkpoint.getCommitPosition()),
          prepare: BigInt(checkpoint.getPreparePosition()),
        };
      } else if (message.hasCaughtUp()) this.#isLive = true;
      else if (message.hasFellBehind()) this.#isLive = false;
      else continue;
      this.#failures = 0;
    }
    return events.filter((event) => this.#filter.matches(event.stream));
  }

  /**
   * Moves the position through events that are not wanted: to the last checkpoint, and after a silence as far as the log
   * can be looked through. @returns whether the log holds a wanted event that has not come
   */
  async #advance(wasSilent: boolean): Promise<boolean> {
    if (this.#checkpoint && this.#checkpoint.commit > this.#position) {
      // A checkpoint may lie between two events, where nothing can be resumed: what counts is the event before it.
      this.#moveTo(await this.#log.newestBefore(this.#checkpoint));
    }
    this.#checkpoint = undefined;
    if (!wasSilent) return false;
    const places = await this.#log.placesAfter(this.#position, LOOK_EVENTS);
    const wanted = places.findIndex((place) => this.#filter.matches(place.stream));
    const passed = wanted < 0 ? places : places.slice(0, wanted);
    this.#moveTo(passed.at(-1)?.position);
    if (wanted < 0 && places.length < LOOK_EVENTS) this.#isLive = true;
    return wanted >= 0;
  }

  #moveTo(position: Position | undefined): void {
    if (position !== undefined && position > this.#position) this.#position = position;
  }
}
