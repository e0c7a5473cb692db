/** Limits of what customers take out: per transaction and per UTC day, on each boundary and one minor unit beyond it. */
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  captureHold,
  changeLimits,
  creditForTransfer,
  debitForTransfer,
  deposit,
  evolveBankAccount,
  placeHold,
  refundTransfer,
  withdraw,
} from '../../../src/domain/bank-account.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import {
  ACCOUNT,
  captured,
  closed,
  given,
  HOLD,
  held,
  leg,
  opened,
  paidIn,
  posting,
  released,
  TRANSACTION,
} from '../../support/account-history.ts';

const limits = (transaction_limit: string | null, daily_limit: string | null): BankAccountEvent => ({
  type: 'BankAccountLimitsChangedDomainEventV1',
  data: { transaction_limit, daily_limit },
});
const changing = (transaction_limit?: string, daily_limit?: string) => (account: BankAccount) =>
  changeLimits(account, { transaction_limit, daily_limit });

const MORNING = '2026-01-15T00:00:00.000Z';
const NIGHT = '2026-01-15T23:59:59.999Z';
const NEXT_DAY = '2026-01-16T00:00:00.000Z';

/** An account with 10,000.00 USD on which things happen at their times. */
class Life {
  #state = [opened(), paidIn('10000.00')].reduce<BankAccount | undefined>(
    (state, event) => evolveBankAccount(state, event, '2026-01-01T00:00:00.000Z'),
    undefined,
  ) as BankAccount;

  happened(at: string, ...events: readonly BankAccountEvent[]): this {
    this.#state = events.reduce((state, event) => evolveBankAccount(state, event, at), this.#state);
    return this;
  }

  /** Decides at a time, which must be accepted, and goes on from there. */
  does(at: string, decide: (account: BankAccount, now: string) => Decision<BankAccountEvent[]>): this {
    const decision = decide(this.#state, at);
    if (!decision.ok) throw new Error(decision.rejection.code);
    return this.happened(at, ...decision.value);
  }

  /** What is left today, told by a withdrawal that is too large. */
  left(now: string): unknown {
    const decision = withdraw(this.#state, posting('900.00'), now);
    return decision.ok ? 'no limit' : decision.rejection.facts?.left;
  }
}

const takes = (amount: string) => (account: BankAccount, now: string) =>
  withdraw(account, posting(amount), now);
const holds = (amount: string) => (account: BankAccount, now: string) =>
  placeHold(account, { hold_id: HOLD, amount, description: 'hotel' }, now);
const limited = () => new Life().happened(MORNING, limits(null, '100.00'));

describe('setting limits', () => {
  it('writes both as decimals of the currency, and none as null', () => {
    given([opened()])
      .when(changing('5', '100.0'))
      .thenEvents([limits('5.00', '100.00')]);
    given([opened('0', 'JPY')])
      .when(changing(undefined, '100'))
      .thenEvents([limits(null, '100')]);
    given([opened('0', 'BHD')])
      .when(changing('0'))
      .thenEvents([limits('0.000', null)]);
    given([opened(), limits('5.00', '100.00')])
      .when(changing())
      .thenEvents([limits(null, null)]);
  });

  it('that are in force already changes nothing', () => {
    given([opened()]).when(changing()).thenEvents([]);
    given([opened(), limits('5.00', null)])
      .when(changing('5'))
      .thenEvents([]);
  });

  it.each([
    ['transaction_limit', changing('-1', '1')],
    ['daily_limit', changing('1', '-1')],
  ] as const)('refuses a negative %s', (field, decide) => {
    given([opened()]).when(decide).thenRejected('amount_negative', { field });
  });

  it('is nothing for a closed account', () => {
    given([opened(), closed]).when(changing('1')).thenRejected('account_closed');
  });
});

describe('the limit per transaction', () => {
  const account = [opened(), paidIn('1000.00'), limits('50.00', null)] as const;
  const debits = (amount: string) =>
    [
      (state: BankAccount) => withdraw(state, posting(amount), MORNING),
      (state: BankAccount) => debitForTransfer(state, leg(amount), MORNING),
      (state: BankAccount) => placeHold(state, { hold_id: HOLD, amount, description: '' }, MORNING),
    ] as const;

  it('stops withdrawals, transfers out and holds one minor unit above it', () => {
    for (const decide of debits('50.01')) {
      const facts = { amount: '50.01', limit: '50.00', currency: 'USD' };
      given(account).when(decide).thenRejected('transaction_limit_exceeded', { field: 'amount', facts });
    }
    for (const decide of debits('50.00')) {
      given(account).when((state) => {
        const decision = decide(state);
        expect(decision.ok).toBe(true);
        return decision;
      });
    }
  });

  it('does not ask about money that comes in', () => {
    new Life()
      .happened(MORNING, limits('1.00', '1.00'))
      .does(MORNING, (state) => deposit(state, posting('50.00')))
      .does(MORNING, (state) => creditForTransfer(state, leg('50.00')))
      .does(MORNING, (state) => refundTransfer(state, leg('50.00')));
  });
});

describe('the limit per day', () => {
  it('is used up by withdrawals and transfers of a UTC day, and new on the next', () => {
    const life = limited()
      .does(MORNING, takes('60.00'))
      .does(NIGHT, (state, now) => debitForTransfer(state, leg('30.00'), now));
    expect([life.left(NIGHT), life.left(NEXT_DAY)]).toEqual(['10.00', '100.00']);
    life.does(NIGHT, takes('10.00'));
    expect(() => life.does(NIGHT, takes('0.01'))).toThrow('daily_limit_exceeded');
    life.does(NEXT_DAY, takes('100.00'));
    expect(life.left(NEXT_DAY)).toBe('0.00');
  });

  it('says what is left', () => {
    given([opened(), paidIn('1000.00'), limits(null, '50.00')])
      .when((state) => withdraw(state, posting('50.01'), MORNING))
      .thenRejected('daily_limit_exceeded', {
        field: 'amount',
        facts: { amount: '50.01', limit: '50.00', left: '50.00', currency: 'USD' },
      });
  });

  it('counts what went out before it was set, and is used up when that was more', () => {
    const life = new Life().does(MORNING, takes('60.00'));
    expect(life.left(NIGHT)).toBe('no limit');
    expect(limited().does(MORNING, takes('60.00')).happened(NIGHT, limits(null, '50.00')).left(NIGHT)).toBe(
      '0.00',
    );
  });

  it('is not made larger by a clock that is behind', () => {
    const life = limited().does(NEXT_DAY, takes('60.00')).does(NIGHT, takes('40.00'));
    expect([life.left(NIGHT), life.left(NEXT_DAY)]).toEqual(['0.00', '0.00']);
  });

  it('counts a hold when it is placed, and gives back what is released on the same day', () => {
    expect(limited().does(MORNING, holds('60.00')).left(NIGHT)).toBe('40.00');
    expect(limited().does(MORNING, holds('60.00')).happened(NIGHT, released('60.00')).left(NIGHT)).toBe(
      '100.00',
    );
    const next = limited().does(MORNING, holds('60.00')).does(NEXT_DAY, takes('30.00'));
    expect(next.happened(NEXT_DAY, released('60.00')).left(NEXT_DAY)).toBe('70.00');
  });

  it('does not count a capture again, nor what it leaves', () => {
    const capture = (amount: string) => (state: BankAccount) =>
      captureHold(state, { account_id: ACCOUNT, transaction_id: TRANSACTION, hold_id: HOLD, amount });
    expect(limited().does(MORNING, holds('60.00')).does(NIGHT, capture('45.00')).left(NIGHT)).toBe('55.00');
    expect(limited().does(MORNING, holds('60.00')).does(NEXT_DAY, capture('45.00')).left(NEXT_DAY)).toBe(
      '100.00',
    );
    const lowered = limited().does(MORNING, holds('60.00')).happened(MORNING, limits('1.00', '1.00'));
    lowered.does(NIGHT, capture('60.00'));
  });
});

it('old events of holds count as well', () => {
  expect(limited().happened(MORNING, held('60.00'), captured('10.00', '50.00')).left(NIGHT)).toBe('90.00');
});
