/** `Streams.BatchAppend`: many appends over one call. Server: src/EventStore.Core/Services/Transport/Grpc/Streams.BatchAppend.cs */

import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { sizeOnDisk } from './append-service.ts';
import {
  accessDenied,
  badRequest,
  conflicted,
  deleted,
  notHandled,
  sizeExceeded,
  succeeded,
  timedOut,
} from './batch-append-statuses.ts';
import type { DoubleContext } from './double-context.ts';
import { ANY, NO_STREAM, type ProposedEvent, STREAM_EXISTS } from './event-log.ts';
import { invalidArgument, RpcError, toRpcError } from './rpc-errors.ts';
import {
  fromStreamIdentifier,
  fromUuid,
  fromWireNumber,
  JSON_CONTENT,
  METADATA_KEYS,
  toStreamIdentifier,
} from './wire.ts';
import { carryOut, type WriteOutcome } from './write-operations.ts';

type BatchCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

function toExpected(options: BatchAppendReq.Options): number {
  if (options.hasStreamPosition()) return fromWireNumber(options.getStreamPosition());
  if (options.hasNoStream()) return NO_STREAM;
  if (options.hasAny()) return ANY;
  if (options.hasStreamExists()) return STREAM_EXISTS;
  throw invalidArgument("'None' is not a valid ExpectedStreamPositionOneofCase");
}

function toProposedEvent(message: BatchAppendReq.ProposedMessage): ProposedEvent {
  const metadata = message.getMetadataMap();
  const type = metadata.get(METADATA_KEYS.type);
  const contentType = metadata.get(METADATA_KEYS.contentType);
  if (type === undefined || contentType === undefined) throw new Error('The given key was not present.');
  return {
    id: fromUuid(message.getId()),
    type,
    isJson: contentType === JSON_CONTENT,
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

interface PendingWrite {
  readonly stream: string;
  readonly expected: number;
  readonly events: ProposedEvent[];
  readonly timer: NodeJS.Timeout;
  size: number;
}

/** One call; its writes are told apart by their correlation ids. */
class BatchAppendWorker {
  readonly #context: DoubleContext;
  readonly #call: BatchCall;
  readonly #pending = new Map<string, PendingWrite>();

  constructor(context: DoubleContext, call: BatchCall) {
    this.#context = context;
    this.#call = call;
  }

  take(request: BatchAppendReq): void {
    const correlationId = request.getCorrelationId();
    const identifier = request.getOptions()?.getStreamIdentifier();
    try {
      if (request.hasOptions() && !this.#begin(request)) return;
      this.#collect(request);
    } catch (error) {
      if (error instanceof RpcError && error.code === 16) this.#fail(error);
      else this.#refuse(correlationId, identifier, badRequest(toRpcError(error).details));
    }
  }

  close(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
  }

  /** @returns whether the write may go on */
  #begin(request: BatchAppendReq): boolean {
    const options = request.getOptions() as BatchAppendReq.Options;
    const correlationId = request.getCorrelationId();
    const identifier = options.getStreamIdentifier();
    const stream = fromStreamIdentifier(identifier);
    const refusal = this.#refusal(stream, identifier === undefined, options);
    if (refusal !== undefined) {
      this.#refuse(correlationId, identifier, refusal);
      return false;
    }
    const id = fromUuid(correlationId);
    if (this.#pending.has(id)) return true;
    const expected = toExpected(options);
    const timer = setTimeout(() => this.#timeOut(id, correlationId), this.#timeoutOf(options));
    timer.unref();
    this.#pending.set(id, { stream, expected, events: [], timer, size: 0 });
    return true;
  }

  #refusal(stream: string, isStreamMissing: boolean, options: BatchAppendReq.Options): Status | undefined {
    try {
      this.#context.access.checkStream(this.#call, stream, 'write');
    } catch (error) {
      if (error instanceof RpcError && error.code === 7) return accessDenied();
      throw error;
    }
    if (isStreamMissing) return badRequest('Required field StreamIdentifier not set.');
    return this.#timeoutOf(options) <= 0 ? timedOut() : undefined;
  }

  // Server: the deadline of this client's protocol is a point in time (deadline_21_10_0), capped by the write timeout.
  #timeoutOf(options: BatchAppendReq.Options): number {
    const deadline = options.getDeadline();
    const wanted =
      deadline === undefined ? Number.POSITIVE_INFINITY : deadline.toDate().getTime() - Date.now();
    return Math.min(wanted, this.#context.limits.writeTimeoutMs);
  }

  #timeOut(id: string, correlationId: UUID | undefined): void {
    const write = this.#pending.get(id);
    if (write === undefined) return;
    this.#pending.delete(id);
    this.#refuse(correlationId, toStreamIdentifier(write.stream), timedOut());
  }

  #collect(request: BatchAppendReq): void {
    const id = fromUuid(request.getCorrelationId());
    const write = this.#pending.get(id);
    if (write === undefined) return;
    const { maxAppendSize } = this.#context.limits;
    for (const message of request.getProposedMessagesList()) {
      const event = toProposedEvent(message);
      write.size += sizeOnDisk(event);
      write.events.push(event);
    }
    if (write.size > maxAppendSize) {
      this.#forget(id, write);
      const identifier = toStreamIdentifier(write.stream);
      this.#refuse(request.getCorrelationId(), identifier, sizeExceeded(maxAppendSize));
      return;
    }
    if (!request.getIsFinal()) return;
    this.#forget(id, write);
    this.#commit(request.getCorrelationId(), write);
  }

  #forget(id: string, { timer }: PendingWrite): void {
    clearTimeout(timer);
    this.#pending.delete(id);
  }

  #commit(correlationId: UUID | undefined, { stream, expected, events }: PendingWrite): void {
    const outcome = carryOut(this.#context, this.#call, () =>
      this.#context.store.write(stream, expected, events),
    );
    this.#answer(correlationId, stream, expected, outcome);
  }

  #answer(correlationId: UUID | undefined, stream: string, expected: number, outcome: WriteOutcome): void {
    const identifier = toStreamIdentifier(stream);
    switch (outcome.result) {
      case 'success':
        this.#succeed(correlationId, identifier, succeeded(outcome.lastRevision, outcome.position));
        break;
      case 'wrong_expected_version':
        this.#refuse(correlationId, identifier, conflicted(expected, outcome.current));
        break;
      case 'stream_deleted':
        this.#refuse(correlationId, identifier, deleted(stream));
        break;
      case 'timeout':
        this.#refuse(correlationId, identifier, timedOut());
        break;
      case 'refused':
        this.#notHandled(correlationId, identifier, outcome.error);
        break;
      case 'silence':
        break;
    }
  }

  #succeed(
    correlationId: UUID | undefined,
    identifier: StreamIdentifier,
    success: BatchAppendResp.Success,
  ): void {
    const response = this.#response(correlationId, identifier);
    response.setSuccess(success);
    this.#send(response);
  }

  // Server: ConvertMessage: a known leader ends the whole call, anything else only answers this write.
  #notHandled(correlationId: UUID | undefined, identifier: StreamIdentifier, error: RpcError): void {
    if (error.metadata.get('exception')[0] === 'not-leader') {
      this.#fail(error);
      return;
    }
    const status = notHandled(error.details);
    this.#refuse(correlationId, identifier, status);
  }

  #refuse(correlationId: UUID | undefined, identifier: StreamIdentifier | undefined, status: Status): void {
    const response = this.#response(correlationId, identifier);
    response.setError(status);
    this.#send(response);
  }

  #response(correlationId: UUID | undefined, identifier: StreamIdentifier | undefined): BatchAppendResp {
    const response = new streams.BatchAppendResp();
    response.setCorrelationId(correlationId);
    response.setStreamIdentifier(identifier);
    return response;
  }

  #send(response: BatchAppendResp): void {
    if (!this.#call.cancelled && !this.#call.destroyed) this.#call.write(response);
  }

  #fail(error: RpcError): void {
    this.close();
    this.#call.emit('error', error);
  }
}

export function batchAppendHandler(
  context: DoubleContext,
): handleBidiStreamingCall<BatchAppendReq, BatchAppendResp> {
  return (call) => {
    const worker = new BatchAppendWorker(context, call);
    call.on('data', (request: BatchAppendReq) => worker.take(request));
    call.on('end', () => {
      worker.close();
      call.end();
    });
    call.on('cancelled', () => worker.close());
    call.on('error', () => worker.close());
  };
}
