/** Shapes of what the API answers about holds. */
import { z } from 'zod';
import { HOLD_STATUSES } from '../../domain/bank-account.ts';
import { count, currency, EXAMPLE_IDS, money, pageOf, revision, time, uuid } from './fields.ts';

export const holdSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.hold),
    account_id: uuid(EXAMPLE_IDS.account),
    status: z
      .enum(HOLD_STATUSES)
      .describe('As it is at the time of asking: a hold expires at `expires_at`, recorded or not.'),
    amount: money('25.00'),
    currency,
    description: z.string().meta({ examples: ['Hotel deposit'] }),
    expires_at: time.nullable(),
    captured_amount: money('0.00'),
    released_amount: money('0.00'),
    transaction_id: uuid(EXAMPLE_IDS.transaction).nullable().describe('The posting of the capture.'),
    placed_at: time,
    closed_at: time.nullable().describe('When its end was recorded.'),
    revision: revision.describe("Of the account's stream, at the hold's last change."),
  })
  .meta({ id: 'Hold' });

export const holdPageSchema = pageOf(holdSchema, 'HoldPage');

export const holdSweepSchema = z
  .strictObject({
    examined: count.meta({ examples: [50] }),
    expired: count.meta({ examples: [2] }),
    next_cursor: z.string().optional().meta({ description: 'Absent when all open holds have been seen.' }),
  })
  .meta({ id: 'HoldSweep' });
