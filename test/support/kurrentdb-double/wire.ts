/** Between the protocol's messages and the double's own terms. */

import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { DELETED_STREAM, type EventRecord } from './event-log.ts';

// Server: Position.cs, StreamRevision.cs: what is unknown travels as ulong.MaxValue, a tombstone's revision as long.MaxValue.
const DELETED_STREAM_ON_WIRE = '9223372036854775807';

export function toWireRevision(revision: number): string {
  return revision === DELETED_STREAM ? DELETED_STREAM_ON_WIRE : String(revision);
}

/** Numbers too large for JavaScript only ever mean "behind everything". */
export function fromWireNumber(value: string): number {
  return Number(value);
}

export function toStreamIdentifier(stream: string): StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  return identifier;
}

export function fromStreamIdentifier(identifier: StreamIdentifier | undefined): string {
  return identifier === undefined ? '' : Buffer.from(identifier.getStreamName_asU8()).toString('utf8');
}

/** Server: src/EventStore.Core/Services/Transport/Grpc/Uuid.cs */
export function toUuid(id: string, asString: boolean): UUID {
  const uuid = new shared.UUID();
  if (asString) {
    uuid.setString(id);
    return uuid;
  }
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  const structured = new shared.UUID.Structured();
  structured.setMostSignificantBits(bytes.readBigInt64BE(0).toString());
  structured.setLeastSignificantBits(bytes.readBigInt64BE(8).toString());
  uuid.setStructured(structured);
  return uuid;
}

const UUID_FORM = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

function withHyphens(hex: string): string {
  return hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @throws Error when it is no UUID, as `Guid.Parse` does */
export function fromUuid(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured();
  if (structured !== undefined) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(structured.getMostSignificantBits())), 0);
    bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(structured.getLeastSignificantBits())), 8);
    return withHyphens(bytes.toString('hex'));
  }
  const text = uuid?.getString() ?? '';
  if (!UUID_FORM.test(text)) throw new Error(`Unrecognized Guid format: '${text}'.`);
  return withHyphens(text.replaceAll('-', ''));
}

// Server: src/EventStore.Core/Services/Transport/Grpc/Constants.cs
export const METADATA_KEYS = { type: 'type', created: 'created', contentType: 'content-type' } as const;
export const JSON_CONTENT = 'application/json';
const BINARY_CONTENT = 'application/octet-stream';

const TICKS_PER_MILLISECOND = 10_000;

/** The setters that recorded events of reads and of persistent subscriptions share. */
interface RecordedEventMessage {
  setId(value: UUID): unknown;
  setStreamIdentifier(value: StreamIdentifier): unknown;
  setStreamRevision(value: string): unknown;
  setPreparePosition(value: string): unknown;
  setCommitPosition(value: string): unknown;
  setData(value: Uint8Array): unknown;
  setCustomMetadata(value: Uint8Array): unknown;
  getMetadataMap(): { set(key: string, value: string): unknown };
}

/** Server: src/EventStore.Core/Services/Transport/Grpc/Streams.Read.cs (ConvertToRecordedEvent) */
export function fillRecordedEvent<T extends RecordedEventMessage>(
  message: T,
  record: EventRecord,
  uuidAsString: boolean,
): T {
  message.setId(toUuid(record.id, uuidAsString));
  message.setStreamIdentifier(toStreamIdentifier(record.stream));
  message.setStreamRevision(toWireRevision(record.revision));
  message.setCommitPosition(String(record.position));
  message.setPreparePosition(String(record.position));
  message.setData(record.data);
  message.setCustomMetadata(record.metadata);
  const metadata = message.getMetadataMap();
  metadata.set(METADATA_KEYS.type, record.type);
  metadata.set(METADATA_KEYS.created, String(record.created * TICKS_PER_MILLISECOND));
  metadata.set(METADATA_KEYS.contentType, record.isJson ? JSON_CONTENT : BINARY_CONTENT);
  return message;
}
