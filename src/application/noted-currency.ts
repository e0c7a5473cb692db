/**
 * The default currency that a bank with accounts of version 1 began with, put on record: such accounts do not say which
 * one they have, so it must never become another one. It stands in the log, so exports and backups have it too.
 */
import { isCurrency } from '../domain/currency.ts';
import type { EventReader, EventStore, NewEvent, RecordedEvent } from '../event-sourcing/event-store.ts';
import { OPERATOR_STREAM_PREFIX } from '../event-sourcing/operator-requests.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type { CurrencyEvidence } from './currency-of-version-1.ts';

const STREAM = `${OPERATOR_STREAM_PREFIX}default-currency`;
const NOTED = 'DefaultCurrencyNotedV1';

/** @throws StoreError when the store cannot be read, or `corrupt` when what stands there is no note */
export async function notedCurrency(
  reader: Pick<EventReader, 'readStream'>,
): Promise<CurrencyEvidence | undefined> {
  for await (const event of reader.readStream(STREAM, { limit: 1 })) {
    const { stream, revision } = event;
    const wrong = misnoted(event);
    if (wrong === undefined) return { ...(event.data as { currency: string }), stream, revision };
    const place = { stream, revision };
    throw new StoreError('corrupt', `Revision ${revision} of ${stream} is no currency: ${wrong}.`, { place });
  }
  return undefined;
}

/** @returns why an event of this stream is no note, so that no bank could start with it; nothing for all other events */
export function misnoted({
  stream,
  type,
  data,
}: Pick<RecordedEvent, 'stream' | 'type' | 'data'>): string | undefined {
  if (stream !== STREAM) return undefined;
  if (type !== NOTED) return `${type} is no ${NOTED}`;
  const { currency } = data as { currency?: unknown };
  const isOne = typeof currency === 'string' && isCurrency(currency);
  return isOne ? undefined : `${JSON.stringify(currency)} is not an ISO 4217 currency`;
}

/**
 * Puts it on record, unless another process was faster.
 * @returns what is on record now
 * @throws StoreError when the store could not take it
 */
export async function noteCurrency(
  store: Pick<EventStore, 'append' | 'readStream'>,
  currency: string,
  { newId, now }: { readonly newId: () => string; readonly now: () => Date },
): Promise<CurrencyEvidence | undefined> {
  const id = newId();
  const metadata = {
    aggregate_type: 'DefaultCurrency',
    aggregate_id: STREAM,
    timestamp: now().toISOString(),
    correlation_id: id,
    causation_id: id,
  };
  const event: NewEvent = { id, type: NOTED, data: { currency }, metadata };
  await store.append(STREAM, [event], 'no_stream');
  return notedCurrency(store);
}
