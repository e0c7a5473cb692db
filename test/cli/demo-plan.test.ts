/** The demo's plan: the same from the same seed, believable, and right to the cent. */
import { describe, expect, it } from 'vitest';
import { personFields } from '../../src/application/commands/register-person.ts';
import { type DemoOptions, monthsBefore, monthsOf, planCustomer } from '../../src/cli/demo/plan.ts';
import { randomFrom } from '../../src/cli/demo/random.ts';
import { decimalsOf } from '../../src/domain/currency.ts';
import { toDecimal, toMinor } from '../../src/domain/money.ts';

const options: DemoOptions = { seed: 'test', months: 3, today: '2026-03-15' };
const plans = Array.from({ length: 60 }, (_, index) => planCustomer(index, options));
const steps = plans.flatMap((plan) => plan.steps);

describe('the plan of a demo', () => {
  it('is the same for the same seed, and another for another', () => {
    const again = Array.from({ length: 60 }, (_, index) => planCustomer(index, { ...options }));
    expect(again).toEqual(plans);
    expect(planCustomer(0, { ...options, seed: 'other' })).not.toEqual(plans[0]);
    expect(plans[1]).not.toEqual(plans[9]);
  });

  it('has persons that the bank accepts, of several nations, grown up', () => {
    for (const { person } of plans) {
      expect(personFields.parse(person)).toEqual(person);
      expect(person.date_of_birth < '2008').toBe(true);
    }
    expect(new Set(plans.map(({ person }) => person.nationality)).size).toBeGreaterThan(5);
  });

  it('knows every balance, as exact arithmetic over the same steps does', () => {
    for (const plan of plans) replay(plan);
  });

  it('has everything that a look at a bank wants to see', () => {
    const kinds = new Set(steps.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['close', 'deposit', 'interest', 'overdraft', 'withdrawal']);
    const refused = steps.filter((step) => 'expect' in step && step.expect === 'insufficient_funds');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length / steps.length).toBeLessThan(0.05);
    expect(plans.some(({ accounts }) => accounts.some((account) => account.account_type === 'SAVINGS'))).toBe(
      true,
    );
  });

  it('dates transactions within the asked months, in order for each customer', () => {
    for (const plan of plans) {
      const days = plan.steps.flatMap((step) =>
        'description' in step ? [step.description.slice(0, 10)] : [],
      );
      expect(days).toEqual([...days].sort());
      expect(days[0]?.localeCompare('2025-12-15')).toBeGreaterThan(0);
      expect(days.at(-1)?.localeCompare('2026-03-15')).toBeLessThanOrEqual(0);
    }
  });
});

/** Folds a plan with the bank's own exact money. */
function replay(plan: (typeof plans)[number]): void {
  const books = plan.accounts.map(({ currency, initial_balance, overdraft_limit }) => ({
    currency,
    balance: toMinor(initial_balance, currency),
    limit: toMinor(overdraft_limit, currency),
  }));
  for (const step of plan.steps) {
    const book = books[step.account];
    if (!book) throw new Error('a step names an account that is not there');
    if (step.kind === 'overdraft') book.limit = toMinor(step.limit, book.currency);
    else if (step.kind === 'close') expect(book.balance).toBe(0n);
    else {
      const amount = toMinor(step.amount, book.currency);
      expect(amount).toBeGreaterThan(0n);
      expect(step.amount.split('.')[1]?.length ?? 0).toBe(decimalsOf(book.currency));
      const after = book.balance + (step.kind === 'withdrawal' ? -amount : amount);
      const refused = after + book.limit < 0n;
      if (!refused) book.balance = after;
      expect(step.expect).toEqual(
        refused ? 'insufficient_funds' : { balance: toDecimal(after, book.currency) },
      );
    }
  }
}

describe('the calendar', () => {
  it.each([
    ['2026-03-31', 1, '2026-02-28'],
    ['2028-03-31', 1, '2028-02-29'],
    ['2026-01-10', 1, '2025-12-10'],
    ['2026-03-15', 15, '2024-12-15'],
  ])('%s less %i months is %s', (day, months, earlier) => {
    expect(monthsBefore(day, months)).toBe(earlier);
  });

  it('names the months of a period', () => {
    expect(monthsOf({ after: '2025-11-30', until: '2026-02-01' })).toEqual([
      '2025-11',
      '2025-12',
      '2026-01',
      '2026-02',
    ]);
  });
});

describe('repeatable random numbers', () => {
  it('stay within their bounds and reach both', () => {
    const random = randomFrom('bounds');
    const seen = new Set(Array.from({ length: 200 }, () => random.whole(2, 5)));
    expect([...seen].sort()).toEqual([2, 3, 4, 5]);
  });
});
