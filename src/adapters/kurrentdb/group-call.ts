/** One consumer's call: messages of a group come as fast as they are answered, answers go back by event id. */

import type { ReadResp } from '@eventstore/db-client/generated/persistent_pb.js';
import messages from '@eventstore/db-client/generated/persistent_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { StoreError } from '../../event-sourcing/store-error.ts';
import type { GroupCallStream, KurrentDbClient } from './client.ts';
import { toStoreError } from './errors.ts';
import type { Endings } from './read-call.ts';

export type WireMessage = NonNullable<ReturnType<ReadResp['getEvent']>>;

export interface GroupMessage {
  readonly message: WireMessage;
  /** By this process's clock, in milliseconds; the server's timeout has been running for a little longer. */
  readonly arrivedAt: number;
}

const ACTIONS = {
  park: messages.ReadReq.Nack.Action.PARK,
  retry: messages.ReadReq.Nack.Action.RETRY,
} as const;

export class GroupCall {
  readonly #stream: GroupCallStream;
  readonly #endings: Endings;
  /** Never more than the unanswered messages that the server may send. */
  #waiting: GroupMessage[] = [];
  #ended = false;
  #failure: StoreError | undefined;
  #wake: (() => void) | undefined;

  /** @param maxInFlight unanswered messages that the server may send */
  static async open(
    client: KurrentDbClient,
    group: string,
    maxInFlight: number,
    endings: Endings,
  ): Promise<GroupCall> {
    const stream = await client.openGroup().catch((error: unknown) => {
      throw toStoreError(client.store, error);
    });
    const call = new GroupCall(client.store, stream, endings);
    if (!call.#ended) stream.write(joinRequest(group, maxInFlight));
    return call;
  }

  private constructor(store: string, stream: GroupCallStream, endings: Endings) {
    this.#stream = stream;
    this.#endings = endings;
    stream.on('error', (error: Error) => this.#end(toStoreError(store, error)));
    stream.on('end', () => this.#end());
    stream.on('data', (message: ReadResp) => this.#receive(message));
    for (const ending of endings) {
      if (ending.aborted) this.cancel();
      else ending.addEventListener('abort', this.cancel, { once: true });
    }
  }

  /** @returns the next message, or `undefined` when the call has ended; @throws StoreError that it failed with */
  async next(): Promise<GroupMessage | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // What still waits when the call breaks is delivered again, here or to another: nobody could answer it any more.
    if (!this.#ended) return this.#waiting.shift();
    if (this.#failure) throw this.#failure;
    return undefined;
  }

  /** Sends an answer; without the call there is nobody who waits for one. */
  ack(id: string): void {
    const ack = new messages.ReadReq.Ack();
    ack.addIds(uuid(id));
    const request = new messages.ReadReq();
    request.setAck(ack);
    if (!this.#ended) this.#stream.write(request);
  }

  nack(id: string, action: 'retry' | 'park', reason: string): void {
    const nack = new messages.ReadReq.Nack();
    nack.addIds(uuid(id));
    nack.setAction(ACTIONS[action]);
    nack.setReason(reason);
    const request = new messages.ReadReq();
    request.setNack(nack);
    if (!this.#ended) this.#stream.write(request);
  }

  /** Leaves the group; what is in flight goes to others. */
  readonly cancel = (): void => {
    this.#end();
    this.#stream.cancel();
  };

  #receive(message: ReadResp): void {
    const event = message.getEvent();
    if (event) this.#waiting.push({ message: event, arrivedAt: Date.now() });
    this.#wake?.();
  }

  #end(failure?: StoreError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const ending of this.#endings) ending.removeEventListener('abort', this.cancel);
    this.#wake?.();
  }
}

function joinRequest(group: string, maxInFlight: number): InstanceType<typeof messages.ReadReq> {
  const ids = new messages.ReadReq.Options.UUIDOption();
  ids.setString(new shared.Empty());
  const options = new messages.ReadReq.Options();
  options.setAll(new shared.Empty());
  options.setGroupName(group);
  options.setBufferSize(maxInFlight);
  options.setUuidOption(ids);
  const request = new messages.ReadReq();
  request.setOptions(options);
  return request;
}

function uuid(id: string): InstanceType<typeof shared.UUID> {
  const value = new shared.UUID();
  value.setString(id);
  return value;
}
