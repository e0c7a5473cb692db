/** Queries about accounts: one, a page of them, an owner's, and an account's transactions. */
import { z } from 'zod';
import { accept, type Decision } from '../../domain/decision.ts';
import { type AccountDocument, accounts } from '../../projections/accounts.ts';
import { externalReferenceKey, externalReferences } from '../../projections/external-references.ts';
import { type TransactionDocument, transactions } from '../../projections/transactions.ts';
import { accountNotFound, type Bank, personNotFound } from '../bank.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { findPage, type Page, type PageRequest, pageFields } from './paging.ts';
import { readDocument } from './read-document.ts';

export const accountIdFields = z.strictObject({
  id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
});

export const ownerIdFields = z.strictObject({
  owner_id: id('The person who owns the accounts.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01'),
});

export const GetAccount = query<AccountDocument>()('GetAccount', accountIdFields);

export function getAccountHandler(bank: Bank): Handler<{ id: string }, AccountDocument> {
  return async ({ id }) => {
    const found = await readDocument(bank, accounts, id);
    if (!found.ok) return found;
    return found.value ? accept(found.value) : accountNotFound(id);
  };
}

export const ListAccounts = query<Page<AccountDocument>>()('ListAccounts', z.strictObject(pageFields));

export function listAccountsHandler(bank: Bank): Handler<PageRequest, Page<AccountDocument>> {
  return (request) => findPage(bank, accounts, request, { order: 'oldest_first' });
}

type ByOwner = PageRequest & { readonly owner_id: string };

export const GetAccountsByOwner = query<Page<AccountDocument>>()(
  'GetAccountsByOwner',
  ownerIdFields.extend(pageFields),
);

export function getAccountsByOwnerHandler(bank: Bank): Handler<ByOwner, Page<AccountDocument>> {
  return async ({ owner_id, ...request }) => {
    const page = await findPage(bank, accounts, request, {
      order: 'oldest_first',
      where: { owner_id },
    });
    if (!page.ok || page.value.items.length > 0 || (await bank.persons.exists(owner_id))) return page;
    return personNotFound(owner_id, 'owner_id');
  };
}

type OfAccount = PageRequest & { readonly id: string; readonly external_reference?: string | undefined };

export const transactionListFields = z.strictObject({
  ...pageFields,
  external_reference: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Only the one that bears this reference.' }),
});

export const ListAccountTransactions = query<Page<TransactionDocument>>()(
  'ListAccountTransactions',
  accountIdFields.extend(transactionListFields.shape),
);

export function listAccountTransactionsHandler(bank: Bank): Handler<OfAccount, Page<TransactionDocument>> {
  return async ({ id, external_reference, ...request }) => {
    const where = { account_id: id };
    const page =
      external_reference === undefined
        ? await findPage(bank, transactions, request, { order: 'newest_first', where })
        : await findByReference(bank, id, external_reference);
    if (!page.ok || page.value.items.length > 0 || (await bank.accounts.exists(id))) return page;
    return accountNotFound(id);
  };
}

async function findByReference(
  bank: Bank,
  accountId: string,
  reference: string,
): Promise<Decision<Page<TransactionDocument>>> {
  const found = await readDocument(bank, externalReferences, externalReferenceKey(accountId, reference));
  if (!found.ok || !found.value) return found.ok ? accept({ items: [] }) : found;
  const posting = await readDocument(bank, transactions, found.value.transaction_id);
  return posting.ok ? accept({ items: posting.value ? [posting.value] : [] }) : posting;
}
