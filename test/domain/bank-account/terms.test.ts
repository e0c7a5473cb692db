/** Terms and the posting of a month: what is posted, once, late, twice, and what stands in the way. */
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  changeTerms,
  evolveBankAccount,
  type NewTerms,
  postPeriod,
  type TransactionRecorded,
} from '../../../src/domain/bank-account.ts';
import {
  ACCOUNT,
  closed,
  given,
  NOW,
  opened,
  paidIn,
  TRANSACTION,
  takenOut,
} from '../../support/account-history.ts';

const terms = (credit_rate: string, overdraft_rate = '0.0000', monthly_fee = '0.00'): BankAccountEvent => ({
  type: 'BankAccountTermsChangedDomainEventV1',
  data: { credit_rate, overdraft_rate, monthly_fee },
});
const changing = (more: Partial<NewTerms>) => (account: BankAccount) =>
  changeTerms(account, { credit_rate: '0', overdraft_rate: '0', monthly_fee: '0', ...more });
const post = (account: BankAccount, period: string, now: string) =>
  postPeriod(account, { account_id: ACCOUNT, period, newTransactionId: () => TRANSACTION }, now);

type Happened = readonly [day: string, event: BankAccountEvent];

/** An account on which things happened at noon of their days. */
function accountAfter(...history: readonly Happened[]): BankAccount {
  const all: readonly Happened[] = [['2026-01-01', opened('10.00')], ...history];
  return all.reduce<BankAccount | undefined>(
    (state, [day, event]) => evolveBankAccount(state, event, `${day}T12:00:00.000Z`),
    undefined,
  ) as BankAccount;
}

/** Posts, and goes on from there: what was posted, in short. */
function posting(account: BankAccount, period: string, day: string) {
  const now = `${day}T01:00:00.000Z`;
  const decision = post(account, period, now);
  if (!decision.ok) throw new Error(decision.rejection.code);
  const postings = decision.value.map((event) => {
    const { type, direction, amount, period: month } = (event as TransactionRecorded).data;
    return `${month} ${type} ${direction} ${amount}`;
  });
  const after = decision.value.reduce((state, event) => evolveBankAccount(state, event, now), account);
  return { postings, after };
}

describe('terms', () => {
  it('are written with four decimals of a percent, and a fee in the decimals of the currency', () => {
    given([opened()])
      .when(changing({ credit_rate: '2.5', overdraft_rate: '12', monthly_fee: '3' }))
      .thenEvents([terms('2.5000', '12.0000', '3.00')]);
    given([opened('0', 'JPY')])
      .when(changing({ credit_rate: '0.0001', monthly_fee: '110' }))
      .thenEvents([terms('0.0001', '0.0000', '110')]);
    given([opened('0.000', 'BHD')])
      .when(changing({ credit_rate: '100.0000' }))
      .thenEvents([terms('100.0000', '0.0000', '0.000')]);
  });

  it('that are in force already change nothing', () => {
    given([opened(), terms('2.5000')])
      .when(changing({ credit_rate: '2.50' }))
      .thenEvents([]);
  });

  it.each([
    [{ credit_rate: '100.0001' }, 'rate_too_high', 'credit_rate', { maximum: 100 }],
    [{ overdraft_rate: '0.00001' }, 'amount_too_precise', 'overdraft_rate', { decimals: 4 }],
    [{ overdraft_rate: '-1' }, 'invalid_amount', 'overdraft_rate', undefined],
    [{ monthly_fee: '-1' }, 'amount_negative', 'monthly_fee', undefined],
  ] as const)('%j are refused', (more, code, field, facts) => {
    given([opened()])
      .when(changing(more))
      .thenRejected(code, facts ? { field, facts } : { field });
  });

  it('are nothing for a closed account', () => {
    given([opened(), closed]).when(changing({})).thenRejected('account_closed');
  });
});

describe('posting a month', () => {
  const saving = [
    ['2026-01-01', terms('2.5000')],
    ['2026-01-01', paidIn('1000.00')],
  ] as const;

  it('pays the interest of its end-of-day balances once', () => {
    const first = posting(accountAfter(...saving), '2026-01', '2026-02-01');
    expect(first.postings).toEqual(['2026-01 INTEREST CREDIT 2.12']);
    expect(posting(first.after, '2026-01', '2026-02-01').postings).toEqual([]);
    expect(posting(first.after, '2026-01', '2026-12-31').postings).toEqual([]);
  });

  it('comes to the same when it is late, and the next month counts what was posted from its day on', () => {
    const late = posting(accountAfter(...saving), '2026-01', '2026-02-11');
    expect(late.postings).toEqual(['2026-01 INTEREST CREDIT 2.12']);
    // Ten days on 1,000.00 and eighteen on 1,002.12, with what January left over.
    expect(posting(late.after, '2026-02', '2026-03-01').postings).toEqual(['2026-02 INTEREST CREDIT 1.92']);
  });

  it('makes up for months before it, each with postings of its own', () => {
    const { postings, after } = posting(accountAfter(...saving), '2026-03', '2026-05-01');
    expect(postings).toEqual([
      '2026-01 INTEREST CREDIT 2.12',
      '2026-02 INTEREST CREDIT 1.92',
      '2026-03 INTEREST CREDIT 2.12',
    ]);
    expect(posting(after, '2026-04', '2026-05-01').postings).toEqual(['2026-04 INTEREST CREDIT 2.06']);
  });

  it('takes the balance at the end of each day, and the rate that was in force', () => {
    const account = accountAfter(
      ...saving,
      ['2026-01-11', takenOut('400.00')],
      ['2026-01-11', paidIn('100.00')],
      ['2026-01-21', terms('5.0000')],
    );
    // 10 days on 1,000.00 and 10 on 700.00 at 2.5 %, 11 on 700.00 at 5 %: 0.6849 + 0.4794 + 1.0547
    expect(posting(account, '2026-01', '2026-02-01').postings).toEqual(['2026-01 INTEREST CREDIT 2.22']);
  });

  it('charges an overdraft and the fee, whatever is available, and pays interest beside them', () => {
    const account = accountAfter(
      ['2026-01-01', terms('2.5000', '12.0000', '3.00')],
      ['2026-01-01', paidIn('1000.00')],
      ['2026-01-16', takenOut('1010.00')],
      [
        '2026-01-16',
        { type: 'BankAccountFrozenDomainEventV1', data: { scope: 'ALL', reason: 'court order' } },
      ],
    );
    const { postings, after } = posting(account, '2026-01', '2026-02-01');
    expect(postings).toEqual([
      '2026-01 INTEREST CREDIT 1.03',
      '2026-01 INTEREST DEBIT 0.05',
      '2026-01 FEE DEBIT 3.00',
    ]);
    expect(after.balance).toBe(-1202n);
    expect(posting(after, '2026-01', '2026-02-01').postings).toEqual([]);
  });

  it('keeps what is too little to post until it is enough', () => {
    const poor = accountAfter(['2026-01-01', terms('1.0000')], ['2026-01-01', paidIn('2.00')]);
    const months = ['2026-01', '2026-02', '2026-03', '2026-04'];
    let account = poor;
    const postings = months.flatMap((month) => {
      const posted = posting(account, month, '2026-06-01');
      account = posted.after;
      return posted.postings;
    });
    expect(postings).toEqual(['2026-04 INTEREST CREDIT 0.01']);
    expect(Object.keys(account.accrual?.periods ?? {})).toEqual(['2026-05']);
  });

  it('goes on after any number of months that came to nothing', () => {
    const account = accountAfter(
      ['2026-01-01', terms('0.1000')],
      ['2026-01-01', paidIn('1.00')],
      // Four years of it are 0.4 cents, which stay.
      ['2030-01-01', paidIn('100000.00')],
      ['2030-01-01', terms('0.1000', '0.0000', '5.00')],
    );
    const { postings, after } = posting(account, '2030-01', '2030-02-01');
    expect(postings).toEqual(['2030-01 INTEREST CREDIT 8.50', '2030-01 FEE DEBIT 5.00']);
    expect(after.accrual?.periods).toEqual({});
  });

  it('posts 36 months at a time', () => {
    const account = accountAfter(['2026-01-01', terms('0.0000', '0.0000', '1.00')]);
    const first = posting(account, '2029-04', '2029-05-01');
    expect(first.postings).toHaveLength(36);
    expect(posting(first.after, '2029-04', '2029-05-01').postings).toEqual([
      '2029-01 FEE DEBIT 1.00',
      '2029-02 FEE DEBIT 1.00',
      '2029-03 FEE DEBIT 1.00',
      '2029-04 FEE DEBIT 1.00',
    ]);
  });

  it.each([
    ['JPY', '1000000', '2123'],
    ['BHD', '1000.000', '2.123'],
  ])('rounds to the decimals of %s', (currency, amount, interest) => {
    const zero = currency === 'JPY' ? '0' : '0.000';
    const history = [opened(zero, currency), terms('2.5000', '0.0000', zero), paidIn(amount, currency)];
    const account = history.reduce<BankAccount | undefined>(
      (state, event) => evolveBankAccount(state, event, '2026-01-01T00:00:00.000Z'),
      undefined,
    ) as BankAccount;
    expect(posting(account, '2026-01', '2026-02-01').postings).toEqual([
      `2026-01 INTEREST CREDIT ${interest}`,
    ]);
  });

  it('waits for the end of the month', () => {
    const account = accountAfter(...saving);
    expect(post(account, '2026-01', '2026-01-31T23:59:59.999Z')).toMatchObject({
      ok: false,
      rejection: { code: 'period_not_over', field: 'period' },
    });
    expect(post(account, '2026-01', '2026-02-01T00:00:00.000Z')).toMatchObject({ ok: true });
  });

  it('is nothing for an account without terms, and refused by a closed one', () => {
    given([opened(), paidIn('1000.00')])
      .when((account) => post(account, '2025-12', NOW))
      .thenEvents([]);
    given([opened(), terms('2.5000'), closed])
      .when((account) => post(account, '2025-12', NOW))
      .thenRejected('account_closed');
  });
});

it('corrupt: a rate that nobody writes so throws', () => {
  expect(() => given([opened(), terms('2.5')])).toThrow(RangeError);
});
