/** The expected revision of a request, in the server's numbers. Server: src/EventStore.Core/Services/Transport/Grpc/AnyStreamRevision.cs */
import { ANY, NO_STREAM, STREAM_EXISTS } from './event-log.ts';
import { invalidArgument } from './rpc-errors.ts';
import { fromWireNumber } from './wire.ts';

/** The options of appends, deletes and tombstones alike. */
interface ExpectedRevisionOptions {
  hasRevision(): boolean;
  getRevision(): string;
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

/** @throws RpcError when the request does not say */
export function toExpectedRevision(options: ExpectedRevisionOptions): number {
  if (options.hasRevision()) return fromWireNumber(options.getRevision());
  if (options.hasNoStream()) return NO_STREAM;
  if (options.hasAny()) return ANY;
  if (options.hasStreamExists()) return STREAM_EXISTS;
  throw invalidArgument("'None' is not a valid ExpectedStreamRevisionOneofCase");
}
