/** How an event travels: ours into the server's messages and back, so that it reads back equal. */
import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import {
  type EventMetadata,
  type NewEvent,
  REQUIRED_METADATA,
  type RecordedEvent,
  UNREADABLE_EVENT_TYPE,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';

export type ProposedMessage = BatchAppendReq.ProposedMessage;

const JSON_CONTENT = 'application/json';
const TICKS_PER_MILLISECOND = 10_000n;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What KurrentDB's own tools follow; they repeat two of our fields, so they are taken off again on reading. */
const CORRELATION_KEY = '$correlationId';
const CAUSATION_KEY = '$causationId';

/** What reads and persistent subscriptions share of a recorded event on the wire. */
export interface WireEvent {
  getId(): { hasString(): boolean; getString(): string } | undefined;
  getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined;
  getStreamRevision(): string;
  getCommitPosition(): string;
  getMetadataMap(): { get(key: string): string | undefined };
  getData_asU8(): Uint8Array;
  getCustomMetadata_asU8(): Uint8Array;
}

/**
 * Our event as the server takes it; the bytes are made at once, so later changes of the event change nothing.
 * @throws StoreError `invalid_request` for what has no JSON, or an id that is no UUID
 */
export function toProposedMessage(event: NewEvent): ProposedMessage {
  if (!UUID.test(event.id)) {
    throw new StoreError('invalid_request', `An event id is a UUID, not ${JSON.stringify(event.id)}.`);
  }
  const { correlation_id, causation_id } = event.metadata;
  const metadata = { ...event.metadata, [CORRELATION_KEY]: correlation_id, [CAUSATION_KEY]: causation_id };
  return proposedMessage(event.id, event.type, toJson(event.data), toJson(metadata));
}

/** One of the server's own kinds of event, such as a stream's metadata. @param data JSON text */
export function toSystemMessage(type: string, data: string): ProposedMessage {
  return proposedMessage(randomUUID(), type, data, '');
}

function proposedMessage(id: string, type: string, data: string, metadata: string): ProposedMessage {
  const uuid = new shared.UUID();
  uuid.setString(id);
  const message = new messages.BatchAppendReq.ProposedMessage();
  message.setId(uuid);
  message.getMetadataMap().set('type', type);
  message.getMetadataMap().set('content-type', JSON_CONTENT);
  message.setData(Buffer.from(data));
  message.setCustomMetadata(Buffer.from(metadata));
  return message;
}

/** Where an event stands in the log, and in which stream. */
export function placeOf(event: WireEvent): Pick<RecordedEvent, 'stream' | 'revision' | 'position'> {
  return {
    stream: text(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()),
    revision: Number(event.getStreamRevision()),
    position: BigInt(event.getCommitPosition()),
  };
}

/** @throws StoreError `corrupt`, naming the place, when the event does not hold what this program writes */
export function toRecordedEvent(event: WireEvent): RecordedEvent {
  const data = parsed(event.getData_asU8());
  const metadata = metadataOf(event);
  if (event.getMetadataMap().get('content-type') !== JSON_CONTENT || !data || !metadata) {
    const { stream, revision, position } = placeOf(event);
    throw new StoreError(
      'corrupt',
      `The event at revision ${revision} of ${stream} (position ${position}) cannot be read.`,
      { place: { stream, revision } },
    );
  }
  return recordedEvent(event, event.getMetadataMap().get('type') ?? UNREADABLE_EVENT_TYPE, data, metadata);
}

/** Whoever goes on behind an event that cannot be read is told by its type, which nobody knows. */
export function toReadableEvent(event: WireEvent): RecordedEvent {
  try {
    return toRecordedEvent(event);
  } catch {
    return recordedEvent(event, UNREADABLE_EVENT_TYPE, {}, metadataOf(event) ?? ({} as EventMetadata));
  }
}

function recordedEvent(event: WireEvent, type: string, data: object, metadata: EventMetadata): RecordedEvent {
  return {
    id: event.getId()?.getString() ?? '',
    type,
    ...placeOf(event),
    recordedAt: recordedAt(event),
    data,
    metadata,
  };
}

/** The server's clock, in ticks of 100 nanoseconds since 1970: more than a number can hold exactly. */
export function recordedAt(event: WireEvent): string {
  const ticks = BigInt(event.getMetadataMap().get('created') ?? 0);
  return timeOf(Number(ticks / TICKS_PER_MILLISECOND));
}

/** Events that were written together share their time, so the last one is kept as text. */
let lastTime = { ms: 0, text: new Date(0).toISOString() };

function timeOf(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}

function metadataOf(event: WireEvent): EventMetadata | undefined {
  const whole = parsed(event.getCustomMetadata_asU8()) as Record<string, unknown> | undefined;
  if (!whole || REQUIRED_METADATA.some((key) => typeof whole[key] !== 'string')) return undefined;
  const { [CORRELATION_KEY]: _correlation, [CAUSATION_KEY]: _causation, ...ours } = whole;
  return ours as unknown as EventMetadata;
}

/** The JSON object or list in the bytes, if there is one. */
export function parsed(bytes: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(text(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** What has no JSON is refused here, before anything is sent. */
function toJson(value: object): string {
  try {
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined) return json;
  } catch (cause) {
    throw new StoreError('invalid_request', `An event cannot be written as JSON (${cause}).`, { cause });
  }
  throw new StoreError('invalid_request', 'An event cannot be written as JSON.');
}
