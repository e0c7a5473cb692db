/** `Streams.Delete` and `Streams.Tombstone`. Server: src/EventStore.Core/Services/Transport/Grpc/Streams.Delete.cs */

import type { StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type {
  DeleteReq,
  DeleteResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { unary } from './call-helpers.ts';
import type { AnyCall, DoubleContext } from './double-context.ts';
import { toExpectedRevision } from './expected-revision.ts';
import { streamDeleted, timedOut, wrongExpectedVersion } from './rpc-errors.ts';
import type { WriteResult } from './store.ts';
import { fromStreamIdentifier } from './wire.ts';
import { carryOut } from './write-operations.ts';

interface DeleteOptions {
  getStreamIdentifier(): StreamIdentifier | undefined;
  hasRevision(): boolean;
  getRevision(): string;
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

type Deletion = (stream: string, expected: number) => WriteResult;

/** @returns the position, or `none` when it is not known, or nothing when no answer shall come */
function remove(
  context: DoubleContext,
  call: AnyCall,
  options: DeleteOptions,
  deletion: Deletion,
): number | 'none' | undefined {
  const stream = fromStreamIdentifier(options.getStreamIdentifier());
  const expected = toExpectedRevision(options);
  context.access.checkStream(call, stream, 'delete');
  const outcome = carryOut(context, call, () => deletion(stream, expected));
  switch (outcome.result) {
    case 'success':
      return outcome.position ?? 'none';
    case 'wrong_expected_version':
      throw wrongExpectedVersion('Delete', stream, expected, outcome.current);
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

interface PositionMessage {
  setCommitPosition(value: string): unknown;
  setPreparePosition(value: string): unknown;
}

function fill<T extends PositionMessage>(message: T, position: number): T {
  message.setCommitPosition(String(position));
  message.setPreparePosition(String(position));
  return message;
}

export function deleteHandler(context: DoubleContext): handleUnaryCall<DeleteReq, DeleteResp> {
  return unary((call) => {
    const options = call.request.getOptions() ?? new streams.DeleteReq.Options();
    const position = remove(context, call, options, (stream, expected) =>
      context.store.softDelete(stream, expected),
    );
    if (position === undefined) return undefined;
    const response = new streams.DeleteResp();
    if (position === 'none') response.setNoPosition(new shared.Empty());
    else response.setPosition(fill(new streams.DeleteResp.Position(), position));
    return response;
  });
}

export function tombstoneHandler(context: DoubleContext): handleUnaryCall<TombstoneReq, TombstoneResp> {
  return unary((call) => {
    const options = call.request.getOptions() ?? new streams.TombstoneReq.Options();
    const position = remove(context, call, options, (stream, expected) =>
      context.store.tombstone(stream, expected),
    );
    if (position === undefined) return undefined;
    const response = new streams.TombstoneResp();
    if (position === 'none') response.setNoPosition(new shared.Empty());
    else response.setPosition(fill(new streams.TombstoneResp.Position(), position));
    return response;
  });
}
