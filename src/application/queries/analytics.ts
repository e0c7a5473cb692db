/**
 * Queries for the figures of an account, of an owner and of the bank between two days. They are added up from the
 * documents of days, so they cost what the range is long, however many transactions it has.
 */
import { z } from 'zod';
import { holderOf } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { accountDayKey, accountDays } from '../../projections/account-days.ts';
import { type AccountDocument, accounts } from '../../projections/accounts.ts';
import { bankDays } from '../../projections/bank-days.ts';
import type { DayFigures } from '../../projections/day-figures.ts';
import { persons } from '../../projections/persons.ts';
import { accountNotFound, type Bank, personNotFound, type ReadingBank } from '../bank.ts';
import { currencyCode } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { type Breakdown, breakdown } from './analytics-figures.ts';
import {
  type AnalyticsRange,
  type AskedRange,
  analyticsRange,
  analyticsRangeFields,
  BUCKETS_MAX,
  dayOfTime,
  daysOf,
  type Interval,
  startOf,
} from './analytics-range.ts';
import { dayDocuments } from './day-documents.ts';
import { findPage } from './paging.ts';
import { personIdFields } from './persons.ts';
import { readDocument } from './read-document.ts';

/** Documents that are looked up for one owner: each of the accounts has up to one a day. */
export const OWNER_DOCUMENTS_MAX = 50_000;
/** Buckets of all currencies together. */
export const ALL_BUCKETS_MAX = 10 * BUCKETS_MAX;

const ACCOUNTS_A_PAGE = 500;

const ofCurrency = {
  currency: currencyCode.optional().meta({ description: 'Only this currency. Default: all.', examples: [] }),
};

export const analyticsFields = z.strictObject(analyticsRangeFields);
export const currencyAnalyticsFields = z.strictObject({ ...analyticsRangeFields, ...ofCurrency });

/** Times are RFC 3339 UTC. */
interface ShownRange {
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly interval: Interval;
  readonly complete: boolean;
}

export interface AccountAnalytics extends ShownRange, Breakdown {
  readonly account_id: string;
  readonly currency: string;
}

/** By currency code; amounts of two currencies are never added up. */
export interface CurrencyBreakdown extends Breakdown {
  readonly currency: string;
}

export interface OwnerAnalytics extends ShownRange {
  readonly owner_id: string;
  readonly account_count: number;
  /** Each currency of the owner's accounts. */
  readonly currencies: CurrencyBreakdown[];
}

export interface BankAnalytics extends ShownRange {
  /** Each currency in which there was a transaction. */
  readonly currencies: CurrencyBreakdown[];
}

type AnalyticsBank = ReadingBank & Pick<Bank, 'now'>;
type OfCurrency = AskedRange & { readonly currency?: string | undefined };

export const GetAccountAnalytics = query<AccountAnalytics>()(
  'GetAccountAnalytics',
  analyticsFields.extend(accountIdFields.shape),
);

/** Rejects as `analyticsRange` does, and with `account_not_found`, `account_not_open_yet` or `read_model_blocked`. */
export function getAccountAnalyticsHandler(
  bank: AnalyticsBank,
): Handler<AskedRange & { readonly id: string }, AccountAnalytics> {
  return async ({ id, ...asked }) => {
    const range = analyticsRange(asked, bank.now());
    if (!range.ok) return range;
    const account = await readDocument(bank, accounts, id);
    if (!account.ok) return account;
    if (!account.value) return accountNotFound(id);
    const { currency, created_at } = account.value;
    if (endsBefore(range.value, created_at)) {
      const facts = { opened_at: created_at };
      return reject('account_not_open_yet', `The account was opened at ${created_at}.`, {
        field: 'to',
        facts,
      });
    }
    const keys = daysOf(range.value).map((day) => accountDayKey(id, day));
    const days = await dayDocuments(bank, accountDays, keys);
    if (!days.ok) return days;
    const figures = breakdown(range.value, currency, byDay(days.value));
    return accept({ account_id: id, currency, ...shownRange(range.value), ...figures });
  };
}

export const GetOwnerAnalytics = query<OwnerAnalytics>()(
  'GetOwnerAnalytics',
  currencyAnalyticsFields.extend(personIdFields.shape),
);

/** Rejects as `analyticsRange` does, and with `person_not_found`, `person_not_registered_yet` or `read_model_blocked`. */
export function getOwnerAnalyticsHandler(
  bank: AnalyticsBank,
): Handler<OfCurrency & { readonly id: string }, OwnerAnalytics> {
  return async ({ id, currency, ...asked }) => {
    const range = analyticsRange(asked, bank.now());
    if (!range.ok) return range;
    const person =
      holderOf({ owner_id: id }) === 'BANK' ? accept(undefined) : await readDocument(bank, persons, id);
    if (!person.ok) return person;
    if (!person.value) return personNotFound(id, 'id');
    const { created_at } = person.value;
    if (endsBefore(range.value, created_at)) {
      const facts = { registered_at: created_at };
      return reject('person_not_registered_yet', `The person was registered at ${created_at}.`, {
        field: 'to',
        facts,
      });
    }
    const owned = await accountsOf(bank, id, currency, range.value);
    if (!owned.ok) return owned;
    const currencies = await ownerBreakdowns(bank, owned.value, range.value);
    if (!currencies.ok) return currencies;
    return accept({
      owner_id: id,
      account_count: owned.value.length,
      ...shownRange(range.value),
      currencies: currencies.value,
    });
  };
}

export const GetBankAnalytics = query<BankAnalytics>()('GetBankAnalytics', currencyAnalyticsFields);

/** Rejects as `analyticsRange` does, and with `read_model_blocked`. */
export function getBankAnalyticsHandler(bank: AnalyticsBank): Handler<OfCurrency, BankAnalytics> {
  return async ({ currency: only, ...asked }) => {
    const range = analyticsRange(asked, bank.now());
    if (!range.ok) return range;
    const days = await dayDocuments(bank, bankDays, daysOf(range.value));
    if (!days.ok) return days;
    const found = days.value.flatMap(({ day, currencies }) =>
      Object.entries(currencies).map(([currency, figures]) => ({ day, currency, ...figures })),
    );
    const wanted = found.filter(({ currency }) => only === undefined || currency === only);
    const currencies = breakdowns(range.value, byCurrency(wanted));
    return currencies.ok ? accept({ ...shownRange(range.value), currencies: currencies.value }) : currencies;
  };
}

/** An owner's accounts, oldest first; too many for the range are refused before any of their days is looked up. */
async function accountsOf(
  bank: AnalyticsBank,
  owner_id: string,
  currency: string | undefined,
  { from, to }: AnalyticsRange,
): Promise<Decision<AccountDocument[]>> {
  const owned: AccountDocument[] = [];
  const accountsMax = Math.floor(OWNER_DOCUMENTS_MAX / (to - from));
  let cursor: string | undefined;
  do {
    const request = { limit: ACCOUNTS_A_PAGE, cursor };
    const page = await findPage(bank, accounts, request, { order: 'oldest_first', where: { owner_id } });
    if (!page.ok) return page;
    owned.push(...page.value.items.filter((one) => currency === undefined || one.currency === currency));
    cursor = page.value.next_cursor;
  } while (cursor !== undefined && owned.length <= accountsMax);
  if (owned.length <= accountsMax) return accept(owned);
  const facts = { maximum: accountsMax, unit: 'accounts' };
  const detail = `For ${to - from} days at most ${accountsMax} accounts are added up; ask for a shorter range.`;
  return reject('range_too_large', detail, { field: 'from', facts });
}

async function ownerBreakdowns(
  bank: AnalyticsBank,
  owned: readonly AccountDocument[],
  range: AnalyticsRange,
): Promise<Decision<CurrencyBreakdown[]>> {
  const dates = daysOf(range);
  // By day, because that is how the documents lie.
  const keys = dates.flatMap((day) => owned.map(({ id }) => accountDayKey(id, day)));
  const days = await dayDocuments(bank, accountDays, keys);
  if (!days.ok) return days;
  const found = byCurrency(days.value);
  for (const { currency } of owned) if (!found.has(currency)) found.set(currency, []);
  return breakdowns(range, found);
}

type DatedFigures = DayFigures & { readonly day: string };

function breakdowns(
  range: AnalyticsRange,
  days: ReadonlyMap<string, readonly DatedFigures[]>,
): Decision<CurrencyBreakdown[]> {
  const count = days.size * range.buckets.length;
  if (count > ALL_BUCKETS_MAX) {
    const facts = { maximum: ALL_BUCKETS_MAX, asked: count, unit: 'buckets' };
    const detail = `${days.size} currencies have ${count} buckets together, more than ${ALL_BUCKETS_MAX}; ask for one currency, or a shorter range.`;
    return reject('range_too_large', detail, { field: 'from', facts });
  }
  const sorted = [...days].sort(([one], [other]) => (one < other ? -1 : 1));
  return accept(
    sorted.map(([currency, figures]) => ({ currency, ...breakdown(range, currency, byDay(figures)) })),
  );
}

function byCurrency<F extends { readonly currency: string }>(figures: readonly F[]): Map<string, F[]> {
  return Map.groupBy(figures, ({ currency }) => currency);
}

function byDay(figures: readonly DatedFigures[]): Map<string, DatedFigures[]> {
  return Map.groupBy(figures, ({ day }) => day);
}

/** Whether a range is over before the day of an instant. @param time RFC 3339 UTC */
function endsBefore({ to }: AnalyticsRange, time: string): boolean {
  return to <= dayOfTime(time);
}

function shownRange({ from, to, interval, complete }: AnalyticsRange): ShownRange {
  return { from: startOf(from), to: startOf(to), interval, complete };
}
