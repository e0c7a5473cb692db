/** The shape of a statement. */
import { z } from 'zod';
import { ACCOUNT_TYPES } from '../../domain/bank-account.ts';
import { currency, EXAMPLE_IDS, money, time, uuid } from './fields.ts';
import { postingSchema } from './transactions.ts';

export const statementSchema = z
  .strictObject({
    account: z.strictObject({
      id: uuid(EXAMPLE_IDS.account),
      account_type: z.enum(ACCOUNT_TYPES),
      currency,
    }),
    owner: z.strictObject({
      id: uuid(EXAMPLE_IDS.person),
      name: z.string().meta({ examples: ['Alice Smith'] }),
    }),
    period: z.strictObject({
      month: z.string().meta({ examples: ['2026-01'] }),
      from: time.meta({ examples: ['2026-01-01T00:00:00.000Z'] }),
      to: time.meta({ description: 'Exclusive.', examples: ['2026-02-01T00:00:00.000Z'] }),
      complete: z.boolean().describe('Whether the month is over; until then more may come.'),
    }),
    opening_balance: money('0.00'),
    total_credits: money('1000.00'),
    total_debits: money('0.00'),
    closing_balance: money('1000.00'),
    transactions: z
      .array(postingSchema)
      .describe('Oldest first; `balance` runs from the opening to the closing one.'),
  })
  .meta({ id: 'Statement' });
