/** Shapes of what the API answers about postings. */
import { z } from 'zod';
import { TRANSACTION_TYPES } from '../../domain/bank-account.ts';
import { currency, EXAMPLE_IDS, money, pageOf, revision, time, uuid } from './fields.ts';

export const postingSchema = z
  .strictObject({
    transaction_id: uuid(EXAMPLE_IDS.transaction),
    account_id: uuid(EXAMPLE_IDS.account),
    from_account_id: uuid(EXAMPLE_IDS.account).optional(),
    to_account_id: uuid(EXAMPLE_IDS.account).optional(),
    transfer_id: uuid(EXAMPLE_IDS.transfer)
      .optional()
      .describe('The transfer that this posting is a part of.'),
    period: z
      .string()
      .optional()
      .meta({
        description: 'The month that the bank posted interest or its fee for.',
        examples: ['2026-01'],
      }),
    reverses_transaction_id: uuid(EXAMPLE_IDS.transaction)
      .optional()
      .describe('The posting that this one undoes.'),
    restores_transaction_id: uuid(EXAMPLE_IDS.transaction)
      .optional()
      .describe('The posting of which so much can be reversed again: its reversal was refunded.'),
    hold_id: uuid(EXAMPLE_IDS.hold).optional().describe('The hold that this posting captured.'),
    type: z.enum(TRANSACTION_TYPES),
    direction: z.enum(['CREDIT', 'DEBIT']),
    amount: money('1000.00'),
    currency,
    balance: money('1000.00').describe('The balance after this posting.'),
    description: z.string().meta({ examples: ['Initial deposit'] }),
    external_reference: z
      .string()
      .optional()
      .meta({ description: "The client's own name for it.", examples: ['invoice-4711/1'] }),
    metadata: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "The client's own fields.", examples: [{ order: '4711' }] }),
    recorded_at: time,
    revision,
  })
  .meta({ id: 'Posting' });

export const postingPageSchema = pageOf(postingSchema, 'PostingPage');
