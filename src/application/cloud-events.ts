/** Each domain event as a CloudEvent 1.0, and the JSON Schema of every type's data. Pure. */
import type { CloudEventV1 } from 'cloudevents';
import { z } from 'zod';
import type { BankEvent } from '../domain/bank-event.ts';
import { TRANSFER_EVENT_TYPES } from '../domain/transfer.ts';
import type { Recorded } from '../event-sourcing/codec.ts';
import { PUBLISHED } from './published-types.ts';

/** How CloudEvents are named. */
export interface CloudEventNames {
  readonly source: string;
  /** First part of every type: `bank` in `bank.transaction.v1`. */
  readonly typePrefix: string;
  /** Absolute URL under which the schemas are served. */
  readonly schemas: string;
}

/** The names of the published types, without the prefix. */
export const PUBLISHED_TYPES: readonly string[] = Object.values(PUBLISHED).map(({ name }) => name);

/** The JSON Schema of a published type's data; `undefined` for a type that is not published. */
export function dataSchemaOf(type: string, names: CloudEventNames): Record<string, unknown> | undefined {
  const published = Object.values(PUBLISHED).find(({ name }) => type === `${names.typePrefix}.${name}`);
  if (!published) return undefined;
  // Consumers must not stumble over fields that are added later, so the schema leaves room for them.
  const schema = z.toJSONSchema(published.data, { io: 'input' });
  return { $id: schemaUrl(type, names), title: type, ...schema };
}

/** Whether the event says nothing of the currency of its amounts, which is then that of its account. */
export function needsCurrency(event: BankEvent): boolean {
  const { data } = event;
  if ('currency' in data) return false;
  return 'old_limit' in data || 'final_balance' in data || 'daily_limit' in data || 'monthly_fee' in data;
}

/**
 * Maps one event.
 * @param accountCurrency needed where `needsCurrency` says so
 */
export function toCloudEvent(
  event: Recorded<BankEvent>,
  names: CloudEventNames,
  accountCurrency?: string,
): CloudEventV1<object> {
  const { metadata, stream } = event;
  const type = `${names.typePrefix}.${PUBLISHED[event.type].name}`;
  return {
    specversion: '1.0',
    id: event.id,
    source: names.source,
    type,
    subject: metadata.aggregate_id,
    time: metadata.timestamp,
    datacontenttype: 'application/json',
    dataschema: schemaUrl(type, names),
    correlationid: metadata.correlation_id,
    causationid: metadata.causation_id,
    partitionkey: stream,
    sequence: String(event.revision).padStart(SEQUENCE_DIGITS, '0'),
    ...(metadata.traceparent ? { traceparent: metadata.traceparent } : {}),
    data: dataOf(event, accountCurrency),
  };
}

/** The sequence extension compares texts, so that numbers need leading zeros. */
const SEQUENCE_DIGITS = 10;

function dataOf({ type, data, metadata }: Recorded<BankEvent>, accountCurrency?: string): object {
  if (type === 'PersonRegisteredDomainEventV1') return { person_id: metadata.aggregate_id, ...data };
  if (isOfTransfer(type)) return { transfer_id: metadata.aggregate_id, ...data };
  if (type === 'BankAccountBooksClosedDomainEventV1') {
    // The rest is for folding the account, and nobody else's affair.
    const { period_end, balance, currency, totals } = data;
    return { account_id: metadata.aggregate_id, period_end, balance, currency, totals };
  }
  const ofAccount = accountCurrency === undefined ? {} : { currency: accountCurrency };
  return { account_id: metadata.aggregate_id, ...ofAccount, ...data };
}

function isOfTransfer(type: BankEvent['type']): boolean {
  return (TRANSFER_EVENT_TYPES as readonly string[]).includes(type);
}

function schemaUrl(type: string, { schemas }: CloudEventNames): string {
  return `${schemas}/${type}`;
}
