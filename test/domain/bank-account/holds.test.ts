/** Holds: placed, captured, released and expired, on each boundary and one minor unit or millisecond beyond it. */
import { describe, expect, it } from 'vitest';
import {
  availableBalance,
  type BankAccount,
  type BankAccountEvent,
  captureHold,
  changeOverdraftLimit,
  closeAccount,
  decideWithoutExpired,
  deposit,
  evolveBankAccount,
  HOLD_DAYS_MAX,
  OPEN_HOLDS_MAX,
  placeHold,
  releaseHold,
  withdraw,
} from '../../../src/domain/bank-account.ts';
import { accept } from '../../../src/domain/decision.ts';
import {
  ACCOUNT,
  captured,
  closed,
  given,
  HOLD,
  held,
  NOW,
  OTHER_ACCOUNT,
  opened,
  paidIn,
  posted,
  posting,
  released,
  TRANSACTION,
  takenOut,
} from '../../support/account-history.ts';

const placing =
  (amount: string, expires_at?: string, now = NOW) =>
  (account: BankAccount) =>
    placeHold(account, { hold_id: HOLD, amount, description: 'hotel', expires_at }, now);
const capturing =
  (amount?: string, description?: string, hold_id = HOLD) =>
  (account: BankAccount) =>
    captureHold(account, { account_id: ACCOUNT, transaction_id: TRANSACTION, hold_id, amount, description });
const releasing =
  (hold = HOLD) =>
  (account: BankAccount) =>
    releaseHold(account, hold);
const withdrawing = (amount: string) => (account: BankAccount) => withdraw(account, posting(amount), NOW);
const closing = (account: BankAccount) => closeAccount(account, 'moving away');

const bill = (amount: string, balance: string, description = 'hotel') =>
  posted({ type: 'HOLD', direction: 'DEBIT', amount, balance, description, hold_id: HOLD });
const later = (milliseconds: number) => new Date(Date.parse(NOW) + milliseconds).toISOString();
const YEAR = HOLD_DAYS_MAX * 86_400_000;

describe('placing a hold', () => {
  it('sets money aside that stays in the balance', () => {
    given([opened('10.00'), paidIn('100.00')])
      .when(placing('110'))
      .thenEvents([held('110.00')]);
  });

  it('writes its expiry in UTC with milliseconds', () => {
    given([opened('10.00')])
      .when(placing('1.00', '2026-01-15T12:00:00+02:00'))
      .thenEvents([held('1.00', { expires_at: '2026-01-15T10:00:00.000Z' })]);
  });

  it('lets it last a year, and no millisecond longer', () => {
    given([opened('1.00')])
      .when(placing('1.00', later(YEAR)))
      .thenEvents([held('1.00', { expires_at: later(YEAR) })]);
    given([opened('1.00')])
      .when(placing('1.00', later(YEAR + 1)))
      .thenRejected('expiry_too_late', { field: 'expires_at', facts: { maximum: later(YEAR) } });
  });

  it.each([NOW, later(-1), 'tomorrow'])('refuses the expiry %s', (expiry) => {
    given([opened('1.00')])
      .when(placing('1.00', expiry))
      .thenRejected('expiry_not_in_future', { field: 'expires_at', facts: { now: NOW } });
  });

  it('refuses one minor unit more than is available beside other holds', () => {
    given([opened('10.00'), paidIn('100.00'), held('30.00', { hold_id: 'other' })])
      .when(placing('80.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '80.01',
          balance: '100.00',
          held: '30.00',
          overdraft_limit: '10.00',
          available_balance: '80.00',
          currency: 'USD',
        },
      });
  });

  it(`refuses hold number ${OPEN_HOLDS_MAX + 1}, and takes it when one was released`, () => {
    const many = Array.from({ length: OPEN_HOLDS_MAX }, (_, n) => held('0.01', { hold_id: `hold-${n}` }));
    given([opened('10.00'), ...many])
      .when(placing('0.01'))
      .thenRejected('too_many_holds', { facts: { maximum: OPEN_HOLDS_MAX } });
    given([opened('10.00'), ...many, released('0.01', { hold_id: 'hold-7' })])
      .when(placing('0.01'))
      .thenEvents([held('0.01')]);
  });

  it.each([
    ['JPY', '25', '25'],
    ['BHD', '2.5', '2.500'],
  ])('writes an amount as %s is', (currency, amount, written) => {
    given([opened('100', currency)])
      .when(placing(amount))
      .thenEvents([held(written, { currency })]);
  });

  it.each([
    ['0', 'amount_not_positive'],
    ['-1', 'amount_not_positive'],
    ['x', 'invalid_amount'],
  ])('refuses the amount %s', (amount, code) => {
    given([opened('100.00')])
      .when(placing(amount))
      .thenRejected(code, { field: 'amount' });
  });
});

describe('what is held', () => {
  const account = [opened('10.00'), paidIn('100.00'), held('60.00')] as const;

  it('is in the balance, but not available', () => {
    const state = account.reduce<BankAccount | undefined>(
      (folded, event) => evolveBankAccount(folded, event, NOW),
      undefined,
    ) as BankAccount;
    expect([state.balance, state.held, availableBalance(state)]).toEqual([10_000n, 6000n, 5000n]);
  });

  it('cannot be taken out by anything else', () => {
    given(account)
      .when(withdrawing('50.00'))
      .thenEvents([posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '50.00', balance: '50.00' })]);
    given(account)
      .when(withdrawing('50.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '50.01',
          balance: '100.00',
          held: '60.00',
          overdraft_limit: '10.00',
          available_balance: '50.00',
          currency: 'USD',
        },
      });
  });

  it('keeps the overdraft that it needs, which is free again when it is released', () => {
    const overdrawn = [opened('50.00'), held('40.00')] as const;
    const limiting = (limit: string) => (state: BankAccount) => changeOverdraftLimit(state, limit);
    given(overdrawn)
      .when(limiting('39.99'))
      .thenRejected('overdraft_in_use', {
        field: 'overdraft_limit',
        facts: { overdrawn: '40.00', held: '40.00', currency: 'USD' },
      });
    const changed = (new_limit: string) => ({
      type: 'BankAccountOverdraftLimitChangedDomainEventV1' as const,
      data: { old_limit: '50.00', new_limit },
    });
    given(overdrawn)
      .when(limiting('40.00'))
      .thenEvents([changed('40.00')]);
    given([...overdrawn, released('40.00')])
      .when(limiting('0'))
      .thenEvents([changed('0.00')]);
  });

  it('keeps the account open, even one with a balance of zero', () => {
    given([opened('10.00'), held('10.00')])
      .when(closing)
      .thenRejected('holds_open', { facts: { holds: 1, held: '10.00', currency: 'USD' } });
    given([opened('10.00'), held('10.00'), released('10.00')])
      .when(closing)
      .thenEvents([closed]);
  });
});

describe('capturing a hold', () => {
  const account = [opened('10.00'), paidIn('100.00'), held('60.00')] as const;

  it('takes all of it out, with the description of the hold', () => {
    given(account)
      .when(capturing())
      .thenEvents([captured('60.00', '0.00'), bill('60.00', '40.00')]);
  });

  it('takes a part of it, and releases the rest', () => {
    given(account)
      .when(capturing('0.01', 'minibar'))
      .thenEvents([captured('0.01', '59.99'), bill('0.01', '99.99', 'minibar')]);
    const rest = [...account, captured('0.01', '59.99'), bill('0.01', '99.99')] as const;
    given(rest)
      .when(withdrawing('109.99'))
      .thenEvents([posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '109.99', balance: '-10.00' })]);
  });

  it('refuses one minor unit more than is held', () => {
    given(account)
      .when(capturing('60.01'))
      .thenRejected('capture_exceeds_hold', {
        field: 'amount',
        facts: { amount: '60.01', held: '60.00', currency: 'USD' },
      });
  });

  it.each([
    ['captured', captured('60.00', '0.00')],
    ['released', released('60.00')],
    ['expired', released('60.00', { reason: 'EXPIRED' })],
  ])('refuses a hold that was %s already, and so does a release', (_how, end) => {
    for (const decide of [capturing(), capturing('1.00'), releasing()]) {
      given([...account, end])
        .when(decide)
        .thenRejected('hold_not_open', { field: 'hold_id' });
    }
  });

  it('refuses a hold that never was', () => {
    given(account)
      .when(capturing('1.00', 'x', OTHER_ACCOUNT))
      .thenRejected('hold_not_open', { field: 'hold_id' });
  });
});

describe('a hold whose time is over', () => {
  const expires_at = later(0);
  const account = [opened(), paidIn('100.00'), held('60.00', { expires_at })] as const;
  const expired = released('60.00', { reason: 'EXPIRED' });
  const at =
    (now: string, decide: (state: BankAccount) => ReturnType<typeof closing>) => (state: BankAccount) =>
      decideWithoutExpired(state, now, decide);
  const withdrawal = posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '100.00', balance: '0.00' });

  it('counts no more from that very millisecond on, which the next accepted decision records', () => {
    given(account)
      .when(at(later(0), withdrawing('100.00')))
      .thenEvents([expired, withdrawal]);
    given(account)
      .when(at(later(-1), (state) => deposit(state, posting('1.00'))))
      .thenEvents([posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '1.00', balance: '101.00' })]);
  });

  it('is not recorded by a refusal', () => {
    given(account)
      .when(at(later(1), withdrawing('100.01')))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '100.01',
          balance: '100.00',
          held: '0.00',
          overdraft_limit: '0.00',
          available_balance: '100.00',
          currency: 'USD',
        },
      });
  });

  it('is recorded by a decision that has nothing else to say', () => {
    given(account)
      .when(at(later(1), () => accept([])))
      .thenEvents([expired]);
  });

  it('can be neither captured nor released', () => {
    for (const decide of [capturing(), releasing()]) {
      given(account)
        .when(at(later(0), decide))
        .thenRejected('hold_not_open', { field: 'hold_id' });
    }
  });

  it('makes room for others, and leaves those that still last', () => {
    const lasting = held('30.00', { hold_id: 'later', expires_at: later(1) });
    const never = held('10.00', { hold_id: 'never' });
    given([...account, lasting, never])
      .when(at(later(0), placing('60.00')))
      .thenEvents([expired, held('60.00')]);
    given([...account, lasting, never])
      .when(at(later(1), placing('90.00')))
      .thenEvents([expired, released('30.00', { hold_id: 'later', reason: 'EXPIRED' }), held('90.00')]);
  });
});

describe('events of holds', () => {
  it.each([captured('1.00', '0.00'), released('1.00')])(
    'corrupt: $type of a hold that is not open',
    (event) => {
      expect(() => given([opened(), event])).toThrow('is not open');
    },
  );

  it('corrupt: another currency than that of the account', () => {
    expect(() => given([opened(), held('1.00', { currency: 'EUR' })])).toThrow('EUR in a USD account');
  });
});

describe('a closed account', () => {
  it.each([
    ['place', placing('1.00')],
    ['capture', capturing()],
    ['release', releasing()],
  ] as const)('takes no more holds: %s', (_what, decide: (state: BankAccount) => unknown) => {
    given([opened('10.00'), takenOut('1.00'), paidIn('1.00'), closed] as [
      BankAccountEvent,
      ...BankAccountEvent[],
    ])
      .when(decide as typeof closing)
      .thenRejected('account_closed');
  });
});
