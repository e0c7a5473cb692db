/** Closed books: all that an account is, in one event from which its stream can be folded on. */
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  type BooksFrame,
  closeBooks,
  evolveBankAccount,
} from '../../../src/domain/bank-account.ts';
import { booksClosed, NOW, opened, paidIn } from '../../support/account-history.ts';
import { ACCOUNT_LIFE } from '../../support/account-life.ts';

const FRAME: BooksFrame = {
  period_end: '2026-01-01T00:00:00.000Z',
  latest_event_at: NOW,
  totals: { transactions: 1, credits: '25.00', debits: '0.00' },
  operations: { creation: null, recent: [], has_forgotten: false },
};

const fold = (state: BankAccount | undefined, event: BankAccountEvent, at: string) =>
  evolveBankAccount(state, event, at);

const stateOf = (...events: [BankAccountEvent, ...BankAccountEvent[]]) =>
  events.reduce<BankAccount | undefined>((state, event) => fold(state, event, NOW), undefined) as BankAccount;

describe('closing the books', () => {
  it('sums up the account, and keeps what it was told beside it', () => {
    const decision = closeBooks(stateOf(opened('100.00'), paidIn('25.00')), FRAME, NOW);
    expect(decision).toMatchObject({
      ok: true,
      value: [
        {
          type: 'BankAccountBooksClosedDomainEventV1',
          data: { ...FRAME, ...opened('100.00').data, status: 'ACTIVE', balance: '25.00', held: '0.00' },
        },
      ],
    });
  });

  it('is refused before the period is over', () => {
    const early = { ...FRAME, period_end: '2026-01-15T09:30:00.001Z' };
    const decision = closeBooks(stateOf(opened()), early, NOW);
    expect(decision).toMatchObject({ ok: false, rejection: { code: 'time_in_future', field: 'up_to' } });
  });
});

describe('a stream in which the books were closed', () => {
  it('is the same from there on as from its beginning, wherever in its life that was', () => {
    for (let cut = 1; cut <= ACCOUNT_LIFE.length; cut += 1) {
      const [before, behind] = [ACCOUNT_LIFE.slice(0, cut), ACCOUNT_LIFE.slice(cut)];
      const known = before.reduce<BankAccount | undefined>(
        (state, [at, event]) => fold(state, event, at),
        undefined,
      );
      const at = (behind[0] ?? before.at(-1))?.[0] as string;
      const decision = closeBooks(known as BankAccount, FRAME, at);
      if (!decision.ok) throw new Error(decision.rejection.detail);
      // As a store gives it back.
      const [books] = JSON.parse(JSON.stringify(decision.value)) as [BankAccountEvent];
      let [whole, rest] = [fold(known, books, at), fold(undefined, books, at)];
      expect(rest).toStrictEqual(whole);
      for (const [time, event] of behind) [whole, rest] = [fold(whole, event, time), fold(rest, event, time)];
      expect(rest).toStrictEqual(whole);
    }
  });

  it('reads no books where it knows what came before', () => {
    const state = stateOf(opened(), paidIn('25.00'));
    expect(fold(state, booksClosed, NOW)).toBe(state);
  });

  it('has its events in one currency from there on, too', () => {
    const state = fold(undefined, booksClosed, NOW);
    expect(() => fold(state, paidIn('1.00', 'EUR'), NOW)).toThrow('EUR in a USD account');
    expect(() => fold(state, opened(), NOW)).toThrow('created twice');
  });
});
