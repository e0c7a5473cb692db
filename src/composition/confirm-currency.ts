/** Refuses a default currency that would turn the money of old accounts into money of another one. */
import { type CurrencyEvidence, version1Accounts } from '../application/currency-of-version-1.ts';
import { noteCurrency, notedCurrency } from '../application/noted-currency.ts';
import { ConfigError } from '../config.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { newId } from '../new-id.ts';
import type { OpenedEventStore } from './open-stores.ts';

type Stores = Pick<OpenedEventStore, 'events' | 'live'>;

/**
 * For a service that starts. The first one that finds old accounts puts the currency on record, so that it stays whatever
 * they contain.
 * @throws ConfigError when the store has old accounts in another currency, StoreError when it cannot be read or written
 */
export async function confirmCurrency(opened: Stores, currency: string): Promise<void> {
  const noted = await notedCurrency(opened.live);
  if (noted) return refuseOther(noted, currency);
  const old = await oldAccountsIn(opened);
  if (!old) return;
  if (old.evidence) refuseOther(old.evidence, currency);
  const recorded = await note(opened, currency);
  // Another process may have started with another setting just now.
  if (recorded) refuseOther(recorded, currency);
}

/** For a tool that reads a store. @throws StoreError `invalid_request` when the store has old accounts in another currency */
export async function confirmReadersCurrency(reader: EventReader, currency: string): Promise<void> {
  const told = (await notedCurrency(reader)) ?? (await version1Accounts(reader))?.evidence;
  if (told && told.currency !== currency) {
    throw new StoreError('invalid_request', contradiction(told, currency));
  }
}

/** A damaged archive keeps no bank from its work, so then the store alone is asked. */
function oldAccountsIn({ events, live }: Stores) {
  return version1Accounts(events).catch((error: unknown) => {
    if (error instanceof StoreError && error.code === 'archive_damaged') return version1Accounts(live);
    throw error;
  });
}

/** A full disk keeps no bank from showing what it has: the next start puts it on record. */
async function note({ live }: Stores, currency: string): Promise<CurrencyEvidence | undefined> {
  try {
    return await noteCurrency(live, currency, { newId, now: () => new Date() });
  } catch (error) {
    if (error instanceof StoreError && error.code === 'disk_full') return undefined;
    throw error;
  }
}

function refuseOther(told: CurrencyEvidence, currency: string): void {
  if (told.currency !== currency) throw new ConfigError(contradiction(told, currency));
}

function contradiction({ currency: theirs, stream, revision }: CurrencyEvidence, currency: string): string {
  return `OPENBANK_DEFAULT_CURRENCY=${currency} is not usable: the store has accounts from before accounts had a currency, and revision ${revision} of ${stream} says that theirs is ${theirs}. Set it to ${theirs}.`;
}
