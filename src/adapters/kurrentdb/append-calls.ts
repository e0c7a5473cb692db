/**
 * Sends appends over one call that carries many at once, and finds out what became of each. Every call knows its own
 * pending appends: when it breaks, theirs is the only outcome that becomes unknown.
 */
import { randomUUID } from 'node:crypto';
import { parseUUID } from '@eventstore/db-client/dist/utils/grpcUUID.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision, Position } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { BatchAppendCall, KurrentDbClient } from './client.ts';
import { toStoreError } from './errors.ts';
import type { ProposedMessage } from './event-mapping.ts';

/**
 * What became of an append: written (the server may leave the position out); a conflict; the stream is deleted;
 * refused for good; not done, which may go well later; or nobody knows.
 */
export type AppendOutcome =
  | { readonly kind: 'written'; readonly revision: number; readonly position: Position | undefined }
  | { readonly kind: 'conflict'; readonly actual: number | 'no_stream' }
  | { readonly kind: 'stream_deleted' }
  | { readonly kind: 'refused' | 'not_done' | 'unknown'; readonly error: StoreError };

export interface Append {
  readonly stream: string;
  readonly events: readonly ProposedMessage[];
  readonly expected: ExpectedRevision;
}

/** Bytes of events in one message; a larger append is sent in several, which the server takes as one. */
const MESSAGE_BYTES = 3 * 1024 * 1024;

export class AppendCalls {
  readonly #client: KurrentDbClient;
  readonly #confirm: () => Promise<void>;
  #current: Promise<OpenCall> | undefined;

  /** @param confirm asked before each call; what it throws is what becomes of the appends that wait for the call */
  constructor(client: KurrentDbClient, confirm: () => Promise<void>) {
    this.#client = client;
    this.#confirm = confirm;
  }

  /** Sends one append and waits for what becomes of it, for as long as one answer may take. */
  async send(append: Append): Promise<AppendOutcome> {
    let call: OpenCall;
    try {
      call = await this.#openCall();
    } catch (error) {
      const failure = toStoreError(this.#client.store, error);
      return { kind: failure.temporary ? 'not_done' : 'refused', error: failure };
    }
    return call.send(append);
  }

  #openCall(): Promise<OpenCall> {
    this.#current ??= this.#open();
    return this.#current;
  }

  #open(): Promise<OpenCall> {
    const opening: Promise<OpenCall> = this.#confirm()
      .then(() => this.#client.openBatchAppend())
      .then((stream) => new OpenCall(this.#client, stream, () => this.#forget(opening)));
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(call: Promise<OpenCall>): void {
    if (this.#current === call) this.#current = undefined;
  }
}

interface PendingAppend {
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly timer: NodeJS.Timeout;
}

class OpenCall {
  readonly #client: KurrentDbClient;
  readonly #stream: BatchAppendCall;
  readonly #ended: () => void;
  readonly #pending = new Map<string, PendingAppend>();
  #failure: StoreError | undefined;

  constructor(client: KurrentDbClient, stream: BatchAppendCall, ended: () => void) {
    this.#client = client;
    this.#stream = stream;
    this.#ended = ended;
    stream.on('data', (answer: BatchAppendResp) => this.#answered(answer));
    stream.on('error', (error: Error) => this.#fail(toStoreError(client.store, error)));
    stream.on('end', () =>
      this.#fail(new StoreError('unavailable', `${client.store} ended the call that carries appends.`)),
    );
  }

  send(append: Append): Promise<AppendOutcome> {
    // The call may have broken between its opening and now; then nothing was sent.
    if (this.#failure) return Promise.resolve({ kind: 'not_done', error: this.#failure });
    const id = randomUUID();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#late(id), this.#client.deadlineMs);
      this.#pending.set(id, { resolve, timer });
      for (const message of requestsFor(id, append)) this.#stream.write(message);
    });
  }

  #late(id: string): void {
    const what = `${this.#client.store} did not answer an append within ${this.#client.deadlineMs} ms.`;
    this.#settle(id, { kind: 'unknown', error: new StoreError('unavailable', what) });
  }

  /** An answer that nobody waits for any more is dropped: its append came to be unknown. */
  #answered(answer: BatchAppendResp): void {
    const id = parseUUID(answer.getCorrelationId());
    const success = answer.getSuccess();
    if (id === undefined) return;
    this.#settle(id, success ? writtenAt(success) : refusalOf(this.#client.store, answer.getError()));
  }

  #settle(id: string, outcome: AppendOutcome): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.resolve(outcome);
  }

  #fail(error: StoreError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#ended();
    // Access was refused to the call as a whole, so none of its appends was looked at.
    const kind = error.temporary ? 'unknown' : 'refused';
    for (const id of [...this.#pending.keys()]) this.#settle(id, { kind, error });
  }
}

function* requestsFor(id: string, append: Append): Generator<BatchAppendReq> {
  const correlation = new shared.UUID();
  correlation.setString(id);
  let message = new messages.BatchAppendReq();
  message.setOptions(optionsFor(append));
  let bytes = 0;
  for (const event of append.events) {
    const size = sizeOf(event);
    if (bytes > 0 && bytes + size > MESSAGE_BYTES) {
      message.setCorrelationId(correlation);
      yield message;
      message = new messages.BatchAppendReq();
      bytes = 0;
    }
    message.addProposedMessages(event);
    bytes += size;
  }
  message.setCorrelationId(correlation);
  message.setIsFinal(true);
  yield message;
}

/** Without a deadline of ours the server's own holds: a deadline is a time of day, and clocks differ. */
function optionsFor({ stream, expected }: Append): BatchAppendReq.Options {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  const options = new messages.BatchAppendReq.Options();
  options.setStreamIdentifier(identifier);
  if (expected === 'any') options.setAny(new shared.Empty());
  else if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else if (expected === 'stream_exists') options.setStreamExists(new shared.Empty());
  else options.setStreamPosition(String(expected));
  return options;
}

export function sizeOf(event: ProposedMessage): number {
  return event.getData_asU8().length + event.getCustomMetadata_asU8().length;
}

function writtenAt(success: BatchAppendResp.Success): AppendOutcome {
  const position = success.getPosition();
  return {
    kind: 'written',
    revision: Number(success.getCurrentRevision()),
    position: position ? BigInt(position.getCommitPosition()) : undefined,
  };
}

/** What the server says, by the type of the details; what it could not handle at all comes with empty ones. */
function refusalOf(store: string, status: Status | undefined): AppendOutcome {
  const type = status?.getDetails()?.getTypeName() ?? '';
  const message = status?.getMessage() ?? '';
  switch (type.slice(type.lastIndexOf('.') + 1)) {
    case 'WrongExpectedVersion':
      return conflictOf(status as Status, type);
    case 'StreamDeleted':
      return { kind: 'stream_deleted' };
    case 'AccessDenied':
      return refused('access_denied', `${store} says that these credentials lack the rights for this.`);
    case 'MaximumAppendSizeExceeded':
    case 'MaximumAppendEventSizeExceeded':
      return refused('invalid_request', `${store} takes no append as large as this one.`);
    case 'BadRequest':
      return refused('invalid_request', `${store} refuses the append: ${message}.`);
    case 'Empty':
      // No code: the server was not ready, too busy, or without a leader, and did nothing.
      return unavailable(
        status?.getCode() === 0 ? 'not_done' : 'unknown',
        `${store} cannot do it now: ${message}.`,
      );
    default:
      return unavailable('unknown', `${store} does not know what became of the append: ${message || type}.`);
  }
}

function conflictOf(status: Status, type: string): AppendOutcome {
  const details = status.getDetails()?.unpack(shared.WrongExpectedVersion.deserializeBinary, type);
  const actual = details?.hasCurrentStreamRevision()
    ? Number(details.getCurrentStreamRevision())
    : 'no_stream';
  return { kind: 'conflict', actual };
}

function refused(code: 'access_denied' | 'invalid_request', message: string): AppendOutcome {
  return { kind: 'refused', error: new StoreError(code, message) };
}

function unavailable(kind: 'not_done' | 'unknown', message: string): AppendOutcome {
  return { kind, error: new StoreError('unavailable', message) };
}
