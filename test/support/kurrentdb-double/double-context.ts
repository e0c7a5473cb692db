/** What the services of one double share. */
import type { ServerReadableStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Access } from './access.ts';
import type { Faults } from './faults.ts';
import type { Store } from './store.ts';

/** Limits as the server has them; a test may lower them. */
export interface Limits {
  /** Bytes of one append. */
  readonly maxAppendSize: number;
  /** Milliseconds that a batch append may take to arrive. */
  readonly writeTimeoutMs: number;
}

// Server: src/EventStore.Core/Configuration/ClusterVNodeOptions.cs (MaxAppendSize, WriteTimeoutMs)
export const DEFAULT_LIMITS: Limits = { maxAppendSize: 1024 * 1024, writeTimeoutMs: 2_000 };

/** Any call, as far as its headers and its peer go. */
export type AnyCall = Pick<
  | ServerUnaryCall<unknown, unknown>
  | ServerReadableStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown>,
  'metadata' | 'getPeer' | 'cancelled'
>;

export interface DoubleContext {
  readonly store: Store;
  readonly faults: Faults;
  readonly access: Access;
  readonly limits: Limits;
  /** Whether filtered subscriptions name the place of an event that they have yet to read as a checkpoint. */
  readonly checkpointsAtUnreadEvents: boolean;
  /** Breaks the connection that a call came over. */
  dropConnectionOf(call: AnyCall): void;
}

/** Server: src/EventStore.Core/Services/Transport/Grpc/ServiceBase.cs (GetRequiresLeader): absent means no. */
export function requiresLeader(call: AnyCall): boolean {
  return call.metadata.get('requires-leader')[0]?.toString().toLowerCase() === 'true';
}
