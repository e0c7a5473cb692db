/** Shapes of what the API answers about the figures of an account, an owner and the bank. */
import { z } from 'zod';
import { INTERVALS } from '../../application/queries/analytics-range.ts';
import { EXAMPLE_IDS, uuid } from './fields.ts';

const money = z.string().meta({ examples: ['1000.00'] });
const count = z
  .int()
  .min(0)
  .meta({ examples: [1] });
const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC.', examples: ['2026-01-01T00:00:00.000Z'] });
const end = time.meta({ description: 'Exclusive.', examples: ['2026-02-01T00:00:00.000Z'] });
const id = uuid(EXAMPLE_IDS.account);
const currency = z.string().meta({ examples: ['USD'] });
const average = money
  .nullable()
  .describe("Rounded half to even to the currency's decimals; null of nothing.");

const largest = z
  .strictObject({ amount: money, transaction_id: id, date: z.iso.date() })
  .nullable()
  .describe('Of several that are equally large, the one of the earliest day.');

const figures = {
  transaction_count: count,
  credit_count: count,
  debit_count: count,
  total_credits: money,
  total_debits: money,
  net_flow: money.describe('Credits less debits.'),
  average_transaction: average,
  average_credit: average,
  average_debit: average,
  largest_credit: largest,
  largest_debit: largest,
};

const buckets = z
  .array(
    z.strictObject({
      name: z
        .string()
        .meta({ description: '2026-01-31, 2026-W05 or 2026-01.', examples: ['2026-01-01', '2026-W01'] }),
      from: time,
      to: end,
      ...figures,
    }),
  )
  .describe(
    'Oldest first, without a gap; the range may cut off a part of the first and the last week or month.',
  );

const range = {
  from: time,
  to: end,
  interval: z.enum(INTERVALS),
  complete: z.boolean().describe('Whether the range is over; until then more may come.'),
};

export const accountAnalyticsSchema = z
  .strictObject({ account_id: id, currency, ...range, ...figures, buckets })
  .meta({ id: 'AccountAnalytics' });

const currencies = z
  .array(z.strictObject({ currency, ...figures, buckets }))
  .describe('Sorted by their code.');

export const ownerAnalyticsSchema = z
  .strictObject({
    owner_id: id,
    account_count: count.describe('Accounts whose figures these are, closed ones too.'),
    ...range,
    currencies,
  })
  .meta({ id: 'OwnerAnalytics' });

export const bankAnalyticsSchema = z.strictObject({ ...range, currencies }).meta({ id: 'BankAnalytics' });
