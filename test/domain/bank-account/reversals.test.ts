/** Reversals: a posting is undone once, in parts or as a whole, within its time, and by money that is there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  evolveBankAccount,
  type OriginalPosting,
  REVERSAL_DAYS_MAX,
  REVERSED_POSTINGS_MAX,
  reverseTransaction,
  type TransactionRecorded,
} from '../../../src/domain/bank-account.ts';
import {
  ACCOUNT,
  closed,
  given,
  held,
  NOW,
  OTHER_ACCOUNT,
  opened,
  paidIn,
  posted,
  TRANSACTION,
  TRANSFER,
  takenOut,
} from '../../support/account-history.ts';
import { settings } from '../property-settings.ts';

const REVERSAL = '01890a5d-ac96-774b-bcce-b302099a8070';
const DAY_MS = 86_400_000;
const daysAgo = (days: number, milliseconds = 0) =>
  new Date(Date.parse(NOW) - days * DAY_MS + milliseconds).toISOString();

const originalOf = ({ data }: TransactionRecorded, recorded_at = NOW): OriginalPosting => ({
  ...data,
  recorded_at,
});
const reversing =
  (event: TransactionRecorded, amount?: string, recorded_at?: string) => (account: BankAccount) => {
    const original = originalOf(event, recorded_at);
    const reversal = { account_id: ACCOUNT, transaction_id: REVERSAL, original, amount, reason: 'mistake' };
    return reverseTransaction(account, reversal, NOW);
  };
const reversed = (
  direction: 'CREDIT' | 'DEBIT',
  amount: string,
  balance: string,
  more: Partial<TransactionRecorded['data']> = {},
) =>
  posted({
    type: 'REVERSAL',
    direction,
    amount,
    balance,
    transaction_id: REVERSAL,
    reverses_transaction_id: TRANSACTION,
    description: 'mistake',
    ...more,
  });
const interest = posted({ type: 'INTEREST', direction: 'CREDIT', amount: '5.00', balance: '5.00' });

describe('a reversal', () => {
  it('of a withdrawal brings the money back', () => {
    const rent = takenOut('40.00');
    given([opened(), paidIn('100.00'), rent])
      .when(reversing(rent))
      .thenEvents([reversed('CREDIT', '40.00', '100.00')]);
  });

  it('of a deposit takes the money out, as far as it is available', () => {
    const salary = paidIn('100.00');
    given([opened('10.00'), salary, takenOut('10.00')])
      .when(reversing(salary))
      .thenEvents([reversed('DEBIT', '100.00', '-10.00')]);
    given([opened('10.00'), salary, held('10.01')])
      .when(reversing(salary))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '100.00',
          balance: '100.00',
          held: '10.01',
          overdraft_limit: '10.00',
          available_balance: '99.99',
          currency: 'USD',
        },
      });
  });

  it('of interest takes it back whatever is there, because it was the bank’s own posting', () => {
    given([opened(), interest, takenOut('5.00')])
      .when(reversing(interest))
      .thenEvents([reversed('DEBIT', '5.00', '-5.00')]);
  });

  it('of a transfer’s side leads back between the same accounts', () => {
    const accounts = { from_account_id: ACCOUNT, to_account_id: OTHER_ACCOUNT };
    const sent = posted({
      type: 'TRANSFER',
      direction: 'DEBIT',
      amount: '5.00',
      balance: '0.00',
      transfer_id: TRANSFER,
      ...accounts,
    });
    const back = { transfer_id: TRANSFER, from_account_id: OTHER_ACCOUNT, to_account_id: ACCOUNT };
    given([opened(), paidIn('5.00'), sent])
      .when(reversing(sent))
      .thenEvents([reversed('CREDIT', '5.00', '5.00', back)]);
  });

  it('passes a freeze, but no closing', () => {
    const rent = takenOut('40.00');
    const frozen = { type: 'BankAccountFrozenDomainEventV1', data: { scope: 'ALL', reason: 'x' } } as const;
    given([opened('50.00'), rent, frozen])
      .when(reversing(rent))
      .thenEvents([reversed('CREDIT', '40.00', '0.00')]);
    given([opened(), rent, closed]).when(reversing(rent)).thenRejected('account_closed');
  });

  it('cannot be reversed itself', () => {
    const undone = reversed('CREDIT', '40.00', '0.00');
    given([opened(), undone]).when(reversing(undone)).thenRejected('not_reversible');
  });

  it(`is possible for ${REVERSAL_DAYS_MAX} days, and no millisecond longer`, () => {
    const rent = takenOut('40.00');
    given([opened('50.00'), rent])
      .when(reversing(rent, undefined, daysAgo(REVERSAL_DAYS_MAX)))
      .thenEvents([reversed('CREDIT', '40.00', '0.00')]);
    const recorded_at = daysAgo(REVERSAL_DAYS_MAX, -1);
    given([opened('50.00'), rent])
      .when(reversing(rent, undefined, recorded_at))
      .thenRejected('reversal_too_late', { facts: { recorded_at, days: REVERSAL_DAYS_MAX } });
  });
});

describe('parts of a posting', () => {
  const rent = takenOut('40.00');
  const account = [opened('40.00'), rent, reversed('CREDIT', '15.00', '-25.00')] as const;

  it('are reversed up to what is left, which is the default', () => {
    given(account)
      .when(reversing(rent, '0.01'))
      .thenEvents([reversed('CREDIT', '0.01', '-24.99')]);
    given(account)
      .when(reversing(rent))
      .thenEvents([reversed('CREDIT', '25.00', '0.00')]);
    given(account)
      .when(reversing(rent, '25.01'))
      .thenRejected('reversal_exceeds_original', {
        field: 'amount',
        facts: { amount: '25.01', left: '25.00', currency: 'USD' },
      });
  });

  it('are all there is to reverse', () => {
    const done = [...account, reversed('CREDIT', '25.00', '0.00')] as const;
    for (const amount of [undefined, '0.01']) {
      given(done).when(reversing(rent, amount)).thenRejected('already_reversed');
    }
  });

  it('never add up to more than the posting, whatever is asked in whichever order', () => {
    const amounts = fc.array(fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }), {
      maxLength: 12,
    });
    const property = fc.property(amounts, fc.boolean(), (asked, credit) => {
      const original = credit ? paidIn('40.00') : takenOut('40.00');
      const history = [opened('1000.00'), original];
      const fold = (state: BankAccount | undefined, event: Parameters<typeof evolveBankAccount>[1]) =>
        evolveBankAccount(state, event, NOW);
      let state = history.reduce<BankAccount | undefined>(fold, undefined) as BankAccount;
      let left = 4000;
      for (const cents of asked) {
        const amount = cents === undefined ? undefined : (cents / 100).toFixed(2);
        const decision = reversing(original, amount)(state);
        expect(decision.ok).toBe(left > 0 && (cents ?? left) <= left);
        if (!decision.ok) continue;
        left -= cents ?? left;
        state = decision.value.reduce<BankAccount>(fold, state);
        expect(state.balance).toBe(BigInt(credit ? left : -left));
      }
    });
    fc.assert(property, settings(80, 2000));
  });
});

describe('what an account remembers of reversals', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `t-${index}`);

  it(`ends at ${REVERSED_POSTINGS_MAX}, but the rest of one that it knows can still be reversed`, () => {
    const state = [opened('1000.00'), takenOut('40.00')].reduce<BankAccount | undefined>(
      (folded, event) => evolveBankAccount(folded, event, NOW),
      undefined,
    ) as BankAccount;
    const entries = many(REVERSED_POSTINGS_MAX).map((id) => [id, { amount: 1n, at: NOW }] as const);
    const full = { ...state, reversed: Object.fromEntries(entries) };
    const of = (transaction_id: string) => {
      const rent = takenOut('40.00');
      return reversing({ ...rent, data: { ...rent.data, transaction_id } })(full);
    };
    expect(of('new')).toMatchObject({ ok: false, rejection: { code: 'too_many_reversals' } });
    expect(of('t-7')).toMatchObject({ ok: true, value: [{ data: { amount: '39.99' } }] });
  });

  it('is forgotten when it is too old to be reversed again', () => {
    const at = (state: BankAccount | undefined, id: string, time: string) =>
      evolveBankAccount(state, reversed('CREDIT', '1.00', '0.00', { reverses_transaction_id: id }), time);
    const old = at(
      evolveBankAccount(undefined, opened(), daysAgo(900)),
      'old',
      daysAgo(REVERSAL_DAYS_MAX + 1, -1),
    );
    const both = at(old, 'known', daysAgo(REVERSAL_DAYS_MAX + 1));
    expect(Object.keys(both.reversed)).toEqual(['old', 'known']);
    expect(Object.keys(at(both, 'new', NOW).reversed)).toEqual(['known', 'new']);
  });
});
