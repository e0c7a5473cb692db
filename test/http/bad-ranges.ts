/** Days between which no analytics can be told, and other questions about them that are none. */
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import type { OperationId } from '../support/bank-client.ts';
import type { Fixture, Row } from './bad-input-fixture.ts';

type Wrong = readonly [query: string, status: number, code: ProblemCode, field: string];

/** With `@` for the name of the parameter. */
const WRONG_EDGES: readonly Wrong[] = [
  ['@=', 422, 'invalid_time', '@'],
  ['@=yesterday', 422, 'invalid_time', '@'],
  ['@=today', 422, 'invalid_time', '@'],
  ['@=1767225600000', 422, 'invalid_time', '@'],
  ['@=20260101', 422, 'invalid_time', '@'],
  ['@=2026-1-1', 422, 'invalid_time', '@'],
  ['@=2026-01', 422, 'invalid_time', '@'],
  ['@=2026-W01', 422, 'invalid_time', '@'],
  ['@=2026-02-30', 422, 'invalid_time', '@'],
  ['@=2025-02-29', 422, 'invalid_time', '@'],
  ['@=2026-01-01Z', 422, 'invalid_time', '@'],
  ['@=%202026-01-01', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00', 422, 'invalid_time', '@'],
  ['@=2026-01-01%2000:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-02-30T00:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-01-01T24:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00%2B24:00', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00%2B0100', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00Europe/Paris', 422, 'invalid_time', '@'],
  ['@=%2B010000-01-01', 422, 'invalid_time', '@'],
  ['@=0000-01-05', 422, 'invalid_time', '@'],
  ['@=0000-12-31', 422, 'invalid_time', '@'],
  ['@=0000-12-31T00:00:00Z&interval=month', 422, 'invalid_time', '@'],
  ['@=0001-01-01T00:00:00%2B23:59', 422, 'invalid_time', '@'],
  ['@=2026-01-01T09:30:00Z', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01T00:00:00.001Z', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01T23:59:59.999Z', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01T00:00:00%2B05:45', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01T00:00:00+05:45', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01T00:00:00-23:59', 422, 'not_a_whole_day', '@'],
  ['@=9999-12-31', 422, 'time_in_future', '@'],
  ['@=9999-12-31T00:00:00Z', 422, 'time_in_future', '@'],
  ['@=9999-12-31T23:59:00-23:59&interval=month', 422, 'not_a_whole_day', '@'],
  ['@=2026-01-01&@=2026-01-01', 422, 'invalid_type', '@'],
];

const named = (name: string): Wrong[] =>
  WRONG_EDGES.map(([query, status, code]) => [query.replaceAll('@', name), status, code, name]);

const WRONG_RANGES: readonly Wrong[] = [
  ...named('from'),
  ...named('to'),
  [`from=${dayFromNow(1)}`, 422, 'time_in_future', 'from'],
  [`to=${dayFromNow(1)}`, 422, 'time_in_future', 'to'],
  ['from=2026-02-02&to=2026-02-01', 422, 'invalid_range', 'to'],
  ['from=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z', 422, 'invalid_range', 'to'],
  ['from=2026-02-01T01:00:00%2B01:00&to=2026-02-01T00:00:00Z', 422, 'invalid_range', 'to'],
  ['from=2024-01-01&to=2025-02-04', 422, 'range_too_large', 'from'],
  ['from=2000-01-01&interval=month', 422, 'range_too_large', 'from'],
  ['from=0001-01-01&to=2026-01-01&interval=month', 422, 'range_too_large', 'from'],
  ['interval=', 422, 'invalid_value', 'interval'],
  ['interval=year', 422, 'invalid_value', 'interval'],
  ['interval=DAY', 422, 'invalid_value', 'interval'],
  ['interval=day&interval=week', 422, 'invalid_value', 'interval'],
  ['at=2026-01-01', 422, 'unknown_field', 'at'],
];

const WRONG_CURRENCIES: readonly Wrong[] = [
  ['currency=', 422, 'unknown_currency', 'currency'],
  ['currency=usd', 422, 'unknown_currency', 'currency'],
  ['currency=XXX', 422, 'unknown_currency', 'currency'],
];

export const BAD_RANGES: readonly Row[] = [
  ...rows('getAccountAnalytics', ({ account }) => account, [
    ...WRONG_RANGES,
    ['to=2020-01-31', 404, 'account_not_open_yet', 'to'],
    [`from=2020-01-01&to=2020-03-31&interval=week`, 404, 'account_not_open_yet', 'to'],
    [`to=${dayFromNow(0)}T00:00:00Z`, 404, 'account_not_open_yet', 'to'],
    ['currency=USD', 422, 'unknown_field', 'currency'],
  ]),
  ...rows('getOwnerAnalytics', ({ person }) => person, [
    ...WRONG_RANGES,
    ...WRONG_CURRENCIES,
    ['to=2020-01-31', 404, 'person_not_registered_yet', 'to'],
  ]),
  ...rows('getBankAnalytics', undefined, [...WRONG_RANGES, ...WRONG_CURRENCIES]),
  ofId('getAccountAnalytics', ({ unknown }) => unknown, 404, 'account_not_found'),
  ofId('getAccountAnalytics', ({ person }) => person, 404, 'account_not_found'),
  ofId('getAccountAnalytics', () => 'abc', 422, 'invalid_id'),
  ofId('getOwnerAnalytics', ({ unknown }) => unknown, 404, 'person_not_found'),
  ofId('getOwnerAnalytics', ({ account }) => account, 404, 'person_not_found'),
  ofId('getOwnerAnalytics', () => 'abc', 422, 'invalid_id'),
];

/** A day in UTC, `YYYY-MM-DD`. */
function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

function rows(
  operation: OperationId,
  idIn: ((bank: Fixture) => string) | undefined,
  wrong: readonly Wrong[],
): Row[] {
  return wrong.map(([query, status, code, field]) => ({
    name: `${operation}?${query}`,
    operation,
    request: (bank) => ({ query, ...(idIn ? { params: { id: idIn(bank) } } : {}) }),
    status,
    code,
    at: `query /${field}`,
  }));
}

function ofId(
  operation: OperationId,
  idIn: (bank: Fixture) => string,
  status: number,
  code: ProblemCode,
): Row {
  const name = `${operation} of ${code}`;
  const request: Row['request'] = (bank) => ({ params: { id: idIn(bank) } });
  // The id of what is not there is not wrong in itself.
  return { name, operation, request, status, code, ...(status === 422 ? { at: 'path /id' } : {}) };
}
