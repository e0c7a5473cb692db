/** Shapes of what the API answers when an account is replayed. */
import { z } from 'zod';
import { accountStateSchema } from './accounts.ts';
import { EXAMPLE_IDS, uuid } from './fields.ts';
import { changesSchema } from './time-travel.ts';

const revision = z.int().min(0);
const differenceText = z.string().optional().describe('As JSON; absent where the field is.');

const stateSchema = accountStateSchema
  .omit({ id: true, revision: true })
  .nullable()
  .describe('Null where there is no account.');

const findingSchema = z.strictObject({
  severity: z
    .enum(['broken', 'note'])
    .meta({ description: '`broken` must never be; a `note` explains what looks odd.' }),
  code: z.string().meta({ examples: ['balance_differs'] }),
  detail: z.string(),
});

const verdictSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('same') }),
  z.strictObject({ kind: z.literal('nothing') }),
  z.strictObject({
    kind: z.literal('otherwise'),
    differences: z.array(
      z.strictObject({ field: z.string(), recorded: differenceText, today: differenceText }),
    ),
  }),
  z.strictObject({ kind: z.literal('refused'), code: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('not_judged'), reason: z.string() }),
]);

const stepSchema = z.strictObject({
  revision,
  event_id: z.string().meta({ examples: ['01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a04'] }),
  type: z.string().meta({ examples: ['BankAccountTransactionRecordedDomainEventV1'] }),
  position: z.string().meta({ description: 'Place in the whole log; opaque.', examples: ['42'] }),
  at: z.string().meta({
    description: 'Business time, RFC 3339 UTC; when it was recorded, where the event does not tell.',
    examples: ['2026-01-15T09:30:00.000Z'],
  }),
  data: z.record(z.string(), z.unknown()),
  before: stateSchema,
  after: stateSchema,
  changes: changesSchema.describe('All fields that differ, those of single holds, months and reversals too.'),
  findings: z.array(findingSchema).describe('What broke here.'),
  today: verdictSchema.optional().meta({
    description:
      "What today's rules would decide: the `same` event, the event `otherwise`, `nothing`, or it is `refused`; " +
      '`not_judged` when the event does not tell what was asked for. Absent unless it was asked for.',
  }),
});

export const accountReplaySchema = z
  .strictObject({
    account_id: uuid(EXAMPLE_IDS.account),
    from: revision.describe('The first revision of the whole range.'),
    to: revision.describe('The last revision of the whole range.'),
    items: z.array(stepSchema).describe('One page of the steps, oldest first.'),
    next_cursor: z.string().optional().meta({ description: 'Absent on the last page.' }),
  })
  .meta({ id: 'AccountReplay' });
