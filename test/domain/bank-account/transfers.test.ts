/** An account's part in a transfer: debit, credit and refund, with both accounts and the transfer in the posting. */
import { describe, it } from 'vitest';
import {
  type BankAccount,
  creditForTransfer,
  debitForTransfer,
  refundTransfer,
  type TransactionRecorded,
} from '../../../src/domain/bank-account.ts';
import {
  ACCOUNT,
  closed,
  given,
  held,
  leg,
  NOW,
  OTHER_ACCOUNT,
  opened,
  paidIn,
  posted,
  TRANSFER,
} from '../../support/account-history.ts';

const debiting = (amount: string, currency?: string) => (account: BankAccount) =>
  debitForTransfer(account, leg(amount, currency), NOW);
const crediting = (amount: string, currency?: string) => (account: BankAccount) =>
  creditForTransfer(account, leg(amount, currency));
const refunding = (amount: string, currency?: string) => (account: BankAccount) =>
  refundTransfer(account, leg(amount, currency));

const moved = (
  direction: 'CREDIT' | 'DEBIT',
  amount: string,
  balance: string,
  more: Partial<TransactionRecorded['data']> = {},
) => {
  const accounts = { from_account_id: ACCOUNT, to_account_id: OTHER_ACCOUNT };
  return posted({
    type: 'TRANSFER',
    direction,
    amount,
    balance,
    transfer_id: TRANSFER,
    ...accounts,
    ...more,
  });
};
const LARGEST = '999999999999999.99';

describe('the legs of a transfer', () => {
  it('take the money out of one account, as far as it is available', () => {
    const history = [opened('10.00'), paidIn('100.00'), held('20.00')] as const;
    given(history)
      .when(debiting('90'))
      .thenEvents([moved('DEBIT', '90.00', '10.00')]);
    given(history)
      .when(debiting('90.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '90.01',
          balance: '100.00',
          held: '20.00',
          overdraft_limit: '10.00',
          available_balance: '90.00',
          currency: 'USD',
        },
      });
  });

  it('put it into the other, as far as there is room', () => {
    given([opened(), paidIn('999999999999999.00')])
      .when(crediting('0.99'))
      .thenEvents([moved('CREDIT', '0.99', LARGEST)]);
    given([opened(), paidIn('999999999999999.00')])
      .when(crediting('1.00'))
      .thenRejected('balance_limit_exceeded', {
        field: 'amount',
        facts: { maximum: LARGEST, currency: 'USD' },
      });
  });

  it('give it back to where it came from, also beyond the largest balance', () => {
    const back = { from_account_id: OTHER_ACCOUNT, to_account_id: ACCOUNT };
    given([opened(), paidIn(LARGEST)])
      .when(refunding('1.00'))
      .thenEvents([moved('CREDIT', '1.00', '1000000000000000.99', back)]);
  });
});

describe.each([
  ['debit', debiting],
  ['credit', crediting],
  ['refund', refunding],
] as const)('the %s of a transfer', (_name, deciding) => {
  it('is refused in another currency than the account’s', () => {
    given([opened(), paidIn('100.00')])
      .when(deciding('1.00', 'EUR'))
      .thenRejected('currency_mismatch', { facts: { account_currency: 'USD', currency: 'EUR' } });
  });

  it('is refused by a closed account', () => {
    given([opened(), closed]).when(deciding('1.00')).thenRejected('account_closed');
  });

  it.each(['0', '-1.00'])('is refused for an amount of %s', (amount) => {
    given([opened(), paidIn('100.00')])
      .when(deciding(amount))
      .thenRejected('amount_not_positive', { field: 'amount' });
  });
});
