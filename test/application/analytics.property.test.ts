/** Random postings, ranges and intervals: analytics are what a plain count over the raw events says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import {
  getAccountAnalyticsHandler,
  getBankAnalyticsHandler,
  getOwnerAnalyticsHandler,
} from '../../src/application/queries/analytics.ts';
import { INTERVALS, type Interval } from '../../src/application/queries/analytics-range.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import type { ReadModelReader, ReadModelStore } from '../../src/event-sourcing/read-model-store.ts';
import { projections } from '../../src/projections/index.ts';
import { settings } from '../domain/property-settings.ts';
import { BankLog, created, posted } from '../support/bank-events.ts';
import { HistoryReader } from '../support/history-reader.ts';
import { RunningProjector } from '../support/running-projector.ts';

const DAY_MS = 86_400_000;
const DECIMALS = { USD: 2, JPY: 0, BHD: 3 } as const;
type Currency = keyof typeof DECIMALS;
const OWNERS = ['p-1', 'p-2'] as const;
// In the order in which they are opened, which is not that of their ids.
const ACCOUNTS = { 'a-2': 'USD', 'a-1': 'USD', 'a-3': 'JPY', 'a-4': 'BHD' } as const;
type Account = keyof typeof ACCOUNTS;
const ownerOf = (account: Account) => (account === 'a-4' ? 'p-2' : 'p-1');
const openedAs = (account: Account) => Object.keys(ACCOUNTS).indexOf(account);
const FIRST_DAY = Date.UTC(2025, 10, 25);
const LAST_DAY = Date.UTC(2026, 1, 5);
const NOW = new Date(LAST_DAY + 12 * 3_600_000);
const CONTEXT = { correlation_id: 'c', causation_id: 'c' };

interface Posting {
  readonly account: Account;
  readonly direction: 'CREDIT' | 'DEBIT';
  /** Minor units. */
  readonly amount: bigint;
  readonly time: number;
}

// Much of it lies at the edges of days, months and ISO weeks around the turn of the year.
const edges = (days: number) =>
  fc
    .record({ day: fc.integer({ min: -days, max: days }), off: fc.constantFrom(-1, 0, 1) })
    .map(({ day, off }) => Date.UTC(2026, 0, 1) + day * DAY_MS + off);
const times = fc.oneof(edges(1), edges(9), fc.integer({ min: FIRST_DAY, max: LAST_DAY }));

const postings = fc.array(
  fc.record<Posting>({
    account: fc.constantFrom(...(Object.keys(ACCOUNTS) as Account[])),
    direction: fc.constantFrom('CREDIT', 'DEBIT'),
    // Few different ones, so that several are the largest.
    amount: fc.oneof(
      { weight: 20, arbitrary: fc.bigInt({ min: 1n, max: 2n }) },
      { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 10n ** 15n - 1n }) },
    ),
    time: times,
  }),
  { maxLength: 40, size: 'max' },
);

const days = (LAST_DAY - FIRST_DAY) / DAY_MS;
const ranges = fc
  .record({ first: fc.nat(days), last: fc.nat(days), interval: fc.constantFrom(...INTERVALS) })
  .map(({ first, last, interval }) => ({
    from: FIRST_DAY + Math.min(first, last) * DAY_MS,
    to: FIRST_DAY + (Math.max(first, last) + 1) * DAY_MS,
    interval,
  }));

/** Milliseconds since the epoch; `to` is exclusive. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly interval: Interval;
}

const at = (time: number) => new Date(time).toISOString();
const dateOf = (time: number) => at(time).slice(0, 10);

function decimal(minor: bigint, currency: Currency): string {
  const decimals = DECIMALS[currency];
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, '0');
  const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return minor < 0n ? `-${text}` : text;
}

/** The log, in the order in which it was given: times may run back. */
function logOf(history: readonly Posting[]): RecordedEvent[] {
  const log = new BankLog();
  for (const owner of OWNERS) log.registered(owner);
  for (const [account, currency] of Object.entries(ACCOUNTS)) {
    log.account(
      account,
      created(ownerOf(account as Account), { currency, overdraft_limit: decimal(0n, currency) }),
    );
  }
  const opened = log.events.length;
  for (const [index, { account, direction, amount }] of history.entries()) {
    const currency = ACCOUNTS[account];
    const text = decimal(amount, currency);
    log.account(account, posted(`t-${index}`, { direction, amount: text, balance: text, currency }));
  }
  return log.events.map((event, index) => {
    const time = history[index - opened]?.time ?? FIRST_DAY;
    return { ...event, metadata: { ...event.metadata, timestamp: at(time) } };
  });
}

/** Half to even by remainders: no arithmetic of the program is involved. */
function meanOf(total: bigint, count: number): bigint {
  const [whole, rest] = [total / BigInt(count), (total % BigInt(count)) * 2n];
  if (rest > BigInt(count) || (rest === BigInt(count) && whole % 2n === 1n)) return whole + 1n;
  return whole;
}

/** Which of a day's largest postings is shown: the first in the log, or the first of the account that was opened first. */
type Ties = 'by_log' | 'by_account';

/** Counts postings of one currency; each with its index in the log. */
function figuresOf(own: readonly (Posting & { index: number })[], currency: Currency, ties: Ties) {
  const text = (minor: bigint) => decimal(minor, currency);
  const side = (wanted: Posting['direction']) => {
    const ofSide = own.filter(({ direction }) => direction === wanted);
    const total = ofSide.reduce((sum, { amount }) => sum + amount, 0n);
    const order = (one: Posting) => dateOf(one.time);
    const [largest] = ofSide.toSorted((one, other) => {
      if (one.amount !== other.amount) return one.amount > other.amount ? -1 : 1;
      if (order(one) !== order(other)) return order(one) < order(other) ? -1 : 1;
      return ties === 'by_account' ? openedAs(one.account) - openedAs(other.account) : 0;
    });
    const shown = largest && {
      amount: text(largest.amount),
      transaction_id: `t-${largest.index}`,
      date: dateOf(largest.time),
    };
    return { count: ofSide.length, total, largest: shown ?? null };
  };
  const [credits, debits] = [side('CREDIT'), side('DEBIT')];
  const mean = (total: bigint, count: number) => (count === 0 ? null : text(meanOf(total, count)));
  return {
    transaction_count: own.length,
    credit_count: credits.count,
    debit_count: debits.count,
    total_credits: text(credits.total),
    total_debits: text(debits.total),
    net_flow: text(credits.total - debits.total),
    average_transaction: mean(credits.total + debits.total, own.length),
    average_credit: mean(credits.total, credits.count),
    average_debit: mean(debits.total, debits.count),
    largest_credit: credits.largest,
    largest_debit: debits.largest,
  };
}

/** The ISO week by counting: the week of the year's first Thursday is the first one. */
function weekOf(time: number): string {
  const thursday = new Date(time);
  while (thursday.getUTCDay() !== 4) {
    const isLater = (thursday.getUTCDay() || 7) > 4;
    thursday.setUTCDate(thursday.getUTCDate() + (isLater ? -1 : 1));
  }
  const year = thursday.getUTCFullYear();
  let week = 0;
  for (; thursday.getUTCFullYear() === year; thursday.setUTCDate(thursday.getUTCDate() - 7)) week += 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function bucketOf(time: number, interval: Interval): string {
  if (interval === 'week') return weekOf(time);
  return interval === 'day' ? dateOf(time) : at(time).slice(0, 7);
}

function countedIn(
  history: readonly Posting[],
  { from, to, interval }: Range,
  currency: Currency,
  ties: Ties = 'by_log',
) {
  const inRange = history
    .map((posting, index) => ({ ...posting, index }))
    .filter(({ time }) => time >= from && time < to);
  const buckets = new Map<string, { from: number; to: number }>();
  for (let day = from; day < to; day += DAY_MS) {
    const name = bucketOf(day, interval);
    buckets.set(name, { from: buckets.get(name)?.from ?? day, to: day + DAY_MS });
  }
  const parts = [...buckets].map(([name, edges]) => ({
    name,
    from: at(edges.from),
    to: at(edges.to),
    ...figuresOf(
      inRange.filter(({ time }) => bucketOf(time, interval) === name),
      currency,
      ties,
    ),
  }));
  return { ...figuresOf(inRange, currency, ties), buckets: parts };
}

function ofEach(
  history: readonly Posting[],
  range: Range,
  currencies: readonly Currency[],
  ties: Ties = 'by_log',
) {
  return currencies.map((currency) => {
    const own = only(history, ({ account }) => ACCOUNTS[account] === currency);
    return { currency, ...countedIn(own, range, currency, ties) };
  });
}

/** All others are moved out of every range, so that each keeps its index. */
function only(history: readonly Posting[], isMeant: (posting: Posting) => boolean): Posting[] {
  return history.map((one) => (isMeant(one) ? one : { ...one, time: -1 }));
}

/** The read models of a history, and what queries need beside them. */
async function withBank<T>(
  history: readonly Posting[],
  { commitEvents, manyAtOnce }: { commitEvents: number; manyAtOnce: boolean },
  use: (bank: {
    readModels: ReadModelReader;
    events: HistoryReader;
    codec: ReturnType<typeof createBankCodec>;
    now: () => Date;
  }) => Promise<T>,
): Promise<T> {
  const store = openSqliteReadModelStore({ kind: 'memory' });
  const [events, codec] = [new HistoryReader(logOf(history)), createBankCodec('USD')];
  try {
    await store.prepare(projections, 'history');
    const options = { reader: events, store, codec, projections, streamPrefixes: [''], commitEvents };
    const running = new RunningProjector(options);
    await running.caughtUp();
    await running.stop();
    expect(running.problems).toEqual([]);
    return await use({ readModels: manyAtOnce ? askedForMany(store) : store, events, codec, now: () => NOW });
  } finally {
    await store.close();
  }
}

/** As a store on a server: several documents in one request, in no order. */
function askedForMany(store: ReadModelStore): ReadModelReader {
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'getMany') return Reflect.get(target, name).bind(target);
      return async (collection: never, keys: readonly string[]) => {
        const found = await Promise.all(keys.map((key) => store.get(collection, key)));
        return found.filter((stored) => stored !== undefined).reverse();
      };
    },
  });
}

function accepted<T>(decision: Decision<T>): T {
  if (!decision.ok) throw new Error(JSON.stringify(decision.rejection));
  return decision.value;
}

const courses = fc.record({ commitEvents: fc.constantFrom(1, 7, 1_000), manyAtOnce: fc.boolean() });

describe('analytics are what a count over the raw events says', () => {
  it('of each account, of each owner, and of the bank', async () => {
    const property = fc.asyncProperty(postings, ranges, courses, async (history, range, course) => {
      await withBank(history, course, async (bank) => {
        const [from, to] = [dateOf(range.from), dateOf(range.to - 1)];
        const asked = { from, to, interval: range.interval };
        const head = { from: at(range.from), to: at(range.to), interval: range.interval };
        const complete = range.to <= NOW.getTime();
        for (const [id, currency] of Object.entries(ACCOUNTS)) {
          const own = only(history, ({ account }) => account === id);
          const shown = accepted(await getAccountAnalyticsHandler(bank)({ id, ...asked }, CONTEXT));
          const counted = countedIn(own, range, currency);
          expect(shown).toEqual({ account_id: id, currency, ...head, complete, ...counted });
        }
        for (const [owner, account_count, currencies] of [
          ['p-1', 3, ['JPY', 'USD']],
          ['p-2', 1, ['BHD']],
        ] as const) {
          const own = only(history, ({ account }) => ownerOf(account) === owner);
          const shown = accepted(await getOwnerAnalyticsHandler(bank)({ id: owner, ...asked }, CONTEXT));
          const counted = ofEach(own, range, currencies, 'by_account');
          expect(shown).toEqual({ owner_id: owner, account_count, ...head, complete, currencies: counted });
        }
        const shown = accepted(await getBankAnalyticsHandler(bank)(asked, CONTEXT));
        const used = (['BHD', 'JPY', 'USD'] as const).filter((currency) =>
          history.some(
            ({ account, time }) => ACCOUNTS[account] === currency && time >= range.from && time < range.to,
          ),
        );
        expect(shown).toEqual({ ...head, complete, currencies: ofEach(history, range, used) });
      });
    });
    await fc.assert(property, settings(10, 120));
  });
});
