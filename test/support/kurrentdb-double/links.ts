/** Link events (`$>`): an event whose data `revision@stream` names another one. */
import { type EventLog, type EventRecord, LINK_TYPE } from './event-log.ts';
import { canRead } from './stream-reader.ts';

/** `event` is missing when a link leads nowhere, or nowhere any more. */
export interface ResolvedEvent {
  readonly event: EventRecord | undefined;
  readonly link: EventRecord | undefined;
}

/** The record that was asked for, be it a link or not. */
export function originalOf({ event, link }: ResolvedEvent): EventRecord {
  return (link ?? event) as EventRecord;
}

/**
 * Server: src/EventStore.Core/Services/Storage/StorageReaderWorker.cs (ResolveLinkToEvent): a link that leads nowhere is
 * given without an event.
 */
export function resolve(log: EventLog, record: EventRecord, resolveLinks: boolean): ResolvedEvent {
  if (!resolveLinks || record.type !== LINK_TYPE) return { event: record, link: undefined };
  const target = Buffer.from(record.data).toString('utf8');
  const separator = target.indexOf('@');
  const revision = Number(target.slice(0, separator));
  const event =
    separator > 0 && Number.isInteger(revision)
      ? log.recordsOf(target.slice(separator + 1))[revision]
      : undefined;
  return { event: event !== undefined && canRead(log, event) ? event : undefined, link: record };
}
