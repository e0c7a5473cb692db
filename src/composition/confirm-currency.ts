/** Refuses a default currency that would turn the money of old accounts into money of another one. */
import { currencyOfVersion1 } from '../application/currency-of-version-1.ts';
import { ConfigError } from '../config.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type { OpenedEventStore } from './open-stores.ts';

/**
 * For a service that starts. A damaged archive keeps no bank from its work, so then the store alone is asked.
 * @throws ConfigError when the store has old accounts in another currency, StoreError when it cannot be read
 */
export async function confirmCurrency(
  { events, live }: Pick<OpenedEventStore, 'events' | 'live'>,
  currency: string,
): Promise<void> {
  const sentence = await contradiction(events, currency).catch((error: unknown) => {
    if (error instanceof StoreError && error.code === 'archive_damaged') return contradiction(live, currency);
    throw error;
  });
  if (sentence) throw new ConfigError(sentence);
}

/** For a tool that reads a store. @throws StoreError `invalid_request` when the store has old accounts in another currency */
export async function confirmReadersCurrency(reader: EventReader, currency: string): Promise<void> {
  const sentence = await contradiction(reader, currency);
  if (sentence) throw new StoreError('invalid_request', sentence);
}

async function contradiction(reader: EventReader, currency: string): Promise<string | undefined> {
  const told = await currencyOfVersion1(reader);
  if (!told || told.currency === currency) return undefined;
  const { currency: theirs, stream, revision } = told;
  return `OPENBANK_DEFAULT_CURRENCY=${currency} is not usable: the store has accounts from before accounts had a currency, and revision ${revision} of ${stream} says that theirs is ${theirs}. Set it to ${theirs}.`;
}
