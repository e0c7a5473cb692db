/** Query: unfinished transfers that nobody seems to drive. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { UNFINISHED_STATUSES } from '../../domain/transfer.ts';
import { type TransferDocument, transfers } from '../../projections/transfers.ts';
import type { Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { isOrphan, ORPHAN_MINUTES } from '../stream-figures.ts';
import { findPageOf, invalidCursor, type Page, pageFields } from './paging.ts';

export const orphanFields = z.strictObject({
  ...pageFields,
  minutes: z.coerce
    .number()
    .int()
    .min(0)
    .max(525_600)
    .default(ORPHAN_MINUTES)
    .meta({ description: 'Unfinished, and without a step for so many minutes.', examples: [ORPHAN_MINUTES] }),
});

export const ListOrphanTransfers = query<Page<TransferDocument>>()('ListOrphanTransfers', orphanFields);

/** One status after the other, each the oldest first; the cursor names the status at which it goes on. */
export function listOrphanTransfersHandler(
  bank: Bank,
): Handler<z.output<typeof orphanFields>, Page<TransferDocument>> {
  return async ({ limit, minutes, cursor }) => {
    const [, first = UNFINISHED_STATUSES[0], rest = ''] = /^([A-Z_]+)\.(.*)$/.exec(cursor ?? '') ?? [];
    const begin = (UNFINISHED_STATUSES as readonly string[]).indexOf(first ?? '');
    if (begin < 0 || (cursor !== undefined && !cursor.startsWith(`${first}.`))) return invalidCursor();
    const now = bank.now();
    const items: TransferDocument[] = [];
    let place = rest === '' ? undefined : rest;
    for (const status of UNFINISHED_STATUSES.slice(begin)) {
      if (items.length === limit) return accept({ items, next_cursor: `${status}.` });
      const request = { limit: limit - items.length, cursor: place };
      const page = await findPageOf(bank, transfers, request, {
        where: { status },
        order: 'oldest_first',
        shown: (transfer) => (isOrphan(transfer, minutes, now) ? transfer : undefined),
      });
      if (!page.ok) return page;
      items.push(...page.value.items);
      place = page.value.next_cursor;
      if (place !== undefined) return accept({ items, next_cursor: `${status}.${place}` });
    }
    return accept({ items });
  };
}
