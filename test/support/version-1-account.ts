/** The account of version 1 that programs of the past wrote, in a currency of the test's choice. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { mustAppend, newEvent, newMetadata } from './event-builders.ts';

const FILE = join(import.meta.dirname, '../golden-streams/account-of-version-1.json');

interface Golden {
  readonly aggregate_id: string;
  readonly events: readonly { readonly type: string; readonly data: object; readonly timestamp: string }[];
}

/**
 * Appends the account: its opening, a posting, and a new overdraft limit.
 * @param events how many of them
 * @returns the account's id
 */
export async function storeVersion1Account(
  store: EventStore,
  currency: string,
  events = Number.POSITIVE_INFINITY,
): Promise<string> {
  const golden = JSON.parse(readFileSync(FILE, 'utf8').replaceAll('"USD"', `"${currency}"`)) as Golden;
  const id = golden.aggregate_id;
  const written = golden.events.slice(0, events).map(({ type, data, timestamp }) => {
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id, timestamp });
    return newEvent({ type, data, metadata });
  });
  await mustAppend(store, bankAccountStream(id), written, 'no_stream');
  return id;
}
