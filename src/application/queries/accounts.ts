/** Queries about accounts: one, a page of them, and an owner's. */
import { z } from 'zod';
import { holderOf } from '../../domain/bank-account.ts';
import { accept, type Decision } from '../../domain/decision.ts';
import { accountAt, accounts, type ShownAccount } from '../../projections/accounts.ts';
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

/** An account as it is at the time of asking. */
export interface AccountView {
  readonly account: ShownAccount;
  /** Whether its revision says all; a hold may have expired since, which is not recorded yet. */
  readonly settled: boolean;
}

export const GetAccount = query<AccountView>()('GetAccount', accountIdFields);

export function getAccountHandler(bank: Bank): Handler<{ id: string }, AccountView> {
  return async ({ id }) => {
    const found = await readDocument(bank, accounts, id);
    if (!found.ok) return found;
    return found.value ? accept(accountAt(found.value, bank.now().toISOString())) : accountNotFound(id);
  };
}

export const ListAccounts = query<Page<ShownAccount>>()('ListAccounts', z.strictObject(pageFields));

export function listAccountsHandler(bank: Bank): Handler<PageRequest, Page<ShownAccount>> {
  return (request) => findAccounts(bank, request, { holder: 'CUSTOMER' });
}

export const ListSuspenseAccounts = query<Page<ShownAccount>>()(
  'ListSuspenseAccounts',
  z.strictObject(pageFields),
);

export function listSuspenseAccountsHandler(bank: Bank): Handler<PageRequest, Page<ShownAccount>> {
  return (request) => findAccounts(bank, request, { holder: 'BANK' });
}

type ByOwner = PageRequest & { readonly owner_id: string };

export const GetAccountsByOwner = query<Page<ShownAccount>>()(
  'GetAccountsByOwner',
  ownerIdFields.extend(pageFields),
);

export function getAccountsByOwnerHandler(bank: Bank): Handler<ByOwner, Page<ShownAccount>> {
  return async ({ owner_id, ...request }) => {
    if (holderOf({ owner_id }) === 'BANK') return personNotFound(owner_id, 'owner_id');
    const page = await findAccounts(bank, request, { owner_id });
    if (!page.ok || page.value.items.length > 0 || (await bank.persons.exists(owner_id))) return page;
    return personNotFound(owner_id, 'owner_id');
  };
}

async function findAccounts(
  bank: Bank,
  request: PageRequest,
  where: Readonly<Record<string, string>>,
): Promise<Decision<Page<ShownAccount>>> {
  const page = await findPage(bank, accounts, request, { order: 'oldest_first', where });
  if (!page.ok) return page;
  const now = bank.now().toISOString();
  return accept({ ...page.value, items: page.value.items.map((one) => accountAt(one, now).account) });
}
