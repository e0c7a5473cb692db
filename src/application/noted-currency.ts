/**
 * The default currency that a bank with accounts of version 1 began with, put on record: such accounts do not say which
 * one they have, so it must never become another one. It stands in the log, so exports and backups have it too.
 */
import type { EventReader, EventStore, NewEvent } from '../event-sourcing/event-store.ts';
import { OPERATOR_STREAM_PREFIX } from '../event-sourcing/operator-requests.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type { CurrencyEvidence } from './currency-of-version-1.ts';

const STREAM = `${OPERATOR_STREAM_PREFIX}default-currency`;
const NOTED = 'DefaultCurrencyNotedV1';

/** @throws StoreError when the store cannot be read, or `corrupt` when what stands there is no note */
export async function notedCurrency(
  reader: Pick<EventReader, 'readStream'>,
): Promise<CurrencyEvidence | undefined> {
  for await (const { type, data, stream, revision } of reader.readStream(STREAM, { limit: 1 })) {
    const { currency } = data as { currency?: unknown };
    if (type === NOTED && typeof currency === 'string') return { currency, stream, revision };
    const place = { stream, revision };
    throw new StoreError('corrupt', `Revision ${revision} of ${stream} is no currency.`, { place });
  }
  return undefined;
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
