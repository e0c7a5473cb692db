/** Times and revisions at which no account can be shown, and ranges between them that are none. */
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import type { OperationId } from '../support/bank-client.ts';
import type { Row } from './bad-input-fixture.ts';

type Wrong = readonly [query: string, status: number, code: ProblemCode, field: string];

/** With `@` for the name of the parameter. */
const WRONG_TIMES: readonly Wrong[] = [
  ['@=', 422, 'invalid_time', '@'],
  ['@=yesterday', 422, 'invalid_time', '@'],
  ['@=now', 422, 'invalid_time', '@'],
  ['@=1767225600000', 422, 'invalid_time', '@'],
  ['@=2026-01-01', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00', 422, 'invalid_time', '@'],
  ['@=2026-01-01%2000:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-02-30T00:00:00Z', 422, 'invalid_time', '@'],
  ['@=2025-02-29T00:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-01-01T24:00:00Z', 422, 'invalid_time', '@'],
  ['@=2026-01-01T23:59:60Z', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00%2B24:00', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00%2B0100', 422, 'invalid_time', '@'],
  ['@=2026-01-01T00:00:00Europe/Paris', 422, 'invalid_time', '@'],
  ['@=0000-01-01T00:00:00%2B00:01', 422, 'invalid_time', '@'],
  ['@=%2B010000-01-01T00:00:00Z', 422, 'invalid_time', '@'],
  ['@=9999-12-31T23:59:59.999Z', 422, 'time_in_future', '@'],
  ['@=9999-12-31T23:59:59.999999999999-23:59', 422, 'time_in_future', '@'],
  ['@=2026-01-01T00:00:00Z&@=2026-01-01T00:00:00Z', 422, 'invalid_type', '@'],
];

const WRONG_REVISIONS: readonly Wrong[] = [
  ['@=', 422, 'out_of_range', '@'],
  ['@=-1', 422, 'out_of_range', '@'],
  ['@=1.5', 422, 'out_of_range', '@'],
  ['@=1e2', 422, 'out_of_range', '@'],
  ['@=0x1', 422, 'out_of_range', '@'],
  ['@=%201', 422, 'out_of_range', '@'],
  ['@=NaN', 422, 'out_of_range', '@'],
  ['@=newest', 422, 'out_of_range', '@'],
  ['@=9007199254740993', 422, 'out_of_range', '@'],
  ['@=0&@=1', 422, 'out_of_range', '@'],
  ['@=2', 404, 'revision_not_found', '@'],
  ['@=999999999999999', 404, 'revision_not_found', '@'],
];

const BEFORE_OPENING: readonly Wrong[] = [
  ['@=2020-01-01T00:00:00Z', 404, 'account_not_open_yet', '@'],
  ['@=0000-01-01T00:00:00Z', 404, 'account_not_open_yet', '@'],
];

const named = (name: string, wrong: readonly Wrong[]): Wrong[] =>
  wrong.map(([query, status, code]) => [query.replaceAll('@', name), status, code, name]);

/** The account of the fixture is at revision 1. */
const AT_ONE_POINT: readonly Wrong[] = [
  ...named('at', [...WRONG_TIMES, ...BEFORE_OPENING]),
  ...named('revision', WRONG_REVISIONS),
  ['at=2020-01-01T00:00:00Z&revision=0', 422, 'conflicting_fields', 'revision'],
  ['time=2020-01-01T00:00:00Z', 422, 'unknown_field', 'time'],
];

const BETWEEN_TWO: readonly Wrong[] = [
  ...named('from', WRONG_TIMES),
  ...named('to', [...WRONG_TIMES, ...BEFORE_OPENING]),
  ...named('from_revision', WRONG_REVISIONS),
  ...named('to_revision', WRONG_REVISIONS),
  ['from=2020-01-01T00:00:00Z&from_revision=0', 422, 'conflicting_fields', 'from_revision'],
  ['to=2020-01-01T00:00:00Z&to_revision=0', 422, 'conflicting_fields', 'to_revision'],
  ['from_revision=1&to_revision=0', 422, 'invalid_range', 'from_revision'],
  ['from_revision=1&cursor=2', 422, 'invalid_cursor', 'cursor'],
  ['from_revision=0&cursor=0', 422, 'invalid_cursor', 'cursor'],
  ['to_revision=0&cursor=1', 422, 'invalid_cursor', 'cursor'],
];

const REPLAYED: readonly Wrong[] = [
  ...named('from', WRONG_REVISIONS),
  ...named('to', WRONG_REVISIONS),
  ['from=1&to=0', 422, 'invalid_range', 'from'],
  ['from=1&cursor=0', 422, 'invalid_cursor', 'cursor'],
  ['to=0&cursor=1', 422, 'invalid_cursor', 'cursor'],
  ['rules=yesterday', 422, 'invalid_value', 'rules'],
  ['rules=', 422, 'invalid_value', 'rules'],
  ['findings_only=yes', 422, 'invalid_value', 'findings_only'],
  ['at=2020-01-01T00:00:00Z', 422, 'unknown_field', 'at'],
];

export const BAD_POINTS: readonly Row[] = [
  ...rows('getAccountBalance', AT_ONE_POINT),
  ...rows('getAccountState', AT_ONE_POINT),
  ...rows('getAccountChanges', BETWEEN_TWO),
  ...rows('getAccountReplay', REPLAYED),
];

function rows(operation: OperationId, wrong: readonly Wrong[]): Row[] {
  return wrong.map(([query, status, code, field]) => ({
    name: `?${query}`,
    operation,
    request: ({ account }) => ({ params: { id: account }, query }),
    status,
    code,
    at: `query /${field}`,
  }));
}
