/** Reversals of transfers on their accounts: the credited one decides how much, the debited one gets it back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  creditForReversal,
  debitForReversal,
  evolveBankAccount,
  REVERSAL_DAYS_MAX,
  type ReversalLeg,
  refundTransfer,
  type TransactionRecorded,
} from '../../../src/domain/bank-account.ts';
import {
  ACCOUNT,
  closed,
  given,
  leg,
  NOW,
  OTHER_ACCOUNT,
  opened,
  paidIn,
  posted,
  TRANSFER,
  takenOut,
} from '../../support/account-history.ts';
import { settings } from '../property-settings.ts';

const DEBIT = '01890a5d-ac96-774b-bcce-b302099a8081';
const CREDIT = '01890a5d-ac96-774b-bcce-b302099a8082';
const reverses = {
  amount: '25.00',
  debit_transaction_id: DEBIT,
  credit_transaction_id: CREDIT,
  completed_at: NOW,
};
/** From the account that was credited, which is this one, back to the other. */
const taking = (amount: string): ReversalLeg => ({ ...leg(amount), reverses });
const giving = (amount: string): ReversalLeg => ({
  ...taking(amount),
  from_account_id: OTHER_ACCOUNT,
  to_account_id: ACCOUNT,
});
const debiting =
  (amount: string, now = NOW) =>
  (account: BankAccount) =>
    debitForReversal(account, taking(amount), now);
const crediting = (amount: string) => (account: BankAccount) =>
  creditForReversal(account, giving(amount), NOW);

const received = posted({
  type: 'TRANSFER',
  direction: 'CREDIT',
  amount: '25.00',
  balance: '25.00',
  transaction_id: CREDIT,
});
const back = (
  direction: 'CREDIT' | 'DEBIT',
  amount: string,
  balance: string,
  more: Partial<TransactionRecorded['data']>,
) => posted({ type: 'REVERSAL', direction, amount, balance, transfer_id: TRANSFER, ...more });
const takenBack = (amount: string, balance: string) =>
  back('DEBIT', amount, balance, {
    from_account_id: ACCOUNT,
    to_account_id: OTHER_ACCOUNT,
    reverses_transaction_id: CREDIT,
  });
const refunded = (amount: string, balance: string) =>
  posted({
    type: 'TRANSFER',
    direction: 'CREDIT',
    amount,
    balance,
    transfer_id: TRANSFER,
    from_account_id: OTHER_ACCOUNT,
    to_account_id: ACCOUNT,
    restores_transaction_id: CREDIT,
  });
const frozen = (scope: 'DEBITS' | 'CREDITS' | 'ALL'): BankAccountEvent => ({
  type: 'BankAccountFrozenDomainEventV1',
  data: { scope, reason: 'court order' },
});

describe('the account that was credited', () => {
  it('gives the money back, linked to its own posting and to the transfer that takes it', () => {
    given([opened(), received])
      .when(debiting('10'))
      .thenEvents([takenBack('10.00', '15.00')]);
    given([opened(), received])
      .when((account) => debitForReversal(account, { ...taking('1'), amount: undefined }, NOW))
      .thenEvents([takenBack('25.00', '0.00')]);
  });

  it('gives no more than the transfer was, in all parts together', () => {
    const history = [opened(), received, paidIn('100.00'), takenBack('10.00', '115.00')] as const;
    given(history)
      .when(debiting('15'))
      .thenEvents([takenBack('15.00', '100.00')]);
    given(history)
      .when(debiting('15.01'))
      .thenRejected('reversal_exceeds_original', {
        field: 'amount',
        facts: { amount: '15.01', left: '15.00', currency: 'USD' },
      });
    given([...history, takenBack('15.00', '100.00')])
      .when(debiting('0.01'))
      .thenRejected('already_reversed');
  });

  it('refuses when the money is gone, and when it is frozen for debits or closed', () => {
    given([opened(), received, takenOut('20.00')])
      .when(debiting('5.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '5.01',
          balance: '5.00',
          held: '0.00',
          overdraft_limit: '0.00',
          available_balance: '5.00',
          currency: 'USD',
        },
      });
    for (const scope of ['DEBITS', 'ALL'] as const) {
      given([opened(), received, frozen(scope)])
        .when(debiting('5'))
        .thenRejected('account_frozen', { facts: { frozen: scope } });
    }
    given([opened(), received, frozen('CREDITS')])
      .when(debiting('5'))
      .thenEvents([takenBack('5.00', '20.00')]);
    given([opened(), closed]).when(debiting('5')).thenRejected('account_closed');
  });

  it('refuses when the transfer was too long ago', () => {
    const later = new Date(Date.parse(NOW) + REVERSAL_DAYS_MAX * 86_400_000 + 1).toISOString();
    given([opened(), received])
      .when(debiting('5', later))
      .thenRejected('reversal_too_late', { facts: { recorded_at: NOW, days: REVERSAL_DAYS_MAX } });
  });

  it('takes a refund, after which as much can be reversed as before', () => {
    const history = [opened(), received, takenBack('10.00', '15.00')] as const;
    given(history)
      .when((account) => refundTransfer(account, taking('10')))
      .thenEvents([refunded('10.00', '25.00')]);
    given([...history, refunded('10.00', '25.00')])
      .when(debiting('25'))
      .thenEvents([takenBack('25.00', '0.00')]);
    given([...history, takenBack('5.00', '10.00'), refunded('10.00', '20.00')])
      .when(debiting('20.01'))
      .thenRejected('reversal_exceeds_original', {
        field: 'amount',
        facts: { amount: '20.01', left: '20.00', currency: 'USD' },
      });
  });
});

describe('the account that was debited', () => {
  const gotBack = back('CREDIT', '10.00', '10.00', {
    from_account_id: OTHER_ACCOUNT,
    to_account_id: ACCOUNT,
    reverses_transaction_id: DEBIT,
  });

  it('gets the money back, also when it is frozen', () => {
    given([opened()]).when(crediting('10')).thenEvents([gotBack]);
    given([opened(), frozen('ALL')])
      .when(crediting('10'))
      .thenEvents([gotBack]);
  });

  it('refuses when it is closed', () => {
    given([opened(), closed]).when(crediting('10')).thenRejected('account_closed');
  });
});

it('whatever is taken back and refunded, in whatever order: never more than the transfer, and all of it in the end', () => {
  const steps = fc.array(
    fc.record({ minor: fc.bigInt(1n, 1_200n), outcome: fc.constantFrom('keep', 'refund') }),
    { minLength: 1, maxLength: 30 },
  );
  const decimal = (minor: bigint) => `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
  const property = fc.property(steps, (story) => {
    let account = [opened(), received, paidIn('1000.00')].reduce<BankAccount | undefined>(
      (state, event) => evolveBankAccount(state, event, NOW),
      undefined,
    ) as BankAccount;
    const apply = (events: readonly BankAccountEvent[]) => {
      for (const event of events) account = evolveBankAccount(account, event, NOW);
    };
    let taken = 0n;
    for (const { minor, outcome } of story) {
      const decision = debitForReversal(account, taking(decimal(minor)), NOW);
      expect(decision.ok).toBe(minor <= 2_500n - taken);
      if (!decision.ok) continue;
      apply(decision.value);
      taken += minor;
      if (outcome === 'keep') continue;
      const refund = refundTransfer(account, taking(decimal(minor)));
      if (refund.ok) apply(refund.value);
      taken -= minor;
    }
    expect(account.balance).toBe(102_500n - taken);
    const rest = debitForReversal(account, { ...taking('1'), amount: undefined }, NOW);
    expect(rest.ok).toBe(taken < 2_500n);
    if (rest.ok) apply(rest.value);
    expect(account.balance).toBe(100_000n);
  });
  fc.assert(property, settings(80, 2000));
});
