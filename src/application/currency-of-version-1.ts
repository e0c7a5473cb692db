/** Which currency the accounts have that were opened before accounts had one: what is posted to them tells. */
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { EventReader, RecordedEvent } from '../event-sourcing/event-store.ts';

const VERSION_1 = 'BankAccountCreatedDomainEventV1';
const VERSION_2 = 'BankAccountCreatedDomainEventV2';
/** Events of accounts that are looked at; mostly the first posting is among the first of them. */
const EVENTS_MAX = 200_000;

/** An event that is of a currency, in an account that does not say which one it has. */
export interface CurrencyEvidence {
  readonly currency: string;
  readonly stream: string;
  readonly revision: number;
}

/** That there are accounts of version 1. */
export interface Version1Accounts {
  /** The first posting, hold or other event with a currency in one of them; missing when none has such an event. */
  readonly evidence: CurrencyEvidence | undefined;
}

/**
 * Looks for accounts of version 1. A program that opens accounts of version 2 opens none of version 1 any more, so a log
 * whose first account is a newer one is not read on.
 * @returns nothing when there are none
 * @throws StoreError when the store cannot read
 */
export async function version1Accounts(
  reader: Pick<EventReader, 'headPosition' | 'subscribeToAll'>,
): Promise<Version1Accounts | undefined> {
  if ((await reader.headPosition()) === undefined) return undefined;
  const search = new Search();
  const ending = new AbortController();
  // Other than a read of the log, it goes on behind an event that cannot be read.
  const options = { streamPrefixes: [BANK_ACCOUNT_STREAM_PREFIX], signal: ending.signal };
  try {
    for await (const { events, caughtUp } of reader.subscribeToAll(options)) {
      for (const event of events) {
        if (search.isOverAt(event)) return search.outcome;
      }
      if (caughtUp) break;
    }
    return search.outcome;
  } finally {
    ending.abort();
  }
}

class Search {
  #found: CurrencyEvidence | undefined;
  readonly #streams = new Set<string>();
  #left = EVENTS_MAX;

  get outcome(): Version1Accounts | undefined {
    return this.#streams.size > 0 ? { evidence: this.#found } : undefined;
  }

  isOverAt({ type, stream, revision, data }: RecordedEvent): boolean {
    this.#left -= 1;
    if (type === VERSION_1) this.#streams.add(stream);
    else if (type === VERSION_2) return this.#streams.size === 0;
    else if (this.#streams.has(stream) && 'currency' in data && typeof data.currency === 'string') {
      this.#found = { currency: data.currency, stream, revision };
      return true;
    }
    return this.#left <= 0;
  }
}
