/** What goes wrong with a server, in the words of the port; no message ever holds a credential. */
import {
  AccessDeniedError,
  convertToCommandError,
  InvalidArgumentError,
  isCommandError,
  MaxAppendSizeExceededError,
  PersistentSubscriptionDoesNotExistError,
  StreamDeletedError,
  UnsupportedError,
} from '@eventstore/db-client';
import { StoreError, type StoreErrorCode } from '../../event-sourcing/store-error.ts';

/** Status codes of gRPC, https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
export const GrpcStatus = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  UNIMPLEMENTED: 12,
  UNAUTHENTICATED: 16,
} as const;

/** The client's own kind of error for whatever a call or a stream failed with. */
export function toCommandError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return convertToCommandError(error) as Error;
}

/**
 * The port's error for whatever the client threw. What is not known to be final counts as `unavailable`: it may work
 * later, and a write's outcome is unknown.
 * @param store names the server
 */
export function toStoreError(store: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const command = toCommandError(error);
  const [code, what] = classify(command);
  return new StoreError(code, `${store} ${what}`, { cause: command });
}

function classify(error: Error): readonly [StoreErrorCode, string] {
  const status = isCommandError(error) ? error.code : undefined;
  if (error instanceof AccessDeniedError || status === GrpcStatus.UNAUTHENTICATED) {
    return ['access_denied', 'does not accept these credentials, or they lack the rights for this.'];
  }
  if (status === GrpcStatus.PERMISSION_DENIED) {
    return ['access_denied', 'says that these credentials lack the rights for this.'];
  }
  if (error instanceof UnsupportedError || status === GrpcStatus.UNIMPLEMENTED) {
    return ['unsupported', 'is too old: it lacks a call that OpenBank relies on.'];
  }
  if (error instanceof MaxAppendSizeExceededError) {
    return ['invalid_request', `takes at most ${error.maxAppendSize} bytes in one append.`];
  }
  if (error instanceof StreamDeletedError) {
    return ['invalid_request', 'says that the stream was deleted for ever (tombstoned).'];
  }
  if (error instanceof PersistentSubscriptionDoesNotExistError) {
    return ['invalid_request', 'has no such consumer group.'];
  }
  if (error instanceof InvalidArgumentError || status === GrpcStatus.INVALID_ARGUMENT) {
    return ['invalid_request', `refuses the request: ${error.message}`];
  }
  return ['unavailable', `did not do it: ${error.message || error.name}`];
}
