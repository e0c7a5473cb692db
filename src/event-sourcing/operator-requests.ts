/**
 * What operators ask of background consumers goes through the event log: it works from any node, survives restarts, and
 * who asked for what stays on record. A consumer acts on the requests that name it.
 */

import type { CommandContext } from './aggregate.ts';
import type {
  EventMetadata,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
  RecordedEvent,
} from './event-store.ts';
import { operationMetadata } from './operation-log.ts';
import { StoreError } from './store-error.ts';

/** All streams of requests begin so; consumers subscribe to it beside their own prefixes. */
export const OPERATOR_STREAM_PREFIX = 'operator-';
export const OPERATOR_REQUESTS_STREAM = 'operator-requests';

/** Which dead letters are meant: all of a consumer, those of one document, or (with its position) one of those. */
export interface DeadLetterSelection {
  /** The projection or reactor. */
  readonly consumer: string;
  readonly document_key?: string;
  /** Decimal digits. */
  readonly position?: string;
}

/** Try them again. With a position: those of the document up to it, because its order is kept. */
export interface DeadLettersRetryRequested {
  readonly type: 'DeadLettersRetryRequestedV1';
  readonly data: DeadLetterSelection;
}

/** Give them up. With a position: just that one. */
export interface DeadLettersDiscardRequested {
  readonly type: 'DeadLettersDiscardRequestedV1';
  readonly data: DeadLetterSelection & { readonly reason: string };
}

export type DeadLettersRequest = DeadLettersRetryRequested | DeadLettersDiscardRequested;

/** Asks something of the projections that are led together. */
export interface ProjectionRequest {
  readonly type: ProjectionRequestType;
  /** The group of projections. */
  readonly data: { readonly consumer: string };
}

export const PROJECTION_REQUEST_TYPES = [
  'ProjectionRebuildRequestedV1',
  'ProjectionRebuildCancelledV1',
  'ProjectionPausedV1',
  'ProjectionResumedV1',
] as const;

export type ProjectionRequestType = (typeof PROJECTION_REQUEST_TYPES)[number];

export type OperatorRequest = DeadLettersRequest | ProjectionRequest;

/** Reads a request about dead letters out of the log; `undefined` for what is none that this version knows. */
export function toOperatorRequest(event: RecordedEvent): DeadLettersRequest | undefined {
  const { type, data } = event;
  if (type !== 'DeadLettersRetryRequestedV1' && type !== 'DeadLettersDiscardRequestedV1') return undefined;
  return isSelection(data) ? ({ type, data } as DeadLettersRequest) : undefined;
}

/** Reads a request about projections out of the log; `undefined` for what is none. */
export function toProjectionRequest({ type, data }: RecordedEvent): ProjectionRequest | undefined {
  const known = PROJECTION_REQUEST_TYPES.find((one) => one === type);
  const { consumer } = data as Record<string, unknown>;
  return known && typeof consumer === 'string' ? { type: known, data: { consumer } } : undefined;
}

function isSelection(data: object): data is DeadLetterSelection {
  const { consumer, document_key, position } = data as Record<string, unknown>;
  return (
    typeof consumer === 'string' &&
    (document_key === undefined || typeof document_key === 'string') &&
    (position === undefined ||
      (typeof position === 'string' && /^\d{1,20}$/.test(position) && document_key !== undefined))
  );
}

export interface RecordedRequest {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
}

/** Writes requests. */
export class OperatorRequests {
  readonly #store: Pick<EventStore, 'append'>;
  readonly #newId: () => string;
  readonly #now: () => Date;

  constructor(options: { store: Pick<EventStore, 'append'>; newId: () => string; now: () => Date }) {
    this.#store = options.store;
    this.#newId = options.newId;
    this.#now = options.now;
  }

  /** Puts a request on record, where its consumer will find it. @throws StoreError when the store could not take it */
  async record(request: OperatorRequest, context: CommandContext): Promise<RecordedRequest> {
    const written = await this.recordAt(request, context, 'any');
    // Nothing was expected, so nothing can have conflicted.
    if (!written) throw new StoreError('busy', `${OPERATOR_REQUESTS_STREAM} could not be written.`);
    return written;
  }

  /** The same, unless another request came first: then `undefined`. */
  async recordAt(
    request: OperatorRequest,
    context: CommandContext,
    expected: ExpectedRevision,
  ): Promise<RecordedRequest | undefined> {
    const { operation, ...ids } = context;
    const metadata: EventMetadata = {
      aggregate_type: 'OperatorRequests',
      aggregate_id: request.data.consumer,
      timestamp: this.#now().toISOString(),
      ...ids,
      ...operationMetadata(operation),
    };
    const event: NewEvent = { id: this.#newId(), ...request, metadata };
    const result = await this.#store.append(OPERATOR_REQUESTS_STREAM, [event], expected);
    if (!result.ok) return undefined;
    return { stream: OPERATOR_REQUESTS_STREAM, revision: result.revision, position: result.position };
  }
}
