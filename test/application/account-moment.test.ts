/** An account at a moment, as people see it. */
import { expect, it } from 'vitest';
import { accountMoment } from '../../src/application/account-moment.ts';
import { type BankAccount, type BankAccountEvent, evolveBankAccount } from '../../src/domain/bank-account.ts';
import { ACCOUNT, opened, paidIn } from '../support/account-history.ts';

const TERMS: BankAccountEvent = {
  type: 'BankAccountTermsChangedDomainEventV1',
  data: { credit_rate: '5.0000', overdraft_rate: '12.0000', monthly_fee: '1' },
};

/** An account of 1,000 major units with those terms from the first of January on, on the first of February. */
function afterJanuary(currency: string) {
  const events = [opened('0', currency), paidIn('1000', currency), TERMS];
  const january = events.reduce<BankAccount | undefined>(
    (before, event) => evolveBankAccount(before, event, '2026-01-01T00:00:00.000Z'),
    undefined,
  );
  const timestamp = '2026-02-01T00:00:00.000Z';
  const state = evolveBankAccount(january, paidIn('1', currency), timestamp);
  return accountMoment(ACCOUNT, { state, revision: 3, timestamp }, null);
}

// 1,000 × 5 % × 31 / 365 = 4.246575342…
it.each([
  ['USD', '4.24657534', '0.00000000', '1.00'],
  ['JPY', '4.246575', '0.000000', '1'],
  ['BHD', '4.246575342', '0.000000000', '1.000'],
])('shows what accrued in %s with six decimals more than it has, cut off', (currency, credit, none, fee) => {
  expect(afterJanuary(currency).accrued[0]).toEqual({
    period: '2026-01',
    credit_interest: credit,
    overdraft_interest: none,
    fee,
  });
});
