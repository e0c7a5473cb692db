/** Shapes of what the API answers about accounts. */
import { z } from 'zod';
import { ACCOUNT_STATUSES, ACCOUNT_TYPES, FREEZE_SCOPES } from '../../domain/bank-account.ts';
import { count, currency, EXAMPLE_IDS, money, pageOf, revision, time, uuid } from './fields.ts';

const rate = (example: string) =>
  z
    .string()
    .nullable()
    .meta({ examples: [example] });

const accountFields = {
  id: uuid(EXAMPLE_IDS.account),
  owner_id: uuid(EXAMPLE_IDS.person),
  account_type: z.enum(ACCOUNT_TYPES),
  status: z.enum(ACCOUNT_STATUSES),
  frozen: z
    .enum(FREEZE_SCOPES)
    .nullable()
    .meta({ description: 'What a SUSPENDED account is frozen for.', examples: [null] }),
  currency,
  balance: money('1000.00'),
  available_balance: money('1500.00').describe(
    'What may be taken out: balance, less what is held, plus overdraft.',
  ),
  held: money('0.00'),
  overdraft_limit: money('500.00'),
  transaction_limit: money('1000.00').nullable().describe('The most that one debit of a customer may be.'),
  daily_limit: money('5000.00').nullable().describe('The most that customers may take out in a UTC day.'),
  revision,
};

export const accountStateSchema = z
  .strictObject(accountFields)
  .meta({ id: 'AccountState', description: 'An account right after a command, from its own stream.' });

export const accountSchema = z
  .strictObject({
    ...accountFields,
    credit_rate: rate('2.5000').describe('Percent a year on a balance above zero.'),
    overdraft_rate: rate('12.2500').describe('Percent a year on a balance below zero.'),
    monthly_fee: money('3.00').nullable(),
    owner: z.string().meta({ description: "The owner's name.", examples: ['Alice Smith'] }),
    transaction_count: count.meta({ examples: [1] }),
    total_credits: money('1000.00'),
    total_debits: money('0.00'),
    largest_transaction: money('1000.00'),
    last_transaction_at: time.nullable(),
    created_at: time,
    last_modified: time,
  })
  .meta({ id: 'Account' });

export const accountPageSchema = pageOf(accountSchema, 'AccountPage');

/** If-Match as the OpenAPI document shows it; the value itself is checked where the command is built. */
export const guardHeaders = z.looseObject({
  'if-match': z
    .string()
    .optional()
    .meta({ description: 'The ETag that the client saw; another revision answers 412.' }),
});
