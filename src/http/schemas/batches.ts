/** Shapes of what the route of batches takes and answers, for the OpenAPI document and the tests. */
import { z } from 'zod';
import { BATCH_ITEM_SCHEMAS, BATCH_ITEMS_MAX } from '../../application/commands/batch-items.ts';
import { count, EXAMPLE_IDS } from './fields.ts';
import { problemSchema } from './problems.ts';
import { postingSchema } from './transactions.ts';
import { transferSchema } from './transfers.ts';

/** Each item is read by itself, so that one of a wrong shape does not stand in the way of the others. */
const anyItem = z.unknown().meta({
  oneOf: Object.values(BATCH_ITEM_SCHEMAS).map((schema) => {
    const { $schema: _ofTheDocument, ...shape } = z.toJSONSchema(schema, { io: 'input' });
    return shape;
  }),
});

const EXAMPLE = [
  { type: 'DEPOSIT', account_id: EXAMPLE_IDS.account, amount: '1000.00', description: 'Salary' },
  { type: 'WITHDRAWAL', account_id: EXAMPLE_IDS.account, amount: '12.50', description: 'Books' },
  {
    type: 'TRANSFER',
    from_account_id: EXAMPLE_IDS.account,
    to_account_id: EXAMPLE_IDS.other_account,
    amount: '25.00',
    description: 'Rent for March',
  },
];

export const batchBodySchema = z
  .array(anyItem)
  .refine(({ length }) => length >= 1 && length <= BATCH_ITEMS_MAX, {
    message: `must have 1 to ${BATCH_ITEMS_MAX} items.`,
    params: { code: 'batch_too_large' },
  })
  .meta({
    minItems: 1,
    maxItems: BATCH_ITEMS_MAX,
    description:
      'What is to be done, in this order as far as items touch the same account. Each item is the body of its own ' +
      'route, beside its `type`, and may have an `idempotency_key`.',
    examples: [EXAMPLE],
  });

const status = (meaning: string) => z.int().meta({ description: meaning });

const batchAnswerItemSchema = z.union([
  z.strictObject({
    outcome: z.enum(['posted', 'replayed']),
    status: status('201, as the single route answers.'),
    posting: postingSchema,
  }),
  z.strictObject({
    outcome: z.enum(['posted', 'replayed']),
    status: status('201 for a transfer that has ended, its own `status` says how; else 202.'),
    transfer: transferSchema,
  }),
  z.strictObject({
    outcome: z
      .enum(['refused', 'failed'])
      .describe(
        '`refused` changed nothing; `failed` may have been done or not: send it again under the same key.',
      ),
    status: status("The problem's, as the single route answers."),
    problem: problemSchema.describe('Pointers lead into the item.'),
  }),
]);

export const batchAnswerSchema = z
  .strictObject({
    posted: count.meta({ description: 'Done now.', examples: [3] }),
    replayed: count.meta({ description: 'Done before, under the same key.', examples: [0] }),
    refused: count.meta({ examples: [0] }),
    failed: count.meta({ examples: [0] }),
    items: z.array(batchAnswerItemSchema).describe('One for each item, in their order.'),
  })
  .meta({ id: 'BatchAnswer' });

export type BatchAnswerItem = z.output<typeof batchAnswerItemSchema>;
export type BatchAnswer = z.output<typeof batchAnswerSchema>;
