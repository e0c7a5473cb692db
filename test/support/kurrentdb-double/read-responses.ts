/** Builds the messages of a read or a catch-up subscription. Server: Streams.Read.cs (TryConvertReadResponse, ConvertToReadEvent) */

import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { LogPosition } from './all-reader.ts';
import { originalOf, type ResolvedEvent } from './links.ts';
import { fillRecordedEvent, toStreamIdentifier } from './wire.ts';

export class ReadResponses {
  readonly #uuidAsString: boolean;

  constructor(uuidAsString: boolean) {
    this.#uuidAsString = uuidAsString;
  }

  event(resolved: ResolvedEvent): ReadResp {
    const message = new streams.ReadResp.ReadEvent();
    const { event, link } = resolved;
    const recorded = streams.ReadResp.ReadEvent.RecordedEvent;
    if (event !== undefined) message.setEvent(fillRecordedEvent(new recorded(), event, this.#uuidAsString));
    if (link !== undefined) message.setLink(fillRecordedEvent(new recorded(), link, this.#uuidAsString));
    message.setCommitPosition(String(originalOf(resolved).position));
    const response = new streams.ReadResp();
    response.setEvent(message);
    return response;
  }

  streamNotFound(stream: string): ReadResp {
    const message = new streams.ReadResp.StreamNotFound();
    message.setStreamIdentifier(toStreamIdentifier(stream));
    const response = new streams.ReadResp();
    response.setStreamNotFound(message);
    return response;
  }

  confirmation(subscriptionId: string): ReadResp {
    const message = new streams.ReadResp.SubscriptionConfirmation();
    message.setSubscriptionId(subscriptionId);
    const response = new streams.ReadResp();
    response.setConfirmation(message);
    return response;
  }

  checkpoint({ commit, prepare }: LogPosition): ReadResp {
    const message = new streams.ReadResp.Checkpoint();
    message.setCommitPosition(String(commit));
    message.setPreparePosition(String(prepare));
    const response = new streams.ReadResp();
    response.setCheckpoint(message);
    return response;
  }

  caughtUp(): ReadResp {
    const response = new streams.ReadResp();
    response.setCaughtUp(new streams.ReadResp.CaughtUp());
    return response;
  }
}
