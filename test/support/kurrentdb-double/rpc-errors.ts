/** The server's refusals: a gRPC status with trailers that say more. Server: src/EventStore.Core/Services/Transport/Grpc/RpcExceptions.cs */
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';

/** A call ends with this. */
export class RpcError extends Error implements StatusObject {
  readonly code: status;
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(code: status, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, value);
  }
}

/** What a handler throws that is not a refusal of its own. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RpcError(status.UNKNOWN, `Exception was thrown by handler. ${reason}`);
}

export function invalidArgument(details: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, details);
}

export function unimplemented(method: string): RpcError {
  return new RpcError(status.UNIMPLEMENTED, `Service is unimplemented: ${method}`);
}

export function serverNotReady(): RpcError {
  return new RpcError(status.UNAVAILABLE, 'Server Is Not Ready');
}

export function notLeader(leader: { readonly host: string; readonly port: number }): RpcError {
  return new RpcError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.host,
    'leader-endpoint-port': String(leader.port),
  });
}

export function noLeaderInfo(): RpcError {
  return new RpcError(status.UNKNOWN, 'No leader info available in response');
}

export function timedOut(reason: string): RpcError {
  return new RpcError(status.ABORTED, `Operation timed out: ${reason}`);
}

export function invalidPosition(): RpcError {
  return invalidArgument('Trying to read from an invalid position.');
}

export function accessDenied(): RpcError {
  return new RpcError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
}

export function streamDeleted(stream: string): RpcError {
  return new RpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
}

export function wrongExpectedVersion(
  operation: string,
  stream: string,
  expected: number,
  actual: number,
): RpcError {
  return new RpcError(
    status.FAILED_PRECONDITION,
    `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  );
}

export function maxAppendSizeExceeded(limit: number): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });
}

export function requiredMetadataMissing(property: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });
}

function ofGroup(code: status, exception: string, stream: string, group: string, details: string): RpcError {
  return new RpcError(code, details, { exception, 'stream-name': stream, 'group-name': group });
}

export function groupDoesNotExist(stream: string, group: string): RpcError {
  const details = `Subscription group ${group} on stream ${stream} does not exist.`;
  return ofGroup(status.NOT_FOUND, 'persistent-subscription-does-not-exist', stream, group, details);
}

export function groupExists(stream: string, group: string): RpcError {
  const details = `Subscription group ${group} on stream ${stream} exists.`;
  return ofGroup(status.ALREADY_EXISTS, 'persistent-subscription-exists', stream, group, details);
}

export function groupFailed(stream: string, group: string, reason: string): RpcError {
  const details = `Subscription group ${group} on stream ${stream} failed: '${reason}'`;
  return new RpcError(status.INTERNAL, details, {
    exception: 'persistent-subscription-failed',
    'stream-name': stream,
    'group-name': group,
    reason,
  });
}

export function maximumSubscribersReached(stream: string, group: string): RpcError {
  const details = `Maximum subscriptions reached for subscription group ${group} on stream ${stream}.`;
  return ofGroup(status.FAILED_PRECONDITION, 'maximum-subscribers-reached', stream, group, details);
}

export function groupDropped(stream: string, group: string): RpcError {
  const details = `Subscription group ${group} on stream ${stream} was dropped.`;
  return ofGroup(status.CANCELLED, 'persistent-subscription-dropped', stream, group, details);
}
