/**
 * Catch-up subscriptions to one stream.
 * Server: src/EventStore.Core/Services/Transport/Enumerators/Enumerator.StreamSubscription.cs
 */
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { CallEnded } from './call-helpers.ts';
import type { DoubleContext } from './double-context.ts';
import { DELETED_STREAM, type EventRecord, STREAM_DELETED_TYPE } from './event-log.ts';
import { LiveEvents } from './live-events.ts';
import { END, READ_BATCH_SIZE, toStreamStart } from './read-request.ts';
import { streamDeleted } from './rpc-errors.ts';
import { readStreamForwards } from './stream-reader.ts';
import { type ReadCall, SubscriptionDelivery } from './subscription-delivery.ts';
import { fromStreamIdentifier } from './wire.ts';

class StreamSubscription {
  readonly #context: DoubleContext;
  readonly #delivery: SubscriptionDelivery;
  readonly #stream: string;
  readonly #live = new LiveEvents<EventRecord>();
  /** The revision that was sent last. */
  #checkpoint = -1;
  #sequence = 0;

  constructor(context: DoubleContext, delivery: SubscriptionDelivery, stream: string) {
    this.#context = context;
    this.#delivery = delivery;
    this.#stream = stream;
  }

  async run(start: number | typeof END | undefined): Promise<void> {
    const { log } = this.#context.store;
    const last = log.lastRevision(this.#stream);
    if (last === DELETED_STREAM) throw streamDeleted(this.#stream);
    const unfollow = log.follow((record) => {
      if (record.stream === this.#stream) this.#live.push(record);
    });
    const stopFalling = this.#context.faults.onFallBehind(() => this.#live.lose());
    try {
      await this.#delivery.confirm();
      this.#checkpoint = start === END ? last : (start ?? -1);
      if (this.#checkpoint >= last) await this.#goLive();
      for (;;) {
        await this.#catchUp();
        await this.#goLive();
      }
    } finally {
      unfollow();
      stopFalling();
    }
  }

  async #catchUp(): Promise<void> {
    let from = this.#checkpoint + 1;
    for (;;) {
      const page = readStreamForwards(this.#context.store.log, this.#stream, from, READ_BATCH_SIZE);
      if (page.result === 'stream_deleted') throw streamDeleted(this.#stream);
      if (page.result === 'no_stream') return;
      for (const record of page.records) await this.#send(record);
      if (page.isEnd) return;
      from = page.next;
    }
  }

  /** @returns when events were lost */
  async #goLive(): Promise<void> {
    await this.#delivery.caughtUp();
    for (;;) {
      const live = await this.#live.take(this.#delivery.signal);
      if (live === undefined) throw new CallEnded();
      const isNext = live.sequence === this.#sequence + 1;
      this.#sequence = live.sequence;
      if (live.item !== undefined && live.item.revision <= this.#checkpoint) continue;
      if (!isNext) return;
      if (live.item !== undefined) await this.#send(live.item);
    }
  }

  async #send(record: EventRecord): Promise<void> {
    await this.#delivery.event(record);
    this.#checkpoint = record.revision;
    if (record.type === STREAM_DELETED_TYPE) throw streamDeleted(this.#stream);
  }
}

/** @throws RpcError, CallEnded */
export function subscribeToStream(
  context: DoubleContext,
  call: ReadCall,
  options: ReadReq.Options,
  message: ReadReq.Options.StreamOptions,
): Promise<void> {
  const stream = fromStreamIdentifier(message.getStreamIdentifier());
  const delivery = new SubscriptionDelivery(context, call, options);
  return new StreamSubscription(context, delivery, stream).run(toStreamStart(message));
}
