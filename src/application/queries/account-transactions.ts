/** Query for an account's transactions, newest first: all of them, or those that a filter means. */
import { z } from 'zod';
import { accept, type Decision } from '../../domain/decision.ts';
import { accounts } from '../../projections/accounts.ts';
import { externalReferenceKey, externalReferences } from '../../projections/external-references.ts';
import { type TransactionDocument, transactions } from '../../projections/transactions.ts';
import { accountNotFound, type Bank, type ReadingBank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import {
  CLOCK_DIFFERENCE_MS_MAX,
  historyOf,
  placeAfter,
  type StoredTransaction,
  timeOf,
} from './account-history.ts';
import { accountIdFields } from './accounts.ts';
import {
  decodeCursor,
  documentsOf,
  encodeCursor,
  findPage,
  invalidCursor,
  type Page,
  type PageRequest,
  pageFields,
} from './paging.ts';
import { readDocument } from './read-document.ts';
import {
  isEmpty,
  type TransactionFilter,
  type TransactionSearch,
  transactionFilterFields,
  transactionSearch,
} from './transaction-filter.ts';

/** Transactions that one request looks at, at most; then it answers with what it found and where it stands. */
export const EXAMINED_TRANSACTIONS_MAX = 10_000;

export const transactionListFields = z.strictObject({ ...pageFields, ...transactionFilterFields });

export const ListAccountTransactions = query<Page<TransactionDocument>>()(
  'ListAccountTransactions',
  transactionListFields.extend(accountIdFields.shape),
);

type OfAccount = PageRequest & TransactionFilter & { readonly id: string };

export function listAccountTransactionsHandler(
  bank: ReadingBank & { readonly accounts: Pick<Bank['accounts'], 'exists'> },
): Handler<OfAccount, Page<TransactionDocument>> {
  return async ({ id, limit, cursor, ...filter }) => {
    const request = { limit, cursor };
    if (!isEmpty(filter)) return searched(bank, id, request, filter);
    const where = { account_id: id };
    const page = await findPage(bank, transactions, request, { order: 'newest_first', where });
    if (!page.ok || page.value.items.length > 0 || (await bank.accounts.exists(id))) return page;
    return accountNotFound(id);
  };
}

async function searched(
  bank: ReadingBank,
  id: string,
  request: PageRequest,
  filter: TransactionFilter,
): Promise<Decision<Page<TransactionDocument>>> {
  const account = await readDocument(bank, accounts, id);
  if (!account.ok) return account;
  if (!account.value) return accountNotFound(id);
  const search = transactionSearch(filter, account.value.currency);
  if (!search.ok) return search;
  const list = [transactions.name, id, search.value.digest].join('/');
  const after = await startOf(bank, id, list, request, search.value);
  if (after === null) return invalidCursor();
  if (filter.external_reference !== undefined)
    return referenced(bank, id, filter.external_reference, search.value);
  return scan(bank, id, { list, limit: request.limit, after }, search.value);
}

/** A reference is unique on its account, and has an index of its own: nothing is scanned. */
async function referenced(
  bank: ReadingBank,
  accountId: string,
  reference: string,
  { matches }: TransactionSearch,
): Promise<Decision<Page<TransactionDocument>>> {
  const found = await readDocument(bank, externalReferences, externalReferenceKey(accountId, reference));
  if (!found.ok) return found;
  if (!found.value) return accept({ items: [] });
  const posting = await readDocument(bank, transactions, found.value.transaction_id);
  if (!posting.ok) return posting;
  return accept({ items: posting.value && matches(posting.value) ? [posting.value] : [] });
}

type Place = NonNullable<ReturnType<typeof decodeCursor>>;

/** Where the page begins: after its cursor, or else where the searched time ends; `undefined` is the newest. */
async function startOf(
  { readModels }: ReadingBank,
  id: string,
  list: string,
  { cursor }: PageRequest,
  { to }: TransactionSearch,
): Promise<Place | null | undefined> {
  if (cursor !== undefined) return decodeCursor(list, cursor);
  return to === Number.POSITIVE_INFINITY ? undefined : placeAfter(readModels, id, to);
}

interface Scan {
  readonly list: string;
  readonly limit: number;
  readonly after: Place | undefined;
}

/** Looks at transactions until the page is full, the searched time is over, or enough has been looked at. */
async function scan(
  bank: ReadingBank,
  id: string,
  { list, limit, after }: Scan,
  search: TransactionSearch,
): Promise<Decision<Page<TransactionDocument>>> {
  const items: TransactionDocument[] = [];
  let last: StoredTransaction | undefined;
  let examined = 0;
  for await (const chunk of historyOf(bank.readModels, id, 'newest_first', after)) {
    const documents = await documentsOf(bank, transactions, chunk);
    if (!documents.ok) return documents;
    for (const [index, document] of documents.value.entries()) {
      if (timeOf(document) < search.from - CLOCK_DIFFERENCE_MS_MAX) return accept({ items });
      if (!search.matches(document)) continue;
      // One more than the page holds, so that a cursor always leads to something.
      if (items.length === limit) return accept({ items, ...cursorAt(list, last) });
      items.push(document);
      last = chunk[index];
    }
    examined += chunk.length;
    if (examined >= EXAMINED_TRANSACTIONS_MAX) return accept({ items, ...cursorAt(list, chunk.at(-1)) });
  }
  return accept({ items });
}

function cursorAt(list: string, place: StoredTransaction | undefined): { next_cursor?: string } {
  return place ? { next_cursor: encodeCursor(list, place) } : {};
}
