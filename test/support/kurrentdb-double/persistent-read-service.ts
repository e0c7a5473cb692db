/** `PersistentSubscriptions.Read`: a consumer's call. Server: src/EventStore.Core/Services/Transport/Grpc/PersistentSubscriptions.Read.cs */

import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/persistent_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_pb.js';
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { CallEnded, ResponseWriter } from './call-helpers.ts';
import { type DoubleContext, requiresLeader } from './double-context.ts';
import type { EventRecord } from './event-log.ts';
import { originalOf } from './links.ts';
import type { Consumer } from './persistent-consumers.ts';
import type { NackAction, PersistentGroup } from './persistent-group.ts';
import type { PersistentGroups } from './persistent-groups.ts';
import type { Message } from './persistent-messages.ts';
import { ALL_STREAM } from './persistent-settings.ts';
import { groupDropped, maximumSubscribersReached, serverNotReady, toRpcError } from './rpc-errors.ts';
import { fillRecordedEvent, fromStreamIdentifier, fromUuid } from './wire.ts';

type ConsumerCall = ServerDuplexStream<ReadReq, ReadResp>;

// In the order of the protocol's numbers.
const NACK_ACTIONS: readonly NackAction[] = ['unknown', 'park', 'retry', 'skip', 'stop'];

/** The positions of a resolved event are its link's. (ConvertToReadEvent) */
function toReadEvent({ resolved, retryCount }: Message, uuidAsString: boolean): ReadResp {
  const message = new persistent.ReadResp.ReadEvent();
  const recorded = persistent.ReadResp.ReadEvent.RecordedEvent;
  const position = String(originalOf(resolved).position);
  const fill = (record: EventRecord): InstanceType<typeof recorded> => {
    const filled = fillRecordedEvent(new recorded(), record, uuidAsString);
    filled.setCommitPosition(position);
    filled.setPreparePosition(position);
    return filled;
  };
  if (resolved.event !== undefined) message.setEvent(fill(resolved.event));
  if (resolved.link !== undefined) message.setLink(fill(resolved.link));
  message.setCommitPosition(position);
  message.setRetryCount(retryCount);
  const response = new persistent.ReadResp();
  response.setEvent(message);
  return response;
}

class ConsumerSession {
  readonly #context: DoubleContext;
  readonly #call: ConsumerCall;
  readonly #writer: ResponseWriter<ReadResp>;
  /** Answers leave one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #joined: { readonly group: PersistentGroup; readonly consumer: Consumer } | undefined;

  constructor(context: DoubleContext, call: ConsumerCall) {
    this.#context = context;
    this.#call = call;
    this.#writer = new ResponseWriter(call);
    this.#writer.signal.addEventListener('abort', () => this.leave());
  }

  take(request: ReadReq, groups: PersistentGroups): void {
    try {
      if (this.#joined === undefined) this.#join(request, groups);
      else this.#answer(request, this.#joined.group);
    } catch (error) {
      this.#fail(error);
    }
  }

  leave(): void {
    const joined = this.#joined;
    this.#joined = undefined;
    joined?.group.disconnect(joined.consumer);
  }

  #join(request: ReadReq, groups: PersistentGroups): void {
    const options = request.getOptions();
    if (options === undefined)
      throw new Error('Operation is not valid due to the current state of the object.');
    const stream = options.hasAll() ? ALL_STREAM : fromStreamIdentifier(options.getStreamIdentifier());
    this.#context.access.checkConsumer(this.#call, stream);
    const refusal = this.#context.faults.refusal(
      requiresLeader(this.#call) || this.#context.faults.isFollowing,
    );
    if (refusal !== undefined) throw refusal;
    const group = groups.get(stream, options.getGroupName());
    if (group.hasMostConsumers) throw maximumSubscribersReached(stream, options.getGroupName());
    const uuidAsString = options.getUuidOption()?.hasString() ?? false;
    const name = this.#call.metadata.get('connection-name')[0]?.toString() ?? '<unknown>';
    this.#send(confirmation(group.key));
    const sink = {
      deliver: (message: Message) => this.#deliver(toReadEvent(message, uuidAsString)),
      drop: () => this.#fail(groupDropped(stream, options.getGroupName())),
    };
    this.#joined = { group, consumer: group.connect(name, options.getBufferSize(), sink) };
  }

  #answer(request: ReadReq, group: PersistentGroup): void {
    const ack = request.getAck();
    const nack = request.getNack();
    if (ack !== undefined) group.ack(ack.getIdsList().map(fromUuid));
    if (nack !== undefined) {
      const action = NACK_ACTIONS[nack.getAction()] ?? 'unknown';
      group.nack(action, nack.getReason(), nack.getIdsList().map(fromUuid));
    }
  }

  #deliver(response: ReadResp): void {
    this.#send(response, async () => {
      const end = this.#context.faults.countDelivered();
      if (end === 'unavailable') throw serverNotReady();
      if (end === 'connection') setImmediate(() => this.#context.dropConnectionOf(this.#call));
    });
  }

  #send(response: ReadResp, afterwards: () => Promise<void> = async () => undefined): void {
    this.#sending = this.#sending.then(async () => {
      try {
        if (response.hasEvent()) await this.#context.faults.delay();
        await this.#writer.write(response);
        await afterwards();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #fail(error: unknown): void {
    this.leave();
    if (!(error instanceof CallEnded)) this.#call.emit('error', toRpcError(error));
  }
}

function confirmation(key: string): ReadResp {
  const message = new persistent.ReadResp.SubscriptionConfirmation();
  message.setSubscriptionId(key);
  const response = new persistent.ReadResp();
  response.setSubscriptionConfirmation(message);
  return response;
}

export function consumeHandler(
  context: DoubleContext,
  groups: PersistentGroups,
): handleBidiStreamingCall<ReadReq, ReadResp> {
  return (call) => {
    const session = new ConsumerSession(context, call);
    call.on('data', (request: ReadReq) => session.take(request, groups));
    call.on('end', () => {
      session.leave();
      call.end();
    });
    call.on('error', () => session.leave());
  };
}
