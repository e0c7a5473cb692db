/** `Streams.Read`: reads and subscriptions. Server: src/EventStore.Core/Services/Transport/Grpc/Streams.Read.cs */

import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { InvalidPosition, type LogPosition, readAllBackwards, readAllForwards } from './all-reader.ts';
import { subscribeToAll } from './all-subscription.ts';
import { ResponseWriter, serverStreaming } from './call-helpers.ts';
import { type DoubleContext, requiresLeader } from './double-context.ts';
import type { EventRecord } from './event-log.ts';
import { resolve } from './links.ts';
import { END, READ_BATCH_SIZE, toAllFilter, toAllStart, toReadStart, toStreamStart } from './read-request.ts';
import { ReadResponses } from './read-responses.ts';
import { invalidArgument, RpcError, streamDeleted } from './rpc-errors.ts';
import { readStreamBackwards, readStreamForwards, type StreamPage } from './stream-reader.ts';
import { subscribeToStream } from './stream-subscription.ts';
import { fromStreamIdentifier, fromWireNumber, toWireRevision } from './wire.ts';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** One read, page by page. */
class Read {
  readonly #context: DoubleContext;
  readonly #options: ReadReq.Options;
  readonly #responses: ReadResponses;
  readonly #writer: ResponseWriter<ReadResp>;
  readonly #limit: number;
  #given = 0;

  constructor(context: DoubleContext, call: ReadCall, options: ReadReq.Options) {
    this.#context = context;
    this.#options = options;
    this.#responses = new ReadResponses(options.getUuidOption()?.hasString() ?? false);
    this.#writer = new ResponseWriter(call);
    this.#limit = fromWireNumber(options.getCount());
  }

  async ofStream(message: ReadReq.Options.StreamOptions): Promise<void> {
    const stream = fromStreamIdentifier(message.getStreamIdentifier());
    let from = toStreamStart(message);
    const isForwards = this.#isForwards();
    for (let first = true; ; first = false) {
      const page = this.#streamPage(stream, from, isForwards);
      if (page.result === 'stream_deleted') throw streamDeleted(stream);
      if (page.result === 'no_stream') return this.#writer.write(this.#responses.streamNotFound(stream));
      if (first && isForwards) await this.#writeFirstPosition(page, from);
      await this.#give(page.records);
      from = page.next;
      if (page.isEnd || this.#given >= this.#limit) return this.#writeLastPosition(page);
    }
  }

  async ofAll(message: ReadReq.Options.AllOptions): Promise<void> {
    const { log } = this.#context.store;
    const { filter, searchWindow } = toAllFilter(this.#options);
    const read = this.#isForwards() ? readAllForwards : readAllBackwards;
    let from: LogPosition = toReadStart(toAllStart(message), log.writerPosition);
    for (;;) {
      const page = this.#atValidPosition(() =>
        read(log, { from, count: this.#pageSize(), searchWindow, filter }),
      );
      await this.#give(page.records);
      if (page.isEnd || this.#given >= this.#limit) return;
      from = page.next;
    }
  }

  #streamPage(stream: string, from: number | typeof END | undefined, isForwards: boolean): StreamPage {
    const { log } = this.#context.store;
    if (!isForwards) {
      const start = from === END ? undefined : (from ?? 0);
      return readStreamBackwards(log, stream, start, this.#pageSize());
    }
    const start = from === END ? log.lastRevision(stream) + 1 : (from ?? 0);
    return readStreamForwards(log, stream, start, this.#pageSize());
  }

  // Server: Enumerator.ReadStreamForwards.cs; only clients that ask for it (compatibility 1) are told.
  async #writeFirstPosition(page: StreamPage, from: number | typeof END | undefined): Promise<void> {
    if (page.result !== 'success' || page.records.length > 0 || !this.#tellsPositions()) return;
    if ((from ?? 0) === page.next) return;
    const response = new streams.ReadResp();
    response.setFirstStreamPosition(toWireRevision(page.next));
    await this.#writer.write(response);
  }

  async #writeLastPosition(page: StreamPage): Promise<void> {
    if (page.result !== 'success' || !this.#tellsPositions()) return;
    const response = new streams.ReadResp();
    response.setLastStreamPosition(toWireRevision(page.lastRevision));
    await this.#writer.write(response);
  }

  async #give(records: readonly EventRecord[]): Promise<void> {
    const { log } = this.#context.store;
    for (const record of records) {
      await this.#context.faults.delay();
      await this.#writer.write(this.#responses.event(resolve(log, record, this.#options.getResolveLinks())));
      this.#given++;
    }
  }

  // Server: Enumerator.ReadAllForwards.cs: what subscriptions call an invalid argument, reads call an unknown error.
  #atValidPosition<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof InvalidPosition)
        throw new RpcError(2, 'Unexpected ReadAllResult: InvalidPosition');
      throw error;
    }
  }

  #pageSize(): number {
    return Math.min(READ_BATCH_SIZE, this.#limit - this.#given);
  }

  #isForwards(): boolean {
    return this.#options.getReadDirection() === streams.ReadReq.Options.ReadDirection.FORWARDS;
  }

  #tellsPositions(): boolean {
    return (this.#options.getControlOption()?.getCompatibility() ?? 0) >= 1;
  }
}

async function read(context: DoubleContext, call: ReadCall): Promise<void> {
  const options = call.request.getOptions() ?? new streams.ReadReq.Options();
  if (!options.hasUuidOption())
    throw invalidArgument(' `uuidOption` is a required argument of type UUIDOption');
  const ofStream = options.getStream();
  const ofAll = options.getAll();
  const stream = ofStream === undefined ? '$all' : fromStreamIdentifier(ofStream.getStreamIdentifier());
  context.access.checkStream(call, stream, 'read');
  const refusal = context.faults.refusal(requiresLeader(call));
  if (refusal !== undefined) throw refusal;
  if (ofStream !== undefined && options.hasFilter()) throw invalidArgument('The combination is invalid.');
  if (options.hasSubscription()) {
    if (ofStream !== undefined) return subscribeToStream(context, call, options, ofStream);
    if (ofAll !== undefined) return subscribeToAll(context, call, options, ofAll);
  }
  const reading = new Read(context, call, options);
  if (ofStream !== undefined) return reading.ofStream(ofStream);
  if (ofAll !== undefined) return reading.ofAll(ofAll);
  throw invalidArgument("'None' is not a valid StreamOptionOneofCase");
}

export function readHandler(context: DoubleContext): handleServerStreamingCall<ReadReq, ReadResp> {
  return serverStreaming((call) => read(context, call));
}
