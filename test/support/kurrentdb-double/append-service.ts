/** `Streams.Append`: one append per call. Server: src/EventStore.Core/Services/Transport/Grpc/Streams.Append.cs */
import { finished } from 'node:stream';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { handleClientStreamingCall, ServerReadableStream } from '@grpc/grpc-js';
import type { DoubleContext } from './double-context.ts';
import { ANY, NO_STREAM, type ProposedEvent, STREAM_EXISTS } from './event-log.ts';
import { toExpectedRevision } from './expected-revision.ts';
import {
  maxAppendSizeExceeded,
  requiredMetadataMissing,
  streamDeleted,
  timedOut,
  toRpcError,
} from './rpc-errors.ts';
import { fromStreamIdentifier, fromUuid, JSON_CONTENT, METADATA_KEYS, toWireRevision } from './wire.ts';
import { carryOut, type WriteOutcome } from './write-operations.ts';

/** Bytes that count against the limit. Server: src/EventStore.Core/Data/Event.cs (SizeOnDisk): a type's letters count twice. */
export function sizeOnDisk({ data, metadata, type }: ProposedEvent): number {
  return data.length + metadata.length + type.length * 2;
}

function toProposedEvent(message: AppendReq.ProposedMessage): ProposedEvent {
  const metadata = message.getMetadataMap();
  const type = metadata.get(METADATA_KEYS.type);
  if (type === undefined) throw requiredMetadataMissing(METADATA_KEYS.type);
  const contentType = metadata.get(METADATA_KEYS.contentType);
  if (contentType === undefined) throw requiredMetadataMissing(METADATA_KEYS.contentType);
  return {
    id: fromUuid(message.getId()),
    type,
    isJson: contentType === JSON_CONTENT,
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

function succeeded(lastRevision: number, position: number | undefined): AppendResp {
  const success = new streams.AppendResp.Success();
  if (lastRevision === NO_STREAM) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(toWireRevision(lastRevision));
  if (position === undefined) success.setNoPosition(new shared.Empty());
  else {
    const place = new streams.AppendResp.Position();
    place.setCommitPosition(String(position));
    place.setPreparePosition(String(position));
    success.setPosition(place);
  }
  const response = new streams.AppendResp();
  response.setSuccess(success);
  return response;
}

function conflicted(expected: number, current: number): AppendResp {
  const conflict = new streams.AppendResp.WrongExpectedVersion();
  if (expected === ANY) conflict.setExpectedAny(new shared.Empty());
  else if (expected === STREAM_EXISTS) conflict.setExpectedStreamExists(new shared.Empty());
  else if (expected === NO_STREAM) conflict.setExpectedNoStream(new shared.Empty());
  else conflict.setExpectedRevision(toWireRevision(expected));
  if (current === NO_STREAM) conflict.setCurrentNoStream(new shared.Empty());
  else conflict.setCurrentRevision(toWireRevision(current));
  const response = new streams.AppendResp();
  response.setWrongExpectedVersion(conflict);
  return response;
}

function toResponse(outcome: WriteOutcome, stream: string, expected: number): AppendResp | undefined {
  switch (outcome.result) {
    case 'success':
      return succeeded(outcome.lastRevision, outcome.position);
    case 'wrong_expected_version':
      return conflicted(expected, outcome.current);
    case 'stream_deleted':
      throw streamDeleted(stream);
    case 'timeout':
      throw timedOut(`${outcome.phase} phase timeout.`);
    case 'refused':
      throw outcome.error;
    case 'silence':
      return undefined;
  }
}

/** What has arrived of one call. */
class IncomingAppend {
  readonly #context: DoubleContext;
  readonly #call: ServerReadableStream<AppendReq, AppendResp>;
  readonly #events: ProposedEvent[] = [];
  #target: { readonly stream: string; readonly expected: number } | undefined;
  #size = 0;

  constructor(context: DoubleContext, call: ServerReadableStream<AppendReq, AppendResp>) {
    this.#context = context;
    this.#call = call;
  }

  /** @throws RpcError */
  take(request: AppendReq): void {
    const options = request.getOptions();
    if (options !== undefined) {
      const stream = fromStreamIdentifier(options.getStreamIdentifier());
      this.#context.access.checkStream(this.#call, stream, 'write');
      this.#target = { stream, expected: toExpectedRevision(options) };
      return;
    }
    const event = toProposedEvent(request.getProposedMessage() ?? new streams.AppendReq.ProposedMessage());
    this.#size += sizeOnDisk(event);
    const { maxAppendSize } = this.#context.limits;
    if (this.#size > maxAppendSize) throw maxAppendSizeExceeded(maxAppendSize);
    this.#events.push(event);
  }

  /** @throws RpcError */
  finish(): AppendResp | undefined {
    if (this.#target === undefined)
      throw new Error('Operation is not valid due to the current state of the object.');
    const { stream, expected } = this.#target;
    const outcome = carryOut(this.#context, this.#call, () =>
      this.#context.store.write(stream, expected, this.#events),
    );
    return toResponse(outcome, stream, expected);
  }
}

export function appendHandler(context: DoubleContext): handleClientStreamingCall<AppendReq, AppendResp> {
  return (call, respond) => {
    const incoming = new IncomingAppend(context, call);
    let answered = false;
    const answer = (work: () => AppendResp | undefined): void => {
      if (answered) return;
      try {
        const response = work();
        if (response === undefined) return;
        answered = true;
        respond(null, response);
      } catch (error) {
        answered = true;
        respond(toRpcError(error));
      }
    };
    call.on('data', (request: AppendReq) => {
      answer(() => {
        incoming.take(request);
        return undefined;
      });
    });
    call.on('end', () => answer(() => incoming.finish()));
    finished(call, () => undefined);
  };
}
