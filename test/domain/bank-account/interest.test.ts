/** Interest and fees as pure arithmetic: each day on its balance, exact, rounded half to even, the rest carried on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Accrual,
  accrueUntil,
  firstDayAfter,
  halfToEven,
  roundedInterest,
  settleFee,
  settleInterest,
  startAccrual,
  UNITS_PER_MINOR,
} from '../../../src/domain/bank-account/interest.ts';
import { settings } from '../property-settings.ts';

const TERMS = { credit_rate: 25_000n, overdraft_rate: 120_000n, monthly_fee: 300n };
const FREE = { ...TERMS, monthly_fee: 0n };

describe('rounding', () => {
  it.each([
    [0n, 10n, 0n],
    [4n, 10n, 0n],
    [5n, 10n, 0n],
    [6n, 10n, 1n],
    [15n, 10n, 2n],
    [25n, 10n, 2n],
    [26n, 10n, 3n],
    [-4n, 10n, 0n],
    [-5n, 10n, 0n],
    [-6n, 10n, -1n],
    [-15n, 10n, -2n],
    [-25n, 10n, -2n],
    [7n, 3n, 2n],
    [8n, 3n, 3n],
  ])('%d / %d is %d', (dividend, divisor, quotient) => {
    expect(halfToEven(dividend, divisor)).toBe(quotient);
  });
});

it.each([
  ['2026-01', '2026-02-01'],
  ['2026-09', '2026-10-01'],
  ['2026-12', '2027-01-01'],
])('the first day after %s is %s', (period, day) => {
  expect(firstDayAfter(period)).toBe(day);
});

describe('accrual', () => {
  it('takes 1,000.00 at 2.5 % through January: 31/365 of 25.00 is 2.12', () => {
    const accrual = accrueUntil(startAccrual('2026-01-01'), '2026-02-01', 100_000n, FREE);
    expect(accrual.periods).toEqual({
      '2026-01': { credit: 100_000n * 25_000n * 31n, overdraft: 0n, fee: 0n },
    });
    expect(roundedInterest(accrual, '2026-01', 'credit')).toBe(212n);
  });

  it('takes an overdraft at its own rate, and counts the days of a leap February over 365', () => {
    const accrual = accrueUntil(startAccrual('2028-02-01'), '2028-03-01', -100_000n, FREE);
    expect(accrual.periods['2028-02']).toEqual({ credit: 0n, overdraft: 100_000n * 120_000n * 29n, fee: 0n });
    expect(roundedInterest(accrual, '2028-02', 'overdraft')).toBe(953n);
  });

  it('gives each month its own days, and a fee to each that is over', () => {
    const accrual = accrueUntil(startAccrual('2026-01-30'), '2026-03-02', 100n, TERMS);
    const units = (days: bigint) => 100n * 25_000n * days;
    expect(accrual.periods).toEqual({
      '2026-01': { credit: units(2n), overdraft: 0n, fee: 300n },
      '2026-02': { credit: units(28n), overdraft: 0n, fee: 300n },
      '2026-03': { credit: units(1n), overdraft: 0n, fee: 0n },
    });
    expect(accrual.from).toBe('2026-03-02');
  });

  it('leaves a day that is not over, or that a clock behind tells, for later', () => {
    const accrual = startAccrual('2026-01-15');
    expect(accrueUntil(accrual, '2026-01-15', 100n, TERMS)).toBe(accrual);
    expect(accrueUntil(accrual, '2026-01-14', 100n, TERMS)).toBe(accrual);
  });

  it('keeps no entry for a month that brought nothing', () => {
    expect(accrueUntil(startAccrual('2020-01-01'), '2026-01-01', 0n, FREE).periods).toEqual({});
  });
});

describe('settling', () => {
  const accrual = accrueUntil(startAccrual('2026-01-01'), '2026-03-01', 100_000n, TERMS);

  it('takes what was posted out of the months so far, and carries what rounding left', () => {
    const settled = settleInterest(accrual, '2026-01', 'credit', 212n);
    const rest = 100_000n * 25_000n * 31n - 212n * UNITS_PER_MINOR;
    expect(settled.carry).toEqual({ credit: rest, overdraft: 0n });
    expect(settled.periods['2026-01']).toEqual({ credit: 0n, overdraft: 0n, fee: 300n });
    expect(settled.periods['2026-02']).toEqual(accrual.periods['2026-02']);
    expect(roundedInterest(settled, '2026-01', 'credit')).toBe(0n);
    expect(roundedInterest(settled, '2026-02', 'credit')).toBe(192n);
  });

  it('forgets a month of which nothing is left', () => {
    const settled = settleFee(settleInterest(accrual, '2026-01', 'credit', 212n), '2026-01');
    expect(Object.keys(settled.periods)).toEqual(['2026-02']);
  });
});

/** A day of a life: what the balance is at its end. */
const balances = fc.array(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), {
  minLength: 1,
  maxLength: 120,
});
const rates = fc.record({
  credit_rate: fc.bigInt({ min: 0n, max: 1_000_000n }),
  overdraft_rate: fc.bigInt({ min: 0n, max: 1_000_000n }),
  monthly_fee: fc.bigInt({ min: 0n, max: 1000n }),
});
const dayOf = (index: number) =>
  new Date(Date.UTC(2027, 10, 20) + index * 86_400_000).toISOString().slice(0, 10);

describe('over any balances and rates', () => {
  it('days accrue the same one by one as all days with one balance together', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.bigInt({ min: -1000n, max: 1000n })), {
      maxLength: 6,
    });
    const property = fc.property(runs, rates, (lengths, terms) => {
      let together = startAccrual(dayOf(0));
      let single = together;
      let day = 0;
      for (const [length, balance] of lengths) {
        for (let index = 0; index < length; index += 1) {
          day += 1;
          single = accrueUntil(single, dayOf(day), balance, terms);
        }
        together = accrueUntil(together, dayOf(day), balance, terms);
      }
      expect(together).toEqual(single);
    });
    fc.assert(property, settings(100));
  });

  it('postings month by month differ from the exact interest by half a minor unit at most, for ever', () => {
    const property = fc.property(balances, rates, (days, terms) => {
      let accrual: Accrual = startAccrual(dayOf(0));
      const exact = { credit: 0n, overdraft: 0n };
      const posted = { credit: 0n, overdraft: 0n };
      const settleUntil = (period: string) => {
        for (const side of ['credit', 'overdraft'] as const) {
          const minor = roundedInterest(accrual, period, side);
          if (minor <= 0n) continue;
          posted[side] += minor;
          accrual = settleInterest(accrual, period, side, minor);
        }
      };
      days.forEach((balance, index) => {
        const side = balance >= 0n ? 'credit' : 'overdraft';
        const size = balance >= 0n ? balance : -balance;
        exact[side] += size * (side === 'credit' ? terms.credit_rate : terms.overdraft_rate);
        accrual = accrueUntil(accrual, dayOf(index + 1), balance, terms);
        const [today, tomorrow] = [dayOf(index).slice(0, 7), dayOf(index + 1).slice(0, 7)];
        if (today !== tomorrow || index === days.length - 1) settleUntil(today);
      });
      for (const side of ['credit', 'overdraft'] as const) {
        const off = exact[side] - posted[side] * UNITS_PER_MINOR;
        expect(2n * (off < 0n ? -off : off)).toBeLessThanOrEqual(UNITS_PER_MINOR);
      }
    });
    fc.assert(property, settings(100));
  });
});
