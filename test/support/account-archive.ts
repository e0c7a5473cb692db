/** One account and its transactions at any times, as the read models of a bank hold them: for queries about the past. */
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import type { Direction, TransactionType } from '../../src/domain/bank-account.ts';
import { toDecimal } from '../../src/domain/money.ts';
import type { StoredDocument } from '../../src/event-sourcing/read-model-store.ts';
import { type AccountDocument, accounts } from '../../src/projections/accounts.ts';
import { type TransactionDocument, transactions } from '../../src/projections/transactions.ts';
import { HistoryReader } from './history-reader.ts';
import { newDocument, write } from './read-model-builders.ts';

export const ACCOUNT_ID = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02';
const OWNER_ID = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01';

/** A posting of the archive; `minor` is positive, in minor units. */
export interface Past {
  readonly at: string;
  readonly minor: bigint;
  readonly direction: Direction;
  readonly type?: TransactionType;
  readonly description?: string;
  readonly counterpart?: string;
  readonly reference?: string;
}

export type ArchiveOptions = Partial<Pick<AccountDocument, 'currency' | 'created_at' | 'owner'>> & {
  /** What lies between two of its events in the log: other accounts have events, too. */
  readonly gap?: number;
  readonly now?: string;
};

export type Archived = TransactionDocument & { readonly reference?: string };

/** A bank that can be asked about one account; `documents` are its transactions, oldest first. */
export async function archive(past: readonly Past[], options: ArchiveOptions = {}) {
  const { currency = 'USD', gap = 3, now = '2026-06-15T12:00:00.000Z' } = options;
  const store = openSqliteReadModelStore({ kind: 'memory' });
  await store.prepare([accounts, transactions], 'archive');
  const documents = documentsOf(past, currency);
  const stored: StoredDocument<Archived>[] = documents.map((document, index) => ({
    key: document.transaction_id,
    sequence: BigInt(5 + index * gap),
    position: BigInt(5 + index * gap),
    document,
    blocked: false,
  }));
  await write(store, transactions, stored);
  const account = accountDocument({ currency, ...options });
  await write(store, accounts, [newDocument({ key: ACCOUNT_ID, document: account })]);
  return {
    readModels: store,
    events: new HistoryReader([]),
    codec: createBankCodec('USD'),
    accounts: { exists: async (id: string) => id === ACCOUNT_ID },
    now: () => new Date(now),
    documents,
    close: () => store.close(),
  };
}

function documentsOf(past: readonly Past[], currency: string): Archived[] {
  let balance = 0n;
  return past.map((posting, index) => {
    const { at, minor, direction, counterpart, reference } = posting;
    const credit = direction === 'CREDIT';
    balance += credit ? minor : -minor;
    const [from, to] = credit ? [counterpart, ACCOUNT_ID] : [ACCOUNT_ID, counterpart];
    return {
      transaction_id: `01990d2e-7c1b-7a52-8000-${index.toString(16).padStart(12, '0')}`,
      account_id: ACCOUNT_ID,
      ...(from === undefined ? {} : { from_account_id: from }),
      ...(to === undefined ? {} : { to_account_id: to }),
      type: posting.type ?? (credit ? 'DEPOSIT' : 'WITHDRAWAL'),
      direction,
      amount: toDecimal(minor, currency),
      currency,
      balance: toDecimal(balance, currency),
      description: posting.description ?? `posting ${index}`,
      ...(reference === undefined ? {} : { reference }),
      recorded_at: at,
      revision: index + 1,
    };
  });
}

function accountDocument({
  currency = 'USD',
  created_at = '2025-01-01T00:00:00.000Z',
  owner = 'Alice Smith',
}: ArchiveOptions): AccountDocument {
  const zero = toDecimal(0n, currency);
  return {
    id: ACCOUNT_ID,
    owner_id: OWNER_ID,
    owner,
    account_type: 'CHECKING',
    status: 'ACTIVE',
    frozen: null,
    transaction_limit: null,
    daily_limit: null,
    credit_rate: null,
    overdraft_rate: null,
    monthly_fee: null,
    currency,
    // Nothing about the past may come from these: they are figures of today.
    balance: zero,
    available_balance: zero,
    held: zero,
    overdraft_limit: zero,
    transaction_count: 0,
    total_credits: zero,
    total_debits: zero,
    largest_transaction: zero,
    last_transaction_at: null,
    created_at,
    last_modified: created_at,
    revision: 0,
    holder: 'CUSTOMER',
  };
}
