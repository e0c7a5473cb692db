/** Shapes of what the API answers about transfers. */
import { z } from 'zod';
import { TRANSFER_STATUSES } from '../../domain/transfer.ts';
import { currency, EXAMPLE_IDS, money, pageOf, revision, time, uuid } from './fields.ts';

const transferStepSchema = z.strictObject({
  status: z.enum(TRANSFER_STATUSES),
  at: time,
  transaction_id: uuid(EXAMPLE_IDS.transaction).optional().describe('The posting on the account.'),
  code: z.string().optional().describe('Why the account refused, machine-readable.'),
  detail: z.string().optional().describe('Why the account refused.'),
});

const reversedTransferSchema = z.strictObject({
  transfer_id: uuid(EXAMPLE_IDS.transfer),
  amount: money('25.00'),
  debit_transaction_id: uuid(EXAMPLE_IDS.transaction),
  credit_transaction_id: uuid(EXAMPLE_IDS.transaction),
  completed_at: time,
});

export const transferSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.transfer),
    from_account_id: uuid(EXAMPLE_IDS.account),
    to_account_id: uuid(EXAMPLE_IDS.other_account),
    amount: money('25.00'),
    currency,
    description: z.string().meta({ examples: ['Rent for March'] }),
    status: z
      .enum(TRANSFER_STATUSES)
      .describe(
        'COMPLETED, REJECTED (nothing was moved), REFUNDED and IN_SUSPENSE (the bank keeps it) are final.',
      ),
    steps: z.array(transferStepSchema).describe('Oldest first.'),
    reverses: reversedTransferSchema
      .optional()
      .describe('The transfer of which this one takes back all or a part.'),
    reversals: z
      .array(z.strictObject({ transfer_id: uuid(EXAMPLE_IDS.transfer), amount: money('25.00'), at: time }))
      .optional()
      .describe('The transfers that have taken this one back, oldest first.'),
    reversed_amount: money('25.00').optional().describe('What they have taken back together.'),
    requested_at: time,
    updated_at: time,
    revision,
  })
  .meta({ id: 'Transfer' });

export const transferPageSchema = pageOf(transferSchema, 'TransferPage');
