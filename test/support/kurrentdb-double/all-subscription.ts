/**
 * Catch-up subscriptions to `$all`: the log from where the client is, then live events, and back again after falling behind.
 * Server: src/EventStore.Core/Services/Transport/Enumerators/Enumerator.AllSubscription.cs, Enumerator.AllSubscriptionFiltered.cs;
 * SubscriptionsService.cs (ProcessEventCommited). "Fell behind" is not sent to clients.
 */
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import {
  type AllPage,
  compare,
  InvalidPosition,
  LOG_START,
  type LogPosition,
  positionOf,
  readAllForwards,
} from './all-reader.ts';
import { CallEnded } from './call-helpers.ts';
import type { DoubleContext } from './double-context.ts';
import type { EventRecord } from './event-log.ts';
import { LiveEvents } from './live-events.ts';
import { type AllFilter, END, READ_BATCH_SIZE, toAllFilter, toAllStart } from './read-request.ts';
import { invalidPosition } from './rpc-errors.ts';
import { BEFORE_LOG, type ReadCall, SubscriptionDelivery } from './subscription-delivery.ts';

type LiveMessage = { readonly event: EventRecord } | { readonly checkpoint: LogPosition };

class AllSubscription {
  readonly #context: DoubleContext;
  readonly #delivery: SubscriptionDelivery;
  readonly #filter: AllFilter;
  readonly #live = new LiveEvents<LiveMessage>();
  /** Where the client is: events after it, and checkpoints not before it, are sent. */
  #checkpoint: LogPosition = BEFORE_LOG;
  #sequence = 0;

  constructor(context: DoubleContext, delivery: SubscriptionDelivery, filter: AllFilter) {
    this.#context = context;
    this.#delivery = delivery;
    this.#filter = filter;
  }

  async run(start: LogPosition | typeof END | undefined): Promise<void> {
    const { log } = this.#context.store;
    const confirmed: LogPosition = { commit: log.lastIndexedPosition, prepare: log.lastIndexedPosition };
    const stopListening = this.#listen();
    try {
      await this.#delivery.confirm();
      this.#checkpoint = start === END ? confirmed : (start ?? BEFORE_LOG);
      if (compare(this.#checkpoint, confirmed) >= 0) await this.#goLive();
      for (;;) {
        await this.#catchUp();
        await this.#goLive();
      }
    } finally {
      stopListening();
    }
  }

  // Server: SubscriptionsService.cs: every committed record counts towards the next checkpoint, wanted or not.
  #listen(): () => void {
    const { filter, checkpointInterval } = this.#filter;
    let considered = 0;
    const unfollow = this.#context.store.log.follow((event) => {
      if (filter(event)) this.#live.push({ event });
      considered++;
      if (checkpointInterval === undefined || considered < checkpointInterval) return;
      considered = 0;
      this.#live.push({ checkpoint: positionOf(event) });
    });
    const stopFalling = this.#context.faults.onFallBehind(() => this.#live.lose());
    return () => {
      unfollow();
      stopFalling();
    };
  }

  async #catchUp(): Promise<void> {
    const { log } = this.#context.store;
    const { filter, searchWindow, checkpointInterval = Number.POSITIVE_INFINITY } = this.#filter;
    let from = this.#checkpoint.commit < 0 ? LOG_START : this.#checkpoint;
    let considered = 0;
    for (;;) {
      const page = readAllForwards(log, { from, count: READ_BATCH_SIZE, searchWindow, filter });
      for (const record of page.records) {
        if (compare(positionOf(record), this.#checkpoint) <= 0) continue;
        await this.#delivery.event(record);
        this.#checkpoint = positionOf(record);
      }
      considered += page.considered;
      this.#advance(page);
      if (page.isEnd || considered >= checkpointInterval) {
        considered %= checkpointInterval;
        await this.#sendCheckpoint();
      }
      if (page.isEnd) return;
      from = page.next;
    }
  }

  /**
   * Where a page began is known to have been looked at, unless the page was empty: then the next event will begin there.
   * 24.10.4 and 25.0.0 took it all the same. Server: kurrent-io/KurrentDB pull request 4975.
   */
  #advance(page: AllPage): void {
    const isEmpty = compare(page.current, page.next) >= 0;
    const mayTake = !isEmpty || this.#context.checkpointsAtUnreadEvents;
    if (mayTake && compare(this.#checkpoint, page.current) < 0) this.#checkpoint = page.current;
    if (page.isEnd && this.#checkpoint.commit < 0) this.#checkpoint = LOG_START;
  }

  /** @returns when events were lost */
  async #goLive(): Promise<void> {
    await this.#delivery.caughtUp();
    for (;;) {
      const live = await this.#live.take(this.#delivery.signal);
      if (live === undefined) throw new CallEnded();
      const isNext = live.sequence === this.#sequence + 1;
      this.#sequence = live.sequence;
      if (live.item !== undefined && this.#isPassed(live.item)) continue;
      if (!isNext) return this.#sendCheckpoint();
      if (live.item !== undefined) await this.#send(live.item);
    }
  }

  #isPassed(message: LiveMessage): boolean {
    return 'event' in message
      ? compare(positionOf(message.event), this.#checkpoint) <= 0
      : compare(message.checkpoint, this.#checkpoint) < 0;
  }

  async #send(message: LiveMessage): Promise<void> {
    if ('event' in message) await this.#delivery.event(message.event);
    else await this.#delivery.checkpoint(message.checkpoint);
    this.#checkpoint = 'event' in message ? positionOf(message.event) : message.checkpoint;
  }

  async #sendCheckpoint(): Promise<void> {
    if (this.#filter.checkpointInterval !== undefined) await this.#delivery.checkpoint(this.#checkpoint);
  }
}

/** @throws RpcError, CallEnded */
export async function subscribeToAll(
  context: DoubleContext,
  call: ReadCall,
  options: ReadReq.Options,
  message: ReadReq.Options.AllOptions,
): Promise<void> {
  const filter = toAllFilter(options);
  const subscription = new AllSubscription(context, new SubscriptionDelivery(context, call, options), filter);
  try {
    await subscription.run(toAllStart(message));
  } catch (error) {
    throw error instanceof InvalidPosition ? invalidPosition() : error;
  }
}
