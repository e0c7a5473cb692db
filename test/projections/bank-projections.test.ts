/** The bank's read models as pure folds: given these events, then those documents. */
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import type { Lookup } from '../../src/event-sourcing/projection.ts';
import type { Document } from '../../src/event-sourcing/read-model-store.ts';
import { projections } from '../../src/projections/index.ts';
import { ALICE, BankLog, created, posted, timeOf, usd } from '../support/bank-events.ts';
import { deepFreeze } from '../support/given-when-then.ts';

type Tables = Record<string, Record<string, Document>>;

/** Folds a log into tables of documents, as simply as it can be done. Documents are frozen: a fold may not change one. */
function tablesOf(log: BankLog, defaultCurrency = 'USD'): Tables {
  const codec = createBankCodec(defaultCurrency);
  const tables: Tables = Object.fromEntries(projections.map(({ name }) => [name, {}]));
  const lookup = { get: ({ name }, key) => tables[name]?.[key] } as Lookup;
  for (const recorded of log.events) {
    const event = deepFreeze(codec.decode(recorded));
    for (const projection of projections.filter(({ eventTypes }) => eventTypes.includes(event.type))) {
      const table = tables[projection.name] ?? {};
      for (const key of projection.keys(event, lookup)) {
        table[key] = deepFreeze(projection.fold(table[key], event, lookup, key));
      }
    }
  }
  return tables;
}

const given = (...events: readonly BankAccountEvent[]) =>
  tablesOf(new BankLog().registered('p-1').account('a-1', ...events));
const accountOf = (...events: readonly BankAccountEvent[]) => given(...events).bank_accounts?.['a-1'];
const summaryOf = (...events: readonly BankAccountEvent[]) => given(...events).owner_summaries?.['p-1'];

const limitChanged = (old_limit: string, new_limit: string): BankAccountEvent => ({
  type: 'BankAccountOverdraftLimitChangedDomainEventV1',
  data: { old_limit, new_limit },
});
const closed: BankAccountEvent = {
  type: 'BankAccountClosedDomainEventV1',
  data: { reason: 'moved', final_balance: '0.00' },
};

/** The account just after it was opened. The person is the log's first event, the account its second. */
const OPENED = {
  id: 'a-1',
  owner_id: 'p-1',
  owner: 'Alice Smith',
  account_type: 'CHECKING',
  status: 'ACTIVE',
  frozen: null,
  currency: 'USD',
  balance: '0.00',
  available_balance: '500.00',
  held: '0.00',
  overdraft_limit: '500.00',
  transaction_limit: null,
  daily_limit: null,
  credit_rate: null,
  overdraft_rate: null,
  monthly_fee: null,
  transaction_count: 0,
  total_credits: '0.00',
  total_debits: '0.00',
  largest_transaction: '0.00',
  last_transaction_at: null,
  created_at: timeOf(1),
  last_modified: timeOf(1),
  revision: 0,
  holder: 'CUSTOMER',
};
const withLimit = created('p-1', { overdraft_limit: '500.00' });

describe('persons', () => {
  it('are as they were registered', () => {
    expect(tablesOf(new BankLog().registered('p-1')).persons).toEqual({
      'p-1': { id: 'p-1', ...ALICE, created_at: timeOf(0), revision: 0 },
    });
  });

  it('keep their address', () => {
    const address = {
      street_name: 'Rue de l’Été',
      street_number: '12b',
      zip_code: '1003',
      city: 'Lausanne',
      state: 'VD',
      country: 'CH',
    };
    const tables = tablesOf(new BankLog().registered('p-1', { ...ALICE, address }));
    expect(tables.persons?.['p-1']).toMatchObject({ address });
  });
});

describe('bank accounts', () => {
  it('start at zero, with the limit available and the name of the owner', () => {
    expect(accountOf(withLimit)).toEqual(OPENED);
  });

  it('count credits', () => {
    expect(accountOf(withLimit, posted('t-1', usd('CREDIT', '100.10', '100.10')))).toEqual({
      ...OPENED,
      balance: '100.10',
      available_balance: '600.10',
      transaction_count: 1,
      total_credits: '100.10',
      largest_transaction: '100.10',
      last_transaction_at: timeOf(2),
      last_modified: timeOf(2),
      revision: 1,
    });
  });

  it('count debits, also below zero', () => {
    const postings = [
      posted('t-1', usd('CREDIT', '0.30', '0.30')),
      posted('t-2', usd('DEBIT', '0.10', '0.20')),
      posted('t-3', usd('DEBIT', '400.05', '-399.85')),
      posted('t-4', { ...usd('CREDIT', '0.01', '-399.84'), type: 'INTEREST' }),
    ];
    expect(accountOf(withLimit, ...postings)).toEqual({
      ...OPENED,
      balance: '-399.84',
      available_balance: '100.16',
      transaction_count: 4,
      total_credits: '0.31',
      total_debits: '400.15',
      largest_transaction: '400.05',
      last_transaction_at: timeOf(5),
      last_modified: timeOf(5),
      revision: 4,
    });
  });

  it('trust their own sum, not the balance that an event carries', () => {
    const document = accountOf(withLimit, posted('t-1', usd('CREDIT', '1.00', '999.00')));
    expect(document).toMatchObject({ balance: '1.00', available_balance: '501.00' });
  });

  it('add amounts exactly, where floating point would not', () => {
    const cents = Array.from({ length: 30 }, (_, n) => posted(`t-${n}`, usd('CREDIT', '0.10', '0.00')));
    const large = posted('t', usd('CREDIT', '9999999999999.99', '0.00'));
    expect(accountOf(withLimit, ...cents, large)).toMatchObject({
      balance: '10000000000002.99',
      total_credits: '10000000000002.99',
      largest_transaction: '9999999999999.99',
    });
  });

  it('follow a changed limit', () => {
    const events = [posted('t-1', usd('CREDIT', '10.00', '10.00')), limitChanged('500.00', '0.50')];
    expect(accountOf(withLimit, ...events)).toMatchObject({
      overdraft_limit: '0.50',
      available_balance: '10.50',
      balance: '10.00',
      transaction_count: 1,
      last_transaction_at: timeOf(2),
      last_modified: timeOf(3),
      revision: 2,
    });
  });

  it('follow limits of customers’ debits, and know when there is none', () => {
    const limits = (transaction_limit: string | null, daily_limit: string | null): BankAccountEvent => ({
      type: 'BankAccountLimitsChangedDomainEventV1',
      data: { transaction_limit, daily_limit },
    });
    const limited = { transaction_limit: '5.00', daily_limit: null };
    expect(accountOf(withLimit, limits(null, '7.00'), limits('5.00', null))).toMatchObject(limited);
  });

  it('are suspended while they are frozen, and tell for what', () => {
    const frozen = (scope: 'DEBITS' | 'ALL'): BankAccountEvent => ({
      type: 'BankAccountFrozenDomainEventV1',
      data: { scope, reason: 'court order' },
    });
    const events = [withLimit, frozen('DEBITS'), frozen('ALL')] as const;
    const suspended = {
      ...OPENED,
      status: 'SUSPENDED',
      frozen: 'ALL',
      last_modified: timeOf(3),
      revision: 2,
    };
    expect(accountOf(...events)).toEqual(suspended);
    const unfrozen = { type: 'BankAccountUnfrozenDomainEventV1', data: { reason: 'lifted' } } as const;
    const active = { ...OPENED, last_modified: timeOf(4), revision: 3 };
    expect(accountOf(...events, unfrozen)).toEqual(active);
  });

  it('are closed', () => {
    expect(accountOf(withLimit, closed)).toEqual({
      ...OPENED,
      status: 'CLOSED',
      last_modified: timeOf(2),
      revision: 1,
    });
  });

  it.each([
    ['JPY', '0', '1200', '800', '400'],
    ['BHD', '0.000', '1.200', '0.801', '0.399'],
  ])('in %s have the decimals of that currency', (currency, zero, credit, debit, balance) => {
    const document = accountOf(
      created('p-1', { currency, overdraft_limit: zero }),
      posted('t-1', { direction: 'CREDIT', amount: credit, balance: credit, currency }),
      posted('t-2', { direction: 'DEBIT', amount: debit, balance, currency }),
    );
    expect(document).toMatchObject({
      balance,
      held: zero,
      total_credits: credit,
      total_debits: debit,
      currency,
    });
  });

  it('that were opened with the first version are checking accounts in the default currency', () => {
    const log = new BankLog().registered('p-1').accountV1('a-1', 'p-1', 500);
    expect(tablesOf(log).bank_accounts?.['a-1']).toEqual(OPENED);
    expect(tablesOf(log, 'JPY').bank_accounts?.['a-1']).toMatchObject({
      currency: 'JPY',
      overdraft_limit: '500',
    });
  });

  it('of an owner whom nobody knows have no name, and are there all the same', () => {
    const tables = tablesOf(new BankLog().account('a-1', created('p-9')));
    expect(tables.bank_accounts?.['a-1']).toMatchObject({ owner_id: 'p-9', owner: '' });
  });

  it('keep the money of two accounts apart', () => {
    const log = new BankLog()
      .account('a-1', created('p-1'))
      .account('a-2', created('p-1', { account_type: 'SAVINGS' }))
      .account('a-1', posted('t-1', usd('CREDIT', '5.00', '5.00')));
    expect(tablesOf(log).bank_accounts).toMatchObject({
      'a-1': { balance: '5.00', account_type: 'CHECKING' },
      'a-2': { balance: '0.00', account_type: 'SAVINGS', revision: 0 },
    });
  });

  it('cannot be folded without their creation', () => {
    expect(() => accountOf(posted('t-1', usd('CREDIT', '5.00', '5.00')))).toThrow(
      'a-1 has no creation event',
    );
  });
});

describe('transactions', () => {
  it('are the postings of all accounts, each with its balance, place and time', () => {
    const log = new BankLog()
      .account(
        'a-1',
        created('p-1'),
        posted('t-1', { ...usd('CREDIT', '5.00', '5.00'), to_account_id: 'a-1' }),
      )
      .account(
        'a-2',
        created('p-1'),
        posted('t-2', { ...usd('DEBIT', '1.00', '-1.00'), from_account_id: 'a-2' }),
      )
      .account('a-1', limitChanged('0.00', '1.00'), closed);
    expect(tablesOf(log).transactions).toEqual({
      't-1': {
        account_id: 'a-1',
        transaction_id: 't-1',
        type: 'DEPOSIT',
        amount: '5.00',
        currency: 'USD',
        direction: 'CREDIT',
        to_account_id: 'a-1',
        description: 'posting t-1',
        balance: '5.00',
        recorded_at: timeOf(1),
        revision: 1,
      },
      't-2': {
        account_id: 'a-2',
        transaction_id: 't-2',
        type: 'WITHDRAWAL',
        amount: '1.00',
        currency: 'USD',
        direction: 'DEBIT',
        from_account_id: 'a-2',
        description: 'posting t-2',
        balance: '-1.00',
        recorded_at: timeOf(3),
        revision: 1,
      },
    });
  });
});

describe('owner summaries', () => {
  const NOTHING = {
    owner_id: 'p-1',
    total_accounts: 0,
    active_accounts: 0,
    closed_accounts: 0,
    total_balance: {},
    last_activity: null,
  };

  it('begin with the person, who has nothing yet', () => {
    expect(summaryOf()).toEqual(NOTHING);
  });

  it('count an account as soon as it is open', () => {
    expect(summaryOf(withLimit)).toEqual({
      ...NOTHING,
      total_accounts: 1,
      active_accounts: 1,
      total_balance: { USD: '0.00' },
      last_activity: timeOf(1),
    });
  });

  it('add up the balances, each currency for itself', () => {
    const yen = (direction: 'CREDIT' | 'DEBIT', amount: string) => ({
      direction,
      amount,
      balance: '0',
      currency: 'JPY',
    });
    const log = new BankLog()
      .registered('p-1')
      .account('a-1', created('p-1'), posted('t-1', usd('CREDIT', '5.50', '5.50')))
      .account('a-2', created('p-1'), posted('t-2', usd('DEBIT', '7.00', '-7.00')))
      .account(
        'a-3',
        created('p-1', { currency: 'JPY', overdraft_limit: '0' }),
        posted('t-3', yen('CREDIT', '90')),
      )
      .account('a-4', created('p-2'), posted('t-4', usd('CREDIT', '1000.00', '1000.00')));
    expect(tablesOf(log).owner_summaries).toEqual({
      'p-1': {
        ...NOTHING,
        total_accounts: 3,
        active_accounts: 3,
        total_balance: { USD: '-1.50', JPY: '90' },
        last_activity: timeOf(6),
      },
      'p-2': {
        ...NOTHING,
        owner_id: 'p-2',
        total_accounts: 1,
        active_accounts: 1,
        total_balance: { USD: '1000.00' },
        last_activity: timeOf(8),
      },
    });
  });

  it('tell closed accounts from active ones', () => {
    const log = new BankLog()
      .registered('p-1')
      .account('a-1', created('p-1'))
      .account('a-2', created('p-1'))
      .account('a-1', closed);
    expect(tablesOf(log).owner_summaries?.['p-1']).toEqual({
      ...NOTHING,
      total_accounts: 2,
      active_accounts: 1,
      closed_accounts: 1,
      total_balance: { USD: '0.00' },
      last_activity: timeOf(3),
    });
  });

  it('count accounts of the first version', () => {
    const log = new BankLog()
      .registered('p-1')
      .accountV1('a-1', 'p-1', '250.00')
      .account('a-1', posted('t-1', usd('CREDIT', '5.50', '5.50')));
    expect(tablesOf(log).owner_summaries?.['p-1']).toMatchObject({
      total_accounts: 1,
      total_balance: { USD: '5.50' },
    });
  });

  it('are not confused by a changed limit', () => {
    expect(summaryOf(withLimit, limitChanged('500.00', '1.00'))).toEqual(summaryOf(withLimit));
  });

  it('cannot count a posting of an account that nobody knows', () => {
    const summaries = projections.find(({ name }) => name === 'owner_summaries');
    const [recorded] = new BankLog().account('a-1', posted('t-1', usd('CREDIT', '5.00', '5.00'))).events;
    const event = createBankCodec('USD').decode(recorded as never);
    const nobody = { get: () => undefined };
    expect(() => summaries?.keys(event, nobody)).toThrow('account a-1 is not in bank_accounts');
  });
});
