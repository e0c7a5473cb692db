/** The search in an account's transactions: it finds what a plain filter finds, page by page, and works a bounded amount. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  EXAMINED_TRANSACTIONS_MAX,
  listAccountTransactionsHandler,
} from '../../src/application/queries/account-transactions.ts';
import type { TransactionFilter } from '../../src/application/queries/transaction-filter.ts';
import { toMinor } from '../../src/domain/money.ts';
import type { FindOptions } from '../../src/event-sourcing/read-model-store.ts';
import { settings } from '../domain/property-settings.ts';
import { ACCOUNT_ID, type Archived, archive, type Past } from '../support/account-archive.ts';

const OTHERS = ['01990d2e-7c1b-7a52-9d5e-0c8f7f4b1b01', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1b02'];
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const iso = (time: number) => new Date(time).toISOString();

type Bank = Awaited<ReturnType<typeof archive>>;

function ask(bank: Bank, filter: TransactionFilter, limit: number, cursor?: string) {
  return listAccountTransactionsHandler(bank)(
    { id: ACCOUNT_ID, limit, cursor, ...filter },
    {
      correlation_id: 'test',
      causation_id: 'test',
    },
  );
}

async function page(bank: Bank, filter: TransactionFilter, limit: number, cursor?: string) {
  const decision = await ask(bank, filter, limit, cursor);
  if (!decision.ok) throw new Error(decision.rejection.code);
  return decision.value;
}

async function allPages(bank: Bank, filter: TransactionFilter, limit: number): Promise<Archived[][]> {
  const pages: Archived[][] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(bank, filter, limit, cursor);
    pages.push(answer.items);
    cursor = answer.next_cursor;
  } while (cursor !== undefined);
  return pages;
}

/** What is meant, said once more in the plainest way. */
function isMeant(one: Archived, filter: TransactionFilter): boolean {
  const at = Date.parse(one.recorded_at);
  const minor = toMinor(one.amount, 'USD');
  const other = one.direction === 'CREDIT' ? one.from_account_id : one.to_account_id;
  if (filter.from !== undefined && at < Date.parse(filter.from)) return false;
  if (filter.to !== undefined && at >= Date.parse(filter.to)) return false;
  if (filter.min_amount !== undefined && minor < toMinor(filter.min_amount, 'USD')) return false;
  if (filter.max_amount !== undefined && minor > toMinor(filter.max_amount, 'USD')) return false;
  if (filter.type !== undefined && one.type !== filter.type) return false;
  if (filter.direction !== undefined && one.direction !== filter.direction) return false;
  if (filter.counterpart_account_id !== undefined && other !== filter.counterpart_account_id) return false;
  const text = filter.description;
  return text === undefined || one.description.toUpperCase().includes(text.toUpperCase());
}

/** Clocks of several processes: now and then one is a few minutes behind. */
const histories = fc
  .array(
    fc.record({
      hours: fc.constantFrom(0, 0, 1, 24),
      behind: fc.constantFrom(0, 0, 0, 4 * 60_000),
      minor: fc.bigInt(1n, 400n),
      direction: fc.constantFrom('CREDIT', 'DEBIT'),
      type: fc.constantFrom('DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'INTEREST'),
      description: fc.constantFrom('Rent May', 'RENT june', 'Café', 'cafe\u0301 au lait', 'Salary'),
      counterpart: fc.constantFrom(undefined, ...OTHERS),
    }),
    { maxLength: 60 },
  )
  .map((entries) => {
    let time = START;
    return entries.map(({ hours, behind, counterpart, ...rest }): Past => {
      time += hours * HOUR;
      return {
        at: iso(time - behind),
        ...rest,
        ...(counterpart === undefined ? {} : { counterpart }),
      };
    });
  });

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const filters = fc
  .record({
    from: maybe(fc.nat(300).map((hours) => iso(START + hours * HOUR))),
    to: maybe(fc.nat(600).map((hours) => iso(START + hours * HOUR))),
    min_amount: maybe(fc.constantFrom('0', '1.5', '3.00')),
    max_amount: maybe(fc.constantFrom('3', '3.99', '4.00')),
    type: maybe(fc.constantFrom('DEPOSIT' as const, 'TRANSFER' as const)),
    direction: maybe(fc.constantFrom('CREDIT' as const, 'DEBIT' as const)),
    counterpart_account_id: maybe(fc.constantFrom(...OTHERS)),
    description: maybe(fc.constantFrom('rent', 'MAY', 'a')),
  })
  .filter(({ from, to }) => from === undefined || to === undefined || from < to);

it('finds what a plain filter finds, newest first, and every page but the last is full', async () => {
  const property = fc.asyncProperty(
    histories,
    filters,
    fc.integer({ min: 1, max: 7 }),
    async (past, filter, limit) => {
      const bank = await archive(past);
      const meant = bank.documents.filter((one) => isMeant(one, filter)).toReversed();
      const pages = await allPages(bank, filter, limit);
      expect(pages.flat()).toEqual(meant);
      expect(pages.slice(0, -1).every((items) => items.length === limit)).toBe(true);
      await bank.close();
    },
  );
  await fc.assert(property, settings(50, 1500));
});

it('finds what a clock that was behind has stamped before the end of the time, and the log has behind it', async () => {
  const minutes = [0, 4, 1];
  const bank = await archive(
    minutes.map((minute) => ({ at: iso(START + minute * 60_000), minor: 1n, direction: 'CREDIT' })),
  );
  const { items } = await page(bank, { to: iso(START + 2 * 60_000) }, 5);
  expect(items.map(({ recorded_at }) => recorded_at)).toEqual([iso(START + 60_000), iso(START)]);
  await bank.close();
});

it('finds accents however they are written', async () => {
  const bank = await archive([
    { at: iso(START), minor: 1n, direction: 'DEBIT', description: 'CAFE\u0301 CENTRAL' },
  ]);
  expect((await page(bank, { description: 'café' }, 5)).items).toHaveLength(1);
  await bank.close();
});

describe('an account with a long history', async () => {
  const length = 12_000;
  const rare = 11_500;
  const past = Array.from(
    { length },
    (_, index): Past => ({
      at: iso(START + index * 60_000),
      minor: 1n,
      direction: 'CREDIT',
      // Counted from the newest, so that a search goes a long way before it finds it.
      description: index === length - rare ? 'needle' : 'hay',
    }),
  );
  const bank = await archive(past);
  afterAll(() => bank.close());
  let documents = 0;
  const { find } = bank.readModels;
  bank.readModels.find = async (collection, options: FindOptions) => {
    const found = await find.call(bank.readModels, collection, options);
    documents += found.length;
    return found as never;
  };

  it('is looked at a bounded number of transactions a request, and a cursor goes on from there', async () => {
    documents = 0;
    const first = await page(bank, { description: 'needle' }, 5);
    expect(first.items).toEqual([]);
    expect(documents).toBe(EXAMINED_TRANSACTIONS_MAX);
    const second = await page(bank, { description: 'needle' }, 5, first.next_cursor);
    expect(second.items.map(({ description }) => description)).toEqual(['needle']);
    expect(second).not.toHaveProperty('next_cursor');
  });

  it('is not searched for a time: the time is looked up', async () => {
    documents = 0;
    const [from, to] = [iso(START + 100 * 60_000), iso(START + 110 * 60_000)];
    const { items } = await page(bank, { from, to }, 50);
    expect(items.map(({ recorded_at }) => recorded_at)).toEqual(
      past
        .slice(100, 110)
        .map(({ at }) => at)
        .toReversed(),
    );
    expect(documents).toBeLessThan(600);
  });
});

it('takes a cursor only from the list and the filter that gave it out', async () => {
  const bank = await archive(
    Array.from({ length: 4 }, (_, index) => ({
      at: iso(START + index),
      minor: 5n,
      direction: 'CREDIT' as const,
    })),
  );
  const filter = { min_amount: '0.01' };
  const { next_cursor } = await page(bank, filter, 1);
  const again = async (other: TransactionFilter) => {
    const decision = await ask(bank, other, 1, next_cursor);
    return decision.ok ? 'ok' : decision.rejection.code;
  };
  expect(await again(filter)).toBe('ok');
  expect(await again({ min_amount: '0.010' })).toBe('ok');
  for (const other of [{}, { min_amount: '0.02' }, { max_amount: '0.01' }, { ...filter, from: iso(START) }]) {
    expect(await again(other)).toBe('invalid_cursor');
  }
  await bank.close();
});
