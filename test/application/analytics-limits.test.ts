/** What one question about many days, accounts or currencies may cost; beyond that it is refused before it is looked up. */
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import {
  ALL_BUCKETS_MAX,
  getBankAnalyticsHandler,
  getOwnerAnalyticsHandler,
  OWNER_DOCUMENTS_MAX,
} from '../../src/application/queries/analytics.ts';
import {
  analyticsRange,
  BUCKETS_MAX,
  RANGE_DAYS_MAX,
  startOf,
} from '../../src/application/queries/analytics-range.ts';
import { CURRENCY_CODES } from '../../src/domain/currency.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Document, FindOptions, ReadModelReader } from '../../src/event-sourcing/read-model-store.ts';
import { HistoryReader } from '../support/history-reader.ts';

const NOW = new Date('2026-06-15T12:00:00.000Z');
const CONTEXT = { correlation_id: 'c', causation_id: 'c' };

/** Read models that make up what they are asked for, and count it. */
function readModelsOf(accounts: number, currencies: number) {
  const asked = { documents: 0 };
  const documentOf = (collection: string, key: string): Document | undefined => {
    if (collection === 'persons') return { id: key, created_at: '2020-01-01T00:00:00.000Z' };
    asked.documents += 1;
    if (collection !== 'bank_days') return undefined;
    const none = { credits: null, debits: null };
    const codes = CURRENCY_CODES.slice(0, currencies);
    return { day: key, currencies: Object.fromEntries(codes.map((code) => [code, none])) };
  };
  const stored = (key: string, document: Document, sequence = 1n) => {
    return { key, sequence, position: 1n, document, blocked: false };
  };
  const reader = {
    async get(collection: { name: string }, key: string) {
      const document = documentOf(collection.name, key);
      return document && stored(key, document);
    },
    async find(_collection: unknown, { after, limit }: FindOptions) {
      const first = Number(after?.sequence ?? 0n) + 1;
      const length = Math.max(0, Math.min(limit, accounts - first + 1));
      return Array.from({ length }, (_, index) => {
        const id = `a-${first + index}`;
        return stored(id, { id, currency: 'USD' }, BigInt(first + index));
      });
    },
  };
  const readModels = reader as unknown as ReadModelReader;
  const bank = { readModels, events: new HistoryReader([]), codec: createBankCodec('USD'), now: () => NOW };
  return { bank, asked };
}

function codeOf(decision: Decision<unknown>): unknown {
  return decision.ok ? 'accepted' : [decision.rejection.code, decision.rejection.facts];
}

const days = (interval: 'day' | 'week' | 'month', from: string) => ({ from, to: '2026-06-14', interval });
const dayBefore = (count: number) => {
  return new Date(Date.UTC(2026, 5, 15) - count * 86_400_000).toISOString().slice(0, 10);
};

describe('a range', () => {
  it('has so many days and buckets, and not one more', () => {
    const of = (interval: 'day' | 'week' | 'month', count: number) =>
      codeOf(analyticsRange(days(interval, dayBefore(count)), NOW));
    expect(of('day', BUCKETS_MAX)).toBe('accepted');
    expect(of('day', BUCKETS_MAX + 1)).toEqual([
      'range_too_large',
      { maximum: BUCKETS_MAX, asked: BUCKETS_MAX + 1, unit: 'days' },
    ]);
    expect(of('week', RANGE_DAYS_MAX)).toBe('accepted');
    expect(of('month', RANGE_DAYS_MAX + 1)).toEqual([
      'range_too_large',
      { maximum: RANGE_DAYS_MAX, asked: RANGE_DAYS_MAX + 1, unit: 'days' },
    ]);
  });

  it('begins in a year of four digits, even when it ends with the first day of all', () => {
    for (const interval of ['day', 'week', 'month'] as const) {
      for (const to of ['0001-01-01', '0001-01-01T00:00:00Z']) {
        const range = analyticsRange({ to, interval }, NOW);
        expect(range.ok && startOf(range.value.from)).toMatch(/^0000-/);
        expect(range.ok && range.value.buckets.map(({ name }) => name).join()).toMatch(/^0000-[^+]*$/);
      }
    }
  });

  it('ends with today, and is not complete then', () => {
    const range = (to: string) => analyticsRange({ to, interval: 'day' }, NOW);
    expect(range('2026-06-15')).toMatchObject({ ok: true, value: { complete: false } });
    expect(range('2026-06-16T00:00:00Z')).toMatchObject({ ok: true, value: { complete: false } });
    expect(range('2026-06-15T00:00:00Z')).toMatchObject({ ok: true, value: { complete: true } });
    expect(codeOf(range('2026-06-16'))).toEqual(['time_in_future', { now: NOW.toISOString() }]);
  });
});

describe('an owner', () => {
  const from = dayBefore(100);
  const accountsMax = OWNER_DOCUMENTS_MAX / 100;

  it('may have so many accounts for so many days', async () => {
    const { bank, asked } = readModelsOf(accountsMax, 0);
    const found = await getOwnerAnalyticsHandler(bank)({ id: 'p-1', ...days('day', from) }, CONTEXT);
    expect(found).toMatchObject({ ok: true, value: { account_count: accountsMax } });
    expect(asked.documents).toBe(OWNER_DOCUMENTS_MAX);
  });

  it('with one more is refused, and nothing is looked up', async () => {
    const { bank, asked } = readModelsOf(accountsMax + 1, 0);
    const found = await getOwnerAnalyticsHandler(bank)({ id: 'p-1', ...days('day', from) }, CONTEXT);
    expect(codeOf(found)).toEqual(['range_too_large', { maximum: accountsMax, unit: 'accounts' }]);
    expect(asked.documents).toBe(0);
  });
});

describe('the bank', () => {
  it('may have so many currencies for so many buckets; of one currency it can always be told', async () => {
    const query = days('day', dayBefore(BUCKETS_MAX));
    const currenciesMax = ALL_BUCKETS_MAX / BUCKETS_MAX;
    const all = await getBankAnalyticsHandler(readModelsOf(0, currenciesMax).bank)(query, CONTEXT);
    expect(codeOf(all)).toBe('accepted');
    const { bank } = readModelsOf(0, currenciesMax + 1);
    expect(codeOf(await getBankAnalyticsHandler(bank)(query, CONTEXT))).toEqual([
      'range_too_large',
      { maximum: ALL_BUCKETS_MAX, asked: ALL_BUCKETS_MAX + BUCKETS_MAX, unit: 'buckets' },
    ]);
    const one = await getBankAnalyticsHandler(bank)({ ...query, currency: CURRENCY_CODES[1] }, CONTEXT);
    expect(one).toMatchObject({ ok: true });
  });
});
