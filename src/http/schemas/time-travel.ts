/** Shapes of what the API answers about accounts as they were. */
import { z } from 'zod';
import { accountStateSchema } from './accounts.ts';
import { EXAMPLE_IDS, time, uuid } from './fields.ts';
import { eventSchema } from './streams.ts';

const money = z.string().meta({ examples: ['1000.00'] });
const id = uuid(EXAMPLE_IDS.account);

const placeFields = {
  at: time.nullable().describe('The instant that was asked for, in UTC; null when none was.'),
  revision: z.int().min(0).describe('Of the last event that counts.'),
  changed_at: time.describe('When that event happened.'),
};

export const accountBalanceSchema = z
  .strictObject({
    account_id: id,
    currency: z.string().meta({ examples: ['USD'] }),
    balance: money,
    held: money,
    overdraft_limit: money,
    available_balance: money.describe(
      'What could be taken out: balance, less what was held, plus overdraft.',
    ),
    ...placeFields,
  })
  .meta({ id: 'AccountBalance' });

export const accountMomentSchema = z
  .strictObject({
    ...accountStateSchema.shape,
    credit_rate: z.string().nullable(),
    overdraft_rate: z.string().nullable(),
    monthly_fee: money.nullable(),
    holds: z
      .array(
        z.strictObject({
          id,
          amount: money,
          description: z.string(),
          expires_at: time.nullable().describe('A hold counts until its end is on record.'),
        }),
      )
      .describe('Those that were open.'),
    debited: z
      .strictObject({ day: z.iso.date(), amount: money })
      .nullable()
      .describe('What counted for the daily limit on the newest day with a debit.'),
    accrued: z
      .array(
        z.strictObject({
          period: z.string().meta({ examples: ['2026-01'] }),
          credit_interest: z.string().meta({ examples: ['1.23456789'] }),
          overdraft_interest: z.string().meta({ examples: ['0.00000000'] }),
          fee: money,
        }),
      )
      .describe(
        'Interest and fees not posted yet, as they had accrued by the last event; cut off, not rounded.',
      ),
    reversed: z.array(z.strictObject({ transaction_id: id, amount: money })),
    ...placeFields,
  })
  .meta({ id: 'AccountMoment', description: 'An account as it was, from its own stream.' });

export const changesSchema = z.array(
  z.strictObject({
    field: z.string().meta({ examples: ['balance'] }),
    before: z
      .string()
      .nullable()
      .meta({ description: 'Null is no value.', examples: ['1000.00'] }),
    after: z
      .string()
      .nullable()
      .meta({ examples: ['987.50'] }),
  }),
);

export const accountChangesSchema = z
  .strictObject({
    account_id: id,
    from: z
      .strictObject({
        at: placeFields.at,
        revision: placeFields.revision.nullable(),
        changed_at: placeFields.changed_at.nullable(),
      })
      .describe('Revision and time are null when the account was not open then.'),
    to: z.strictObject(placeFields),
    changes: changesSchema.describe('What is different between the two, all events together.'),
    event_count: z.int().min(0),
    events: z
      .array(eventSchema.extend({ changes: changesSchema.describe('What this event changed.') }))
      .describe('One page of the events in between, oldest first.'),
    next_cursor: z.string().optional().meta({ description: 'Absent on the last page.' }),
  })
  .meta({ id: 'AccountChanges' });
