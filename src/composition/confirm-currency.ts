/** Refuses a default currency that would turn the money of old accounts into money of another one. */
import {
  type CurrencyEvidence,
  type Version1Accounts,
  version1Accounts,
} from '../application/currency-of-version-1.ts';
import { noteCurrency, notedCurrency } from '../application/noted-currency.ts';
import { ConfigError } from '../config.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { newId } from '../new-id.ts';
import type { OpenedEventStore } from './open-stores.ts';

type Stores = Pick<OpenedEventStore, 'events' | 'live'>;

/** A log with its archive, and without it. */
interface Readers {
  readonly reader: EventReader;
  readonly live: EventReader;
}

/**
 * For a service that starts. The first one that finds old accounts puts the currency on record, so that it stays whatever
 * they contain.
 * @throws ConfigError when the store has old accounts in another currency, StoreError when it cannot be read or written
 */
export async function confirmCurrency(opened: Stores, currency: string): Promise<void> {
  const noted = await notedCurrency(opened.live);
  if (noted) return refuseOther(noted, currency);
  const { old, isWhole } = await oldAccountsIn({ reader: opened.events, live: opened.live });
  if (!old) return;
  if (old.evidence) refuseOther(old.evidence, currency);
  // What cannot be read just now may tell of another one, and what is on record stays.
  else if (!isWhole) return;
  const recorded = await note(opened, currency);
  // Another process may have started with another setting just now.
  if (recorded) refuseOther(recorded, currency);
}

/** For a tool that reads a store. @throws StoreError `invalid_request` when the store has old accounts in another currency */
export async function confirmReadersCurrency(readers: Readers, currency: string): Promise<void> {
  const told = (await notedCurrency(readers.live)) ?? (await oldAccountsIn(readers)).old?.evidence;
  if (told && told.currency !== currency) {
    throw new StoreError('invalid_request', contradiction(told, currency));
  }
}

/**
 * An archive that is damaged, or cannot be read, keeps no bank from its work, so then the store alone is asked.
 * @returns also whether all was asked
 */
async function oldAccountsIn({
  reader,
  live,
}: Readers): Promise<{ readonly old: Version1Accounts | undefined; readonly isWhole: boolean }> {
  try {
    return { old: await version1Accounts(reader), isWhole: true };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // Where it is the store that fails, this fails as well.
    return { old: await version1Accounts(live), isWhole: false };
  }
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
