/** How the server refuses one of the appends of a batch, or says that it succeeded. */
import codes from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { ANY, NO_STREAM, STREAM_EXISTS } from './event-log.ts';
import { toStreamIdentifier, toWireRevision } from './wire.ts';

interface PackableMessage {
  serializeBinary(): Uint8Array;
}

/** Server: src/EventStore.Core/Services/Transport/Grpc/Status.cs */
function failure(
  code: number,
  name: string,
  details: PackableMessage,
  typeName = `event_store.client.${name}`,
): Status {
  const packed = new any.Any();
  packed.pack(details.serializeBinary(), typeName);
  const status = new statuses.Status();
  status.setCode(code);
  status.setMessage(name);
  status.setDetails(packed);
  return status;
}

export function accessDenied(): Status {
  return failure(codes.Code.PERMISSION_DENIED, 'AccessDenied', new shared.AccessDenied());
}

export function timedOut(): Status {
  return failure(codes.Code.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout());
}

export function badRequest(message: string): Status {
  const details = new shared.BadRequest();
  details.setMessage(message);
  return failure(codes.Code.INVALID_ARGUMENT, 'BadRequest', details);
}

export function sizeExceeded(limit: number): Status {
  const details = new shared.MaximumAppendSizeExceeded();
  details.setMaxappendsize(limit);
  return failure(codes.Code.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', details);
}

// Server: src/EventStore.Core/Services/Transport/Grpc/WrongExpectedVersion.cs
export function conflicted(expected: number, current: number): Status {
  const details = new shared.WrongExpectedVersion();
  if (current === NO_STREAM) details.setCurrentNoStream(new empty.Empty());
  else details.setCurrentStreamRevision(toWireRevision(current));
  if (expected === ANY) details.setExpectedAny(new empty.Empty());
  else if (expected === NO_STREAM) details.setExpectedNoStream(new empty.Empty());
  else if (expected === STREAM_EXISTS) details.setExpectedStreamExists(new empty.Empty());
  else details.setExpectedStreamPosition(toWireRevision(expected));
  return failure(codes.Code.ALREADY_EXISTS, 'WrongExpectedVersion', details);
}

export function deleted(stream: string): Status {
  const details = new shared.StreamDeleted();
  details.setStreamIdentifier(toStreamIdentifier(stream));
  return failure(codes.Code.NOT_FOUND, 'StreamDeleted', details);
}

// Server: BatchAppendResp.cs (Success.Completed)
export function succeeded(lastRevision: number, position: number | undefined): BatchAppendResp.Success {
  const success = new streams.BatchAppendResp.Success();
  if (lastRevision === NO_STREAM) success.setNoStream(new empty.Empty());
  else success.setCurrentRevision(toWireRevision(lastRevision));
  if (position === undefined) success.setNoPosition(new empty.Empty());
  else {
    const place = new shared.AllStreamPosition();
    place.setCommitPosition(String(position));
    place.setPreparePosition(String(position));
    success.setPosition(place);
  }
  return success;
}

/** A node that cannot handle the write says why in words only. */
export function notHandled(reason: string): Status {
  return failure(codes.Code.OK, reason, new empty.Empty(), 'google.protobuf.Empty');
}
