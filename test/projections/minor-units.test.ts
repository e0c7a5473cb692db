/** The amounts of read models in minor units: each amount has them, in the decimals of its own currency. */
import { describe, expect, it } from 'vitest';
import { accountDays } from '../../src/projections/account-days.ts';
import type { AccountDocument } from '../../src/projections/accounts.ts';
import { accounts } from '../../src/projections/accounts.ts';
import { bankDays } from '../../src/projections/bank-days.ts';
import { externalReferences } from '../../src/projections/external-references.ts';
import { projections } from '../../src/projections/index.ts';
import { operations } from '../../src/projections/operations.ts';
import { ownerSummaries } from '../../src/projections/owner-summaries.ts';
import { persons } from '../../src/projections/persons.ts';
import { streamCategories, streamHealth } from '../../src/projections/stream-health.ts';
import { transactions } from '../../src/projections/transactions.ts';

const ACCOUNT: AccountDocument = {
  id: 'a-1',
  owner_id: 'p-1',
  owner: 'Alice Smith',
  account_type: 'CHECKING',
  status: 'ACTIVE',
  frozen: null,
  currency: 'USD',
  balance: '-399.84',
  available_balance: '100.16',
  held: '0.00',
  overdraft_limit: '500.00',
  transaction_limit: null,
  daily_limit: null,
  credit_rate: null,
  overdraft_rate: null,
  monthly_fee: null,
  transaction_count: 4,
  total_credits: '0.31',
  total_debits: '400.15',
  largest_transaction: '9999999999999.99',
  last_transaction_at: null,
  created_at: '2026-01-01T00:00:00.000Z',
  last_modified: '2026-01-01T00:00:00.000Z',
  revision: 4,
  holder: 'CUSTOMER',
};

describe('minor units', () => {
  it('of an account are those of all its amounts', () => {
    expect(accounts.minorUnits?.(ACCOUNT)).toEqual({
      balance: -39_984n,
      available_balance: 10_016n,
      held: 0n,
      overdraft_limit: 50_000n,
      total_credits: 31n,
      total_debits: 40_015n,
      largest_transaction: 999_999_999_999_999n,
    });
  });

  it.each([
    ['JPY', '1200', 1200n],
    ['BHD', '1.234', 1234n],
    ['EUR', '0.05', 5n],
  ])('have the decimals of %s', (currency, amount, minor) => {
    const posting = {
      transaction_id: 't-1',
      account_id: 'a-1',
      type: 'DEPOSIT',
      direction: 'CREDIT',
      description: '',
      recorded_at: '2026-01-01T00:00:00.000Z',
      revision: 1,
    } as const;
    const document = { ...posting, currency, amount, balance: `-${amount}` };
    expect(transactions.minorUnits?.(document)).toEqual({ amount: minor, balance: -minor });
  });

  it('of an owner are apart for each currency', () => {
    const summary = {
      owner_id: 'p-1',
      total_accounts: 2,
      active_accounts: 2,
      closed_accounts: 0,
      last_activity: null,
    };
    const total_balance = { USD: '-1.50', JPY: '90' };
    expect(ownerSummaries.minorUnits?.({ ...summary, total_balance })).toEqual({
      total_balance: { USD: -150n, JPY: 90n },
    });
    expect(ownerSummaries.minorUnits?.({ ...summary, total_balance: {} })).toEqual({ total_balance: {} });
  });

  it('of a day are those of each direction, and of each currency', () => {
    const credits = { count: 2, total: '1200', largest: '900', largest_id: 't-1' };
    const minor = { credits: { total: 1200n, largest: 900n } };
    const day = '2026-01-01';
    const ofAccount = { account_id: 'a-1', day, currency: 'JPY', credits, debits: null };
    expect(accountDays.minorUnits?.(ofAccount)).toEqual(minor);
    const debits = { count: 1, total: '0.05', largest: '0.05', largest_id: 't-2' };
    const currencies = { JPY: { credits, debits: null }, USD: { credits: null, debits } };
    expect(bankDays.minorUnits?.({ day, currencies })).toEqual({
      currencies: { JPY: minor, USD: { debits: { total: 5n, largest: 5n } } },
    });
  });

  it('are there for every read model but those without amounts', () => {
    expect(projections.filter((one) => !one.minorUnits)).toEqual([
      persons,
      externalReferences,
      operations,
      streamHealth,
      streamCategories,
    ]);
  });
});
