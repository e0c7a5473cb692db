/** Command: records that holds have expired, so that read models show it for accounts on which nothing else happens. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { holds } from '../../projections/holds.ts';
import { type ChangingBank, changeAccount } from '../bank.ts';
import { command, type Handler } from '../mediator.ts';
import { findPage, type PageRequest, pageFields } from '../queries/paging.ts';

/** One step through all open holds. */
export interface HoldSweep {
  readonly examined: number;
  readonly expired: number;
  /** Missing when all open holds have been seen. */
  readonly next_cursor?: string;
}

export const ExpireHolds = command<HoldSweep>()('ExpireHolds', z.strictObject(pageFields));

export function expireHoldsHandler(bank: ChangingBank): Handler<PageRequest, HoldSweep> {
  return async (request, context) => {
    const page = await findPage(bank, holds, request, { order: 'oldest_first', where: { status: 'OPEN' } });
    if (!page.ok) return page;
    const { items, next_cursor } = page.value;
    const now = bank.now().toISOString();
    const due = items.filter(({ expires_at }) => expires_at !== null && expires_at <= now);
    // It is safe to repeat; a client's key would name one operation of many accounts.
    const { operation: _key, ...ids } = context;
    let expired = 0;
    for (const accountId of new Set(due.map(({ account_id }) => account_id))) {
      const outcome = await changeAccount(bank, accountId, ids, () => accept([]));
      if (outcome.ok) expired += outcome.value.events.length;
    }
    return accept({ examined: items.length, expired, ...(next_cursor ? { next_cursor } : {}) });
  };
}
