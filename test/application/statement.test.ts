/** Statements against an independent fold: whatever the times and currencies, months add up and join without a gap. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  getStatementHandler,
  STATEMENT_TRANSACTIONS_MAX,
  type Statement,
} from '../../src/application/queries/statement.ts';
import type { FindOptions } from '../../src/event-sourcing/read-model-store.ts';
import { settings } from '../domain/property-settings.ts';
import { ACCOUNT_ID, archive, type Past } from '../support/account-archive.ts';

const CONTEXT = { correlation_id: 'test', causation_id: 'test' };
const MONTHS = ['2025-11', '2025-12', '2026-01', '2026-02', '2026-03'];
const NOW = '2026-03-20T12:00:00.000Z';

type Bank = Awaited<ReturnType<typeof archive>>;

const ask = (bank: Bank, month: string) => getStatementHandler(bank)({ id: ACCOUNT_ID, month }, CONTEXT);

async function statement(bank: Bank, month: string): Promise<Statement> {
  const decision = await ask(bank, month);
  if (!decision.ok) throw new Error(decision.rejection.code);
  return decision.value;
}

/** Decimals by their own arithmetic, not the program's. */
function decimal(minor: bigint, decimals: number): string {
  const sign = minor < 0n ? '-' : '';
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  return `${sign}${digits.slice(0, cut)}${decimals > 0 ? '.' : ''}${digits.slice(cut)}`;
}

/** The figures of a month, from all postings by the month that their time is written in. */
function folded(past: readonly Past[], month: string, decimals: number) {
  const signed = ({ minor, direction }: Past) => (direction === 'CREDIT' ? minor : -minor);
  const sum = (some: readonly Past[]) => some.reduce((total, one) => total + signed(one), 0n);
  const opening = sum(past.filter(({ at }) => at.slice(0, 7) < month));
  const own = past.filter(({ at }) => at.slice(0, 7) === month);
  const of = (direction: Past['direction']) => own.filter((one) => one.direction === direction);
  return {
    opening_balance: decimal(opening, decimals),
    total_credits: decimal(sum(of('CREDIT')), decimals),
    total_debits: decimal(-sum(of('DEBIT')), decimals),
    closing_balance: decimal(opening + sum(own), decimals),
    balances: own.map((_, index) => decimal(opening + sum(own.slice(0, index + 1)), decimals)),
    times: own.map(({ at }) => at),
  };
}

/** Times at and around the ends of months, and anywhere between; now and then a clock was behind. */
const times = fc.oneof(
  fc.tuple(fc.constantFrom(...MONTHS), fc.constantFrom(-60_000, -1, 0, 1, 60_000)).map(([month, off]) => {
    return Date.parse(`${month}-01T00:00:00.000Z`) + off;
  }),
  fc.integer({ min: Date.parse('2025-11-01T00:00:00Z'), max: Date.parse(NOW) }),
);
const postings = fc.record({
  time: times,
  behind: fc.constantFrom(0, 0, 0, 1, 200_000),
  minor: fc.bigInt(1n, 999_999_999_999_999n),
  direction: fc.constantFrom('CREDIT' as const, 'DEBIT' as const),
});
const histories = fc
  .array(postings, { maxLength: 40 })
  .map((entries) =>
    entries
      .toSorted((one, other) => one.time - other.time)
      .map(({ time, behind, ...rest }): Past => ({ at: new Date(time - behind).toISOString(), ...rest })),
  );
const currencies = fc.constantFrom(['USD', 2] as const, ['JPY', 0] as const, ['BHD', 3] as const);

it('is what a fold over all postings says, and each month begins with what the one before it ended with', async () => {
  const property = fc.asyncProperty(
    histories,
    currencies,
    fc.nat(1_000),
    async (past, [currency, decimals], gap) => {
      const bank = await archive(past, { currency, gap: gap + 1, now: NOW });
      let last: string | undefined;
      for (const month of ['2025-10', ...MONTHS]) {
        const found = await statement(bank, month);
        const { opening_balance, total_credits, total_debits, closing_balance, transactions } = found;
        const balances = transactions.map(({ balance }) => balance);
        const at = transactions.map(({ recorded_at }) => recorded_at);
        const shown = { opening_balance, total_credits, total_debits, closing_balance, balances, times: at };
        expect(shown).toEqual(folded(past, month, decimals));
        if (last !== undefined) expect(opening_balance).toBe(last);
        last = closing_balance;
      }
      await bank.close();
    },
  );
  await fc.assert(property, settings(20));
});

it('takes a time as what it means, however it is written', async () => {
  const at = [
    '2025-12-31T23:59:59.999Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01T00:00:00.000Z',
    '2026-01-31T23:59:59Z',
    '2026-02-01T00:00:00Z',
    '2026-02-01T00:00:00.000Z',
  ];
  const bank = await archive(
    at.map((one) => ({ at: one, minor: 5n, direction: 'CREDIT' as const })),
    { now: NOW },
  );
  const found = await statement(bank, '2026-01');
  expect(found.transactions.map(({ recorded_at }) => recorded_at)).toEqual(at.slice(1, 4));
  expect(found.opening_balance).toBe('0.05');
  await bank.close();
});

it('names its month, whether it is over, the owner and the account', async () => {
  const bank = await archive([{ at: '2026-03-01T00:00:00.000Z', minor: 5n, direction: 'CREDIT' }], {
    now: NOW,
  });
  const { account, owner, period } = await statement(bank, '2026-03');
  expect(account).toEqual({ id: ACCOUNT_ID, account_type: 'CHECKING', currency: 'USD' });
  expect(owner).toEqual({ id: expect.any(String), name: 'Alice Smith' });
  expect(period).toEqual({
    month: '2026-03',
    from: '2026-03-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    complete: false,
  });
  expect((await statement(bank, '2025-12')).period).toMatchObject({
    from: '2025-12-01T00:00:00.000Z',
    to: '2026-01-01T00:00:00.000Z',
    complete: true,
  });
  await bank.close();
});

it('is refused for a month that has not begun, and for one before the account was opened', async () => {
  const bank = await archive([], { now: '2026-01-31T23:59:59.999Z', created_at: '2026-01-01T00:00:00.000Z' });
  const refusal = async (month: string) => {
    const decision = await ask(bank, month);
    return decision.ok ? 'ok' : [decision.rejection.code, decision.rejection.facts ?? {}];
  };
  expect(await refusal('2026-02')).toEqual(['month_in_future', {}]);
  expect(await refusal('2026-01')).toBe('ok');
  expect(await refusal('2025-12')).toEqual(['month_before_account', { first_month: '2026-01' }]);
  await bank.close();
});

it('of a month in a long history reads that month, and refuses one that is too large with a way out', async () => {
  const small = Array.from({ length: 3_000 }, (_, index) => day('2025-11', index, 3_000));
  const full = Array.from({ length: STATEMENT_TRANSACTIONS_MAX }, (_, index) =>
    day('2025-12', index, 25_000),
  );
  const tooMany = Array.from({ length: STATEMENT_TRANSACTIONS_MAX + 1 }, (_, index) =>
    day('2026-01', index, 25_001),
  );
  const few = [day('2026-02', 7, 10)];
  const bank = await archive([...small, ...full, ...tooMany, ...few], { now: NOW });
  let documents = 0;
  const { find } = bank.readModels;
  bank.readModels.find = async (collection, options: FindOptions) => {
    const found = await find.call(bank.readModels, collection, options);
    documents += found.length;
    return found as never;
  };
  expect((await statement(bank, '2025-12')).transactions).toHaveLength(STATEMENT_TRANSACTIONS_MAX);
  documents = 0;
  expect(await statement(bank, '2026-02')).toMatchObject({
    opening_balance: '530.01',
    closing_balance: '530.02',
  });
  expect(documents).toBeLessThan(1_200);
  documents = 0;
  const decision = await ask(bank, '2026-01');
  expect(decision.ok ? 'ok' : decision.rejection).toMatchObject({
    code: 'statement_too_large',
    facts: {
      maximum: STATEMENT_TRANSACTIONS_MAX,
      transactions: `/api/v1/accounts/${ACCOUNT_ID}/transactions?from=2026-01-01T00:00:00.000Z&to=2026-02-01T00:00:00.000Z`,
    },
  });
  expect(documents).toBeLessThan(STATEMENT_TRANSACTIONS_MAX + 1_500);
  await bank.close();
});

/** One cent, at the `index`th of `count` instants that share a month. */
function day(month: string, index: number, count: number): Past {
  const time = Date.parse(`${month}-01T00:00:00Z`) + Math.floor((index / count) * 28 * 86_400_000);
  return { at: new Date(time).toISOString(), minor: 1n, direction: 'CREDIT' };
}
