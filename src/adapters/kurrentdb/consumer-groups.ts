/** The ConsumerGroups port on persistent subscriptions to the whole log; they need a user with an administrator's rights. */
import {
  eventTypeFilter,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionExistsError,
  type PersistentSubscriptionToAllSettings,
  persistentSubscriptionToAllSettingsFromDefaults,
  type RegexFilter,
  streamNameFilter,
} from '@eventstore/db-client';
import {
  type ConsumeOptions,
  type ConsumerGroupSettings,
  type ConsumerGroups,
  type Delivery,
  type EventSelection,
  MAX_RETRIES_DEFAULT,
  MESSAGE_TIMEOUT_MS_DEFAULT,
  type ParkedMessage,
} from '../../event-sourcing/consumer-groups.ts';
import type { Position } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Appends } from './appends.ts';
import type { KurrentDbClient } from './client.ts';
import { toStoreError } from './errors.ts';
import { toReadableEvent, toSystemMessage } from './event-mapping.ts';
import { GroupCall, type WireMessage } from './group-call.ts';
import { placeAt } from './log-reader.ts';
import type { ParkedMessages } from './parked-messages.ts';
import { IDENTITY_STREAM, streamFilter, typeRegex } from './read-request.ts';
import { pause, retrying } from './retry.ts';
import { refuseWhenClosed, type StreamReader } from './stream-reader.ts';

const TRIES = 5;
const IN_FLIGHT_DEFAULT = 10;
/** Deliveries without an answer that are remembered; far more than any consumer has in flight. */
const UNANSWERED_MAX = 10_000;
/** The server reads so many events at once; its buffers must hold more. */
const READ_BATCH_EVENTS = 100;
const BUFFER_EVENTS = 1_000;
/** Marks where a group begins that wants what comes next; it lies in a stream that no group ever gets to see. */
const BEGINNING_TYPE = 'ConsumerGroupBegan';

/** What the groups share with the store that they belong to. */
export interface GroupParts {
  readonly client: KurrentDbClient;
  readonly closing: AbortSignal;
  readonly reader: StreamReader;
  readonly appends: Appends;
  readonly parked: ParkedMessages;
}

export class KurrentDbConsumerGroups implements ConsumerGroups {
  readonly #client: KurrentDbClient;
  readonly #closing: AbortSignal;
  readonly #reader: StreamReader;
  readonly #appends: Appends;
  readonly #parked: ParkedMessages;

  constructor({ client, closing, reader, appends, parked }: GroupParts) {
    this.#client = client;
    this.#closing = closing;
    this.#reader = reader;
    this.#appends = appends;
    this.#parked = parked;
  }

  async ensureGroup(settings: ConsumerGroupSettings): Promise<void> {
    const wanted = {
      maxRetryCount: settings.maxRetries ?? MAX_RETRIES_DEFAULT,
      messageTimeout: settings.messageTimeoutMs ?? MESSAGE_TIMEOUT_MS_DEFAULT,
    };
    await this.#retried(async () => {
      const current = await this.#settingsOf(settings.name);
      if (!current) return this.#create(settings, wanted);
      if (
        current.maxRetryCount === wanted.maxRetryCount &&
        current.messageTimeout === wanted.messageTimeout
      ) {
        return;
      }
      // Where it began stays; where it is by now, the server remembers.
      await this.#client.updatePersistentSubscriptionToAll(settings.name, { ...current, ...wanted });
    });
  }

  async *consume(group: string, options: ConsumeOptions): AsyncGenerator<Delivery> {
    const { signal, maxInFlight = IN_FLIGHT_DEFAULT } = options;
    for (let failures = 0; !signal.aborted; ) {
      refuseWhenClosed(this.#client.store, this.#closing);
      try {
        for await (const delivery of this.#takePart(group, maxInFlight, signal)) {
          failures = 0;
          yield delivery;
        }
      } catch (error) {
        const failure = toStoreError(this.#client.store, error);
        if (failure.code !== 'unavailable') throw failure;
      }
      if (signal.aborted) return;
      failures += 1;
      await pause(failures, AbortSignal.any([signal, this.#closing]));
    }
  }

  async countParked(group: string): Promise<number> {
    refuseWhenClosed(this.#client.store, this.#closing);
    return this.#parked.count(group);
  }

  async listParked(group: string, { limit }: { limit: number }): Promise<ParkedMessage[]> {
    refuseWhenClosed(this.#client.store, this.#closing);
    return this.#parked.list(group, limit);
  }

  async replayParked(group: string, { limit }: { limit: number }): Promise<number> {
    refuseWhenClosed(this.#client.store, this.#closing);
    return this.#parked.replay(group, limit);
  }

  async discardParked(group: string, { limit }: { limit: number }): Promise<number> {
    refuseWhenClosed(this.#client.store, this.#closing);
    return this.#parked.discard(group, limit);
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#retried(async () => {
      try {
        await this.#client.deletePersistentSubscriptionToAll(group);
      } catch (error) {
        if (!(error instanceof PersistentSubscriptionDoesNotExistError)) throw error;
      }
    });
  }

  /** One call, until it ends or breaks. */
  async *#takePart(group: string, maxInFlight: number, signal: AbortSignal): AsyncGenerator<Delivery> {
    const settings = await this.#settingsOf(group);
    if (!settings) throw new StoreError('invalid_request', `There is no consumer group ${group}.`);
    const call = await GroupCall.open(this.#client, group, maxInFlight, [signal, this.#closing]);
    const answers = new Answers(call);
    try {
      for (;;) {
        const next = await call.next();
        if (!next) return;
        const until = next.arrivedAt + settings.messageTimeout;
        // It waited here for too long: the server has sent it again, or will.
        if (Date.now() >= until) continue;
        const delivery = await this.#delivery(next.message, answers, until);
        if (delivery) yield delivery;
      }
    } finally {
      call.cancel();
    }
  }

  /** A message whose event is gone by now leaves nothing to do, so it is acknowledged. */
  async #delivery(message: WireMessage, answers: Answers, until: number): Promise<Delivery | undefined> {
    const link = message.getLink();
    const original = message.getEvent();
    const id = (link ?? original)?.getId()?.getString() ?? '';
    const answer = answers.expect(id, until);
    if (!original) {
      answer((call) => call.ack(id));
      return undefined;
    }
    const event = toReadableEvent(original);
    // A replayed message comes as a link, and with the link's position.
    const position = link ? await this.#reader.positionOf(event.stream, event.revision) : undefined;
    return {
      event: { ...event, position: position ?? event.position },
      retries: message.getRetryCount(),
      ack: async () => answer((call) => call.ack(id)),
      nack: async (action, reason) => answer((call) => call.nack(id, action, reason)),
    };
  }

  async #create(
    settings: ConsumerGroupSettings,
    wanted: Pick<PersistentSubscriptionToAllSettings, 'maxRetryCount' | 'messageTimeout'>,
  ): Promise<void> {
    const startFrom =
      settings.startFrom === 'first_event' ? 'start' : placeAt(await this.#markBeginning(settings));
    try {
      await this.#client.createPersistentSubscriptionToAll(
        settings.name,
        persistentSubscriptionToAllSettingsFromDefaults({
          ...wanted,
          startFrom,
          readBatchSize: READ_BATCH_EVENTS,
          historyBufferSize: BUFFER_EVENTS,
          liveBufferSize: BUFFER_EVENTS,
          // As soon as possible: a restart of the server delivers again what lies behind its checkpoint.
          checkPointLowerBound: 1,
        }),
        { filter: serverFilter(settings) },
      );
    } catch (error) {
      // Somebody else was quicker.
      if (!(error instanceof PersistentSubscriptionExistsError)) throw error;
    }
  }

  /**
   * "The end" moves on with every change of the settings until the first checkpoint is written; the place of an event
   * does not. A group begins with the event at its place, so it must be one that the group does not want.
   */
  async #markBeginning({ name }: ConsumerGroupSettings): Promise<Position> {
    const mark = toSystemMessage(BEGINNING_TYPE, JSON.stringify({ group: name }));
    const marked = await this.#appends.appendSystemEvent(IDENTITY_STREAM, mark, 'any');
    if (marked.ok) return marked.position;
    throw new StoreError('unavailable', `The beginning of the consumer group ${name} could not be marked.`);
  }

  async #settingsOf(group: string): Promise<PersistentSubscriptionToAllSettings | undefined> {
    try {
      return (await this.#client.getPersistentSubscriptionToAllInfo(group)).settings;
    } catch (error) {
      if (error instanceof PersistentSubscriptionDoesNotExistError) return undefined;
      throw error;
    }
  }

  #retried(work: () => Promise<void>): Promise<void> {
    refuseWhenClosed(this.#client.store, this.#closing);
    return retrying(TRIES, this.#closing, () =>
      work().catch((error: unknown) => {
        throw toStoreError(this.#client.store, error);
      }),
    );
  }
}

function serverFilter({ streamPrefixes, eventTypes }: EventSelection): RegexFilter {
  return eventTypes
    ? eventTypeFilter({ regex: typeRegex(eventTypes) })
    : streamNameFilter({ regex: streamFilter(streamPrefixes ?? []).regex });
}

/**
 * Lets through what still counts. The server takes an answer by the id of the event alone, so one that is late, or to a
 * delivery that was followed by another of the same event, would answer for whoever has the event by now.
 */
class Answers {
  readonly #call: GroupCall;
  /** The newest delivery of each event that was not answered yet, the oldest first. */
  readonly #newest = new Map<string, symbol>();

  constructor(call: GroupCall) {
    this.#call = call;
  }

  /** @returns how to answer the delivery that just came; after `until` that does nothing */
  expect(id: string, until: number): (send: (call: GroupCall) => void) => void {
    const delivery = Symbol(id);
    this.#newest.delete(id);
    this.#newest.set(id, delivery);
    // A consumer that never answers leaves them behind; the oldest were given to others long ago.
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > UNANSWERED_MAX && oldest !== undefined) this.#newest.delete(oldest);
    return (send) => {
      if (this.#newest.get(id) !== delivery) return;
      this.#newest.delete(id);
      if (Date.now() < until) send(this.#call);
    };
  }
}
