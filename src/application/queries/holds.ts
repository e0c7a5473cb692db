/** Queries about holds: one of an account, and a page of them. */
import { z } from 'zod';
import { HOLD_STATUSES, type HoldStatus } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type HoldDocument, holdAt, holds } from '../../projections/holds.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { holdNotFound } from '../commands/hold.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { findPageOf, type Page, type PageRequest, pageFields } from './paging.ts';
import { readDocument } from './read-document.ts';

export const accountHoldFields = accountIdFields.extend({
  hold_id: id('The hold.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05'),
});

/** A hold as it is at the time of asking. */
export interface HoldView {
  readonly hold: HoldDocument;
  /** Whether its revision says all; it may have expired since, which is not recorded yet. */
  readonly settled: boolean;
}

export const GetHold = query<HoldView>()('GetHold', accountHoldFields);

export function getHoldHandler(bank: Bank): Handler<z.output<typeof accountHoldFields>, HoldView> {
  return async ({ id, hold_id }) => {
    const found = await readDocument(bank, holds, hold_id);
    if (!found.ok) return found;
    if (found.value?.account_id === id) return accept(holdAt(found.value, bank.now().toISOString()));
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
    const now = bank.now().toISOString();
    const page = await findPageOf(bank, holds, request, {
      order: 'newest_first',
      where: { account_id: id, ...recordedAs(status) },
      shown: (document) => {
        const { hold } = holdAt(document, now);
        return status === undefined || hold.status === status ? hold : undefined;
      },
    });
    if (!page.ok || page.value.items.length > 0 || (await bank.accounts.exists(id))) return page;
    return accountNotFound(id);
  };
}

/** One that has expired may still be recorded as open. */
function recordedAs(status: HoldStatus | undefined): { status?: HoldStatus } {
  return status === undefined || status === 'EXPIRED' ? {} : { status };
}
