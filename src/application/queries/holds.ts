/** Queries about holds: one of an account, and a page of them. */
import { z } from 'zod';
import { HOLD_STATUSES, type HoldStatus } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type HoldDocument, holds } from '../../projections/holds.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { holdNotFound } from '../commands/hold.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { findPage, type Page, type PageRequest, pageFields } from './paging.ts';
import { readDocument } from './read-document.ts';

export const accountHoldFields = accountIdFields.extend({
  hold_id: id('The hold.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05'),
});

export const GetHold = query<HoldDocument>()('GetHold', accountHoldFields);

export function getHoldHandler(bank: Bank): Handler<z.output<typeof accountHoldFields>, HoldDocument> {
  return async ({ id, hold_id }) => {
    const found = await readDocument(bank, holds, hold_id);
    if (!found.ok) return found;
    if (found.value?.account_id === id) return accept(found.value);
    return (await bank.accounts.exists(id)) ? holdNotFound(hold_id) : accountNotFound(id);
  };
}

export const holdListFields = z.strictObject({
  ...pageFields,
  status: z
    .enum(HOLD_STATUSES)
    .optional()
    .meta({ description: 'Only those in this state.', examples: ['OPEN'] }),
});

export const ListAccountHolds = query<Page<HoldDocument>>()(
  'ListAccountHolds',
  holdListFields.extend(accountIdFields.shape),
);

type OfAccount = PageRequest & {
  readonly id: string;
  readonly status?: HoldStatus | undefined;
};

export function listAccountHoldsHandler(bank: Bank): Handler<OfAccount, Page<HoldDocument>> {
  return async ({ id, status, ...request }) => {
    const where = { account_id: id, ...(status === undefined ? {} : { status }) };
    const page = await findPage(bank, holds, request, { order: 'newest_first', where });
    if (!page.ok || page.value.items.length > 0 || (await bank.accounts.exists(id))) return page;
    return accountNotFound(id);
  };
}
