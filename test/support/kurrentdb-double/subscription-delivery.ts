/** Sends the messages of one catch-up subscription. */
import { randomUUID } from 'node:crypto';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { compare, type LogPosition } from './all-reader.ts';
import { CallEnded, ResponseWriter } from './call-helpers.ts';
import type { DoubleContext } from './double-context.ts';
import type { EventRecord } from './event-log.ts';
import { resolve } from './links.ts';
import { ReadResponses } from './read-responses.ts';
import { serverNotReady } from './rpc-errors.ts';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Before the first position of the log. */
export const BEFORE_LOG: LogPosition = { commit: -1, prepare: -1 };

export class SubscriptionDelivery {
  readonly #responses: ReadResponses;
  readonly #context: DoubleContext;
  readonly #call: ReadCall;
  readonly #writer: ResponseWriter<ReadResp>;
  readonly #resolveLinks: boolean;
  #newestCheckpoint = BEFORE_LOG;

  constructor(context: DoubleContext, call: ReadCall, options: ReadReq.Options) {
    this.#context = context;
    this.#call = call;
    this.#writer = new ResponseWriter(call);
    this.#resolveLinks = options.getResolveLinks();
    this.#responses = new ReadResponses(options.getUuidOption()?.hasString() ?? false);
  }

  get signal(): AbortSignal {
    return this.#writer.signal;
  }

  confirm(): Promise<void> {
    return this.#writer.write(this.#responses.confirmation(randomUUID()));
  }

  caughtUp(): Promise<void> {
    return this.#writer.write(this.#responses.caughtUp());
  }

  async event(record: EventRecord): Promise<void> {
    const { faults, store } = this.#context;
    await faults.delay();
    await this.#writer.write(this.#responses.event(resolve(store.log, record, this.#resolveLinks)));
    const end = faults.countDelivered();
    if (end === undefined) return;
    if (end === 'unavailable') throw serverNotReady();
    // The bytes of the event leave before the connection breaks.
    setImmediate(() => this.#context.dropConnectionOf(this.#call));
    throw new CallEnded();
  }

  /** A checkpoint is sent once, and never after a later one. */
  async checkpoint(position: LogPosition): Promise<void> {
    if (position.commit < 0 || compare(position, this.#newestCheckpoint) <= 0) return;
    this.#newestCheckpoint = position;
    await this.#writer.write(this.#responses.checkpoint(position));
  }
}
