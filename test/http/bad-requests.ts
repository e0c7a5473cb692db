/** Requests that must be refused although their bodies are fine: ids, rules, If-Match, paging and tokens. */
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import type { CallOptions, OperationId } from '../support/bank-client.ts';
import { posting } from '../support/customers.ts';
import {
  ACCOUNT_COMMANDS,
  AMOUNT_MAX,
  COMMANDS,
  type Fixture,
  GOOD,
  POSTINGS,
  type Row,
  spoilt,
} from './bad-input-fixture.ts';

const READS_OF_ACCOUNT = [
  'getAccount',
  'getAccountBalance',
  'getAccountState',
  'getAccountChanges',
  'listAccountTransactions',
  'listAccountEvents',
  'listAccountHolds',
] as const;
const OF_ACCOUNT = [...READS_OF_ACCOUNT, 'getAccountReplay'] as const;
const READS_OF_PERSON = ['getPerson', 'getOwnerSummary'] as const;
const HOLD_OPERATIONS = ['getHold', 'captureHold', 'releaseHold'] as const;
const NOT_AN_ID = [
  'nope',
  '5',
  '%00',
  '../admin',
  "' OR 1=1 --",
  '{"$where":"1"}',
  '01990d2e7c1b7a529d5e0c8f7f4b1a01',
  'x'.repeat(5_000),
];

const reversing = (id: string) => ({ params: { id }, body: { reason: 'Mistake' } });

export const BAD_IDS: readonly Row[] = [
  ...[...OF_ACCOUNT, ...READS_OF_PERSON, 'getTransaction' as const].flatMap((operation) =>
    NOT_AN_ID.map((id) =>
      row(`id ${id}`, operation, () => ({ params: { id } }), 422, 'invalid_id', 'path /id'),
    ),
  ),
  ...NOT_AN_ID.map((owner_id) =>
    row(
      `owner_id ${owner_id}`,
      'getAccountsByOwner',
      () => ({ params: { owner_id } }),
      422,
      'invalid_id',
      'path /owner_id',
    ),
  ),
  ...ACCOUNT_COMMANDS.flatMap((operation) =>
    NOT_AN_ID.map((id) =>
      row(
        `id ${id}`,
        operation,
        (bank) => ({ ...GOOD[operation](bank), params: { id } }),
        422,
        'invalid_id',
        'path /id',
      ),
    ),
  ),
  ...OF_ACCOUNT.map((operation) =>
    row(
      'unknown account',
      operation,
      ({ unknown }) => ({ params: { id: unknown } }),
      404,
      'account_not_found',
    ),
  ),
  ...READS_OF_PERSON.map((operation) =>
    row('unknown person', operation, ({ unknown }) => ({ params: { id: unknown } }), 404, 'person_not_found'),
  ),
  row(
    'unknown owner',
    'getAccountsByOwner',
    ({ unknown }) => ({ params: { owner_id: unknown } }),
    404,
    'person_not_found',
  ),
  row(
    'an account for an owner',
    'getAccountsByOwner',
    ({ account }) => ({ params: { owner_id: account } }),
    404,
    'person_not_found',
  ),
  row(
    'a person for an account',
    'getAccount',
    ({ person }) => ({ params: { id: person } }),
    404,
    'account_not_found',
  ),
  row(
    'unknown transaction',
    'getTransaction',
    ({ unknown }) => ({ params: { id: unknown } }),
    404,
    'transaction_not_found',
  ),
  row(
    'unknown owner',
    'createAccount',
    ({ unknown }) => ({ body: { owner_id: unknown } }),
    404,
    'person_not_found',
    'body /owner_id',
  ),
  ...POSTINGS.map((operation) =>
    row(
      'unknown account',
      operation,
      ({ unknown }) => ({ body: posting(unknown, 1) }),
      404,
      'account_not_found',
      'body /account_id',
    ),
  ),
  ...ACCOUNT_COMMANDS.flatMap((operation) => [
    row(
      'unknown account',
      operation,
      ({ unknown, ...bank }) => ({ ...GOOD[operation]({ ...bank, unknown }), params: { id: unknown } }),
      404,
      'account_not_found',
    ),
    row(
      'unknown account with If-Match',
      operation,
      (bank) => ({ ...GOOD[operation](bank), params: { id: bank.unknown }, headers: { 'if-match': '"0"' } }),
      404,
      'account_not_found',
    ),
  ]),
  ...(['from_account_id', 'to_account_id'] as const).flatMap((field) => [
    ...NOT_AN_ID.map((id) =>
      row(
        `${field} ${id}`,
        'transfer',
        spoilt('transfer', { [field]: id }),
        422,
        'invalid_id',
        `body /${field}`,
      ),
    ),
    row(
      `unknown ${field}`,
      'transfer',
      (bank) => spoilt('transfer', { [field]: bank.unknown })(bank),
      404,
      'account_not_found',
      `body /${field}`,
    ),
  ]),
  ...NOT_AN_ID.map((id) =>
    row(`id ${id}`, 'getTransfer', () => ({ params: { id } }), 422, 'invalid_id', 'path /id'),
  ),
  row('unknown id', 'getTransfer', ({ unknown }) => ({ params: { id: unknown } }), 404, 'transfer_not_found'),
  ...HOLD_OPERATIONS.flatMap((operation) => [
    ...NOT_AN_ID.map((hold_id) =>
      row(
        `hold_id ${hold_id}`,
        operation,
        ofHold(operation, { hold_id }),
        422,
        'invalid_id',
        'path /hold_id',
      ),
    ),
    row('a hold of nobody', operation, ofHold(operation, 'unknown'), 404, 'hold_not_found'),
    row("another account's hold", operation, ofHold(operation, 'account'), 404, 'hold_not_found'),
    row('a hold of an unknown account', operation, ofHold(operation, 'nobody'), 404, 'account_not_found'),
  ]),
  ...NOT_AN_ID.map((id) =>
    row(`id ${id}`, 'reverseTransaction', () => reversing(id), 422, 'invalid_id', 'path /id'),
  ),
  row(
    'unknown transaction',
    'reverseTransaction',
    ({ unknown }) => reversing(unknown),
    404,
    'transaction_not_found',
  ),
  row(
    'unknown stream',
    'readStream',
    () => ({ params: { name: 'bank-account-0' } }),
    404,
    'stream_not_found',
  ),
  row(
    'stream of a name too long',
    'readStream',
    () => ({ params: { name: 'x'.repeat(251) } }),
    422,
    'too_long',
    'path /name',
  ),
  row(
    'health of an unknown stream',
    'getStreamHealth',
    () => ({ params: { name: 'bank-account-0' } }),
    404,
    'stream_not_found',
  ),
  row(
    'health of a stream of a name too long',
    'getStreamHealth',
    () => ({ params: { name: 'x'.repeat(251) } }),
    422,
    'too_long',
    'path /name',
  ),
  ...(['getPastProjection', 'listPastDocuments', 'getPastDocument', 'removePastProjection'] as const).flatMap(
    (operation) => [
      ...NOT_AN_ID.map((id) =>
        row(`id ${id}`, operation, () => ({ params: { id, key: 'x' } }), 422, 'invalid_id', 'path /id'),
      ),
      row(
        'unknown past projection',
        operation,
        ({ unknown }) => ({ params: { id: unknown, key: 'x' } }),
        404,
        'past_projection_not_found',
      ),
    ],
  ),
  row(
    'key too long',
    'getPastDocument',
    ({ unknown }) => ({ params: { id: unknown, key: 'x'.repeat(1_001) } }),
    422,
    'too_long',
    'path /key',
  ),
  ...['nope', '', 'accounts', 'constructor', '../events.db'].map((projection) =>
    row(
      `past of projection ${projection}`,
      'startPastProjection',
      spoilt('startPastProjection', { projection }),
      404,
      'projection_not_found',
      'body /projection',
    ),
  ),
  row('unknown problem', 'explainProblem', () => ({ params: { code: 'nope' } }), 404, 'problem_not_found'),
  row(
    'problem named like a property of every object',
    'explainProblem',
    () => ({ params: { code: 'constructor' } }),
    404,
    'problem_not_found',
  ),
  row(
    'problem with a long name',
    'explainProblem',
    () => ({ params: { code: 'x'.repeat(101) } }),
    422,
    'too_long',
    'path /code',
  ),
];

const WRONG_IF_MATCH = [
  '1',
  'garbage',
  '""',
  '"x"',
  '"-1"',
  '"1.0"',
  'W/"1"',
  '"0", "1"',
  '"1";',
  "'1'",
  '"9999999999999999"',
];

/** A transfer from or to an account with which it must be refused. */
function badTransfer(
  name: string,
  accounts: (bank: Fixture) => Record<string, unknown>,
  [status, code, field]: [status: number, code: ProblemCode, field: string],
): Row {
  const request = (bank: Fixture) => spoilt('transfer', accounts(bank))(bank);
  return row(name, 'transfer', request, status, code, `body /${field}`);
}

export const BROKEN_RULES: readonly Row[] = [
  badTransfer('from a closed account', ({ closed }) => ({ from_account_id: closed }), [
    409,
    'account_closed',
    'from_account_id',
  ]),
  badTransfer('to a closed account', ({ closed }) => ({ to_account_id: closed }), [
    409,
    'account_closed',
    'to_account_id',
  ]),
  badTransfer('from a frozen account', ({ frozen }) => ({ from_account_id: frozen }), [
    409,
    'account_frozen',
    'from_account_id',
  ]),
  badTransfer('to a frozen account', ({ frozen }) => ({ to_account_id: frozen }), [
    409,
    'account_frozen',
    'to_account_id',
  ]),
  badTransfer('to the same account', ({ account }) => ({ to_account_id: account }), [
    422,
    'same_account',
    'to_account_id',
  ]),
  badTransfer('to another currency', ({ yen }) => ({ to_account_id: yen }), [
    422,
    'currency_mismatch',
    'to_account_id',
  ]),
  badTransfer('of a cent too much', () => ({ amount: '150.01' }), [422, 'insufficient_funds', 'amount']),
  ...(['captureHold', 'releaseHold'] as const).map((operation) =>
    row('a hold that was released', operation, ofHold(operation, 'released'), 409, 'hold_not_open'),
  ),
  ...(['deposit', 'withdrawal'] as const).map((operation) =>
    row('frozen account', operation, ({ frozen }) => ({ body: posting(frozen, 1) }), 409, 'account_frozen'),
  ),
  ...(['depositOnAccount', 'withdrawOnAccount', 'placeHold', 'closeAccount'] as const).map((operation) =>
    row(
      'frozen account',
      operation,
      (bank) => ({ ...GOOD[operation](bank), params: { id: bank.frozen } }),
      409,
      'account_frozen',
    ),
  ),
  ...(['10.01', '6.01'] as const).flatMap((amount) =>
    (['withdrawal', 'withdrawOnAccount', 'placeHold'] as const).map((operation) =>
      row(
        `${amount} from a limited account`,
        operation,
        ({ limited }) => {
          if (operation === 'withdrawal') return { body: posting(limited, amount) };
          return { params: { id: limited }, body: { amount, description: 'Rent' } };
        },
        422,
        amount === '10.01' ? 'transaction_limit_exceeded' : 'daily_limit_exceeded',
        'body /amount',
      ),
    ),
  ),
  row(
    'a month that is not over',
    'postMonth',
    () => ({ body: { period: '9999-12' } }),
    409,
    'period_not_over',
    'body /period',
  ),
  row('a reversal', 'reverseTransaction', ({ reversal }) => reversing(reversal), 409, 'not_reversible'),
  row(
    'a deposit that was spent',
    'reverseTransaction',
    ({ spent }) => reversing(spent),
    422,
    'insufficient_funds',
  ),
  row(
    'a cent more than is available beside a hold',
    'withdrawal',
    ({ holding }) => ({ body: posting(holding, '70.01') }),
    422,
    'insufficient_funds',
    'body /amount',
  ),
  row(
    'a cent more than is available',
    'placeHold',
    ({ holding }) => ({ params: { id: holding }, body: { amount: '70.01', description: 'Car' } }),
    422,
    'insufficient_funds',
    'body /amount',
  ),
  ...POSTINGS.map((operation) =>
    row('closed account', operation, ({ closed }) => ({ body: posting(closed, 1) }), 409, 'account_closed'),
  ),
  ...ACCOUNT_COMMANDS.map((operation) =>
    row(
      'closed account',
      operation,
      (bank) => ({ ...GOOD[operation](bank), params: { id: bank.closed } }),
      409,
      'account_closed',
    ),
  ),
  row(
    'a cent more than balance and overdraft',
    'withdrawal',
    ({ account }) => ({ body: posting(account, '150.01') }),
    422,
    'insufficient_funds',
    'body /amount',
  ),
  row(
    'a cent more than balance and overdraft',
    'withdrawOnAccount',
    ({ account }) => ({ params: { id: account }, body: { amount: 150.01, description: 'Rent' } }),
    422,
    'insufficient_funds',
    'body /amount',
  ),
  row(
    'from an empty account',
    'withdrawal',
    ({ empty }) => ({ body: posting(empty, '0.01') }),
    422,
    'insufficient_funds',
    'body /amount',
  ),
  ...(['deposit', 'interest'] as const).map((operation) =>
    row(
      'beyond the largest balance',
      operation,
      ({ full }) => ({ body: posting(full, AMOUNT_MAX) }),
      422,
      'balance_limit_exceeded',
      'body /amount',
    ),
  ),
  row(
    'beyond the largest balance',
    'depositOnAccount',
    ({ full }) => ({ params: { id: full }, body: { amount: AMOUNT_MAX, description: 'Salary' } }),
    422,
    'balance_limit_exceeded',
    'body /amount',
  ),
  row(
    'less overdraft than is used',
    'changeOverdraftLimit',
    ({ overdrawn }) => ({ params: { id: overdrawn }, body: { overdraft_limit: '39.99' } }),
    409,
    'overdraft_in_use',
    'body /overdraft_limit',
  ),
  row(
    'money on the account',
    'closeAccount',
    ({ account }) => ({ params: { id: account }, body: { reason: 'x' } }),
    409,
    'balance_not_zero',
  ),
  row(
    'debt on the account',
    'closeAccount',
    ({ overdrawn }) => ({ params: { id: overdrawn }, body: { reason: 'x' } }),
    409,
    'balance_not_zero',
  ),
  ...ACCOUNT_COMMANDS.flatMap((operation) => [
    ...WRONG_IF_MATCH.map((tag) => ifMatch(operation, tag, 400, 'invalid_if_match')),
    ifMatch(operation, '"7"', 412, 'revision_mismatch'),
    ifMatch(operation, '"123456789012345"', 412, 'revision_mismatch'),
  ]),
];

const PAGED: readonly (readonly [OperationId, (bank: Fixture) => CallOptions])[] = [
  ['listPersons', () => ({})],
  ['listAccounts', () => ({})],
  ['getAccountsByOwner', ({ person }) => ({ params: { owner_id: person } })],
  ['listAccountTransactions', ({ account }) => ({ params: { id: account } })],
  ['listAccountEvents', ({ account }) => ({ params: { id: account } })],
  ['getAccountChanges', ({ account }) => ({ params: { id: account } })],
  ['getAccountReplay', ({ account }) => ({ params: { id: account } })],
  ['listAccountHolds', ({ holding }) => ({ params: { id: holding } })],
  ['listTransfers', () => ({})],
  ['expireHolds', () => ({})],
  ['postMonth', () => ({ body: { period: '2025-01' } })],
  ['listStreams', () => ({})],
  ['listStreamHealth', () => ({})],
  ['listOrphanTransfers', () => ({})],
  ['readStream', ({ person }) => ({ params: { name: `person-${person.replaceAll('-', '')}` } })],
];

const WRONG_QUERIES: readonly (readonly [query: string, ProblemCode, at: string])[] = [
  ['limit=0', 'out_of_range', '/limit'],
  ['limit=-1', 'out_of_range', '/limit'],
  ['limit=201', 'out_of_range', '/limit'],
  ['limit=1e9', 'out_of_range', '/limit'],
  ['limit=', 'out_of_range', '/limit'],
  ['limit=abc', 'invalid_type', '/limit'],
  ['limit=1.5', 'invalid_type', '/limit'],
  ['limit=NaN', 'invalid_type', '/limit'],
  ['limit=Infinity', 'invalid_type', '/limit'],
  ['limit=1&limit=2', 'invalid_type', '/limit'],
  ['limit[$gt]=1', 'unknown_field', '/limit[$gt]'],
  ['cursor=1&cursor=2', 'invalid_type', '/cursor'],
  [`cursor=${'a'.repeat(201)}`, 'too_long', '/cursor'],
  ['offset=10', 'unknown_field', '/offset'],
  ['__proto__=1', 'unknown_field', '/__proto__'],
];

const WRONG_SEARCHES: typeof WRONG_QUERIES = [
  ['from=yesterday', 'invalid_time', '/from'],
  ['from=2026-01-01', 'invalid_time', '/from'],
  ['to=2026-02-30T00:00:00Z', 'invalid_time', '/to'],
  ['to=2026-01-01T00:00:00', 'invalid_time', '/to'],
  ['from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00%2B01:00', 'invalid_range', '/to'],
  ['type=GIFT', 'invalid_value', '/type'],
  ['direction=credit', 'invalid_value', '/direction'],
  ['min_amount=', 'invalid_amount', '/min_amount'],
  ['min_amount=ten', 'invalid_amount', '/min_amount'],
  ['min_amount=1e2', 'invalid_amount', '/min_amount'],
  ['min_amount=-1', 'amount_negative', '/min_amount'],
  ['max_amount=0.001', 'amount_too_precise', '/max_amount'],
  ['max_amount=10000000000000', 'amount_too_large', '/max_amount'],
  ['min_amount=2&max_amount=1.99', 'invalid_range', '/max_amount'],
  ['min_amount=1&min_amount=2', 'invalid_type', '/min_amount'],
  ['counterpart_account_id=5', 'invalid_id', '/counterpart_account_id'],
  ['description=', 'too_short', '/description'],
  [`description=${'x'.repeat(201)}`, 'too_long', '/description'],
  ['description[$regex]=.*', 'unknown_field', '/description[$regex]'],
  ['external_reference=%20', 'too_short', '/external_reference'],
  ['min_amount=1&cursor=garbage', 'invalid_cursor', '/cursor'],
];

const WRONG_CURSORS = ['', '%00', 'garbage', '-1', '1.5', '1e2', 'eCAx', '99999999999999999999', 'null'];

const NOT_A_MONTH = [
  '2026',
  '2026-13',
  '2026-00',
  '2026-1',
  '26-01',
  '2026-01-01',
  '2026-01Z',
  ' 2026-01',
  'now',
];

/** The month that `months` from now is in. */
function monthFromNow(months: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months)).toISOString().slice(0, 7);
}

export const BAD_STATEMENTS: readonly Row[] = [
  ...NOT_A_MONTH.map((month) => ofStatement(month, {}, 422, 'invalid_month', 'path /month')),
  ofStatement(monthFromNow(1), {}, 422, 'month_in_future'),
  ofStatement('9999-12', {}, 422, 'month_in_future'),
  ofStatement(monthFromNow(-1), {}, 422, 'month_before_account'),
  ofStatement('0000-01', {}, 422, 'month_before_account'),
  ofStatement(monthFromNow(0), { query: 'format=pdf' }, 422, 'invalid_value', 'query /format'),
  ofStatement(monthFromNow(0), { query: 'format=csv&format=json' }, 422, 'invalid_value', 'query /format'),
  ofStatement(monthFromNow(0), { query: 'page=2' }, 422, 'unknown_field', 'query /page'),
  ofStatement(monthFromNow(0), { headers: { accept: 'application/pdf' } }, 406, 'not_acceptable'),
  ofStatement(monthFromNow(0), { headers: { accept: 'text/html;q=0, */*;q=0' } }, 406, 'not_acceptable'),
  row(
    'statement of an unknown account',
    'getStatement',
    ({ unknown }) => ({ params: { id: unknown, month: monthFromNow(0) } }),
    404,
    'account_not_found',
  ),
  ...NOT_AN_ID.map((id) =>
    row(
      `statement of ${id}`,
      'getStatement',
      () => ({ params: { id, month: '2026-01' } }),
      422,
      'invalid_id',
      'path /id',
    ),
  ),
];

function ofStatement(month: string, more: CallOptions, status: number, code: ProblemCode, at?: string): Row {
  const name = `statement of ${month} ${JSON.stringify(more)}`;
  return row(
    name,
    'getStatement',
    ({ account }) => ({ params: { id: account, month }, ...more }),
    status,
    code,
    at,
  );
}

function ofPast(options: CallOptions): Row['request'] {
  return ({ unknown }) => ({ ...options, params: { id: unknown } });
}

export const BAD_QUERIES: readonly Row[] = [
  ...PAGED.flatMap(([operation, good]) =>
    WRONG_QUERIES.map(([query, code, at]) =>
      row(`?${query}`, operation, (bank) => ({ ...good(bank), query }), 422, code, `query ${at}`),
    ),
  ),
  // A cursor that has the key of any document in it is longer than others.
  ...WRONG_QUERIES.filter(([, code]) => code !== 'too_long').map(([query, code, at]) =>
    row(`?${query}`, 'listPastDocuments', ofPast({ query }), 422, code, `query ${at}`),
  ),
  row(
    'a cursor too long',
    'listPastDocuments',
    ofPast({ query: { cursor: 'a'.repeat(6_001) } }),
    422,
    'too_long',
    'query /cursor',
  ),
  ...WRONG_SEARCHES.map(([query, code, at]) =>
    row(
      `?${query}`,
      'listAccountTransactions',
      ({ account }) => ({ params: { id: account }, query }),
      422,
      code,
      `query ${at}`,
    ),
  ),
  row(
    '?direction=DEBIT of an unknown account',
    'listAccountTransactions',
    ({ unknown }) => ({ params: { id: unknown }, query: 'direction=DEBIT' }),
    404,
    'account_not_found',
  ),
  // The cursor of the list of streams is a name, and any name has a place in the alphabet.
  ...PAGED.filter(([operation]) => operation !== 'listStreams').flatMap(([operation, good]) =>
    WRONG_CURSORS.map((cursor) =>
      row(
        `?cursor=${cursor}`,
        operation,
        (bank) => ({ ...good(bank), query: `cursor=${cursor}` }),
        422,
        'invalid_cursor',
        'query /cursor',
      ),
    ),
  ),
  ...PAGED.filter(([operation]) => operation === 'listAccountEvents' || operation === 'readStream').map(
    ([operation, good]) =>
      row(
        '?direction=sideways',
        operation,
        (bank) => ({ ...good(bank), query: 'direction=sideways' }),
        422,
        'invalid_value',
        'query /direction',
      ),
  ),
  ...(
    [
      ['list=shortest', 'invalid_value', '/list'],
      ['category=loan', 'invalid_value', '/category'],
      ['days=0', 'out_of_range', '/days'],
      ['days=1.5', 'invalid_type', '/days'],
      ['days=36501', 'out_of_range', '/days'],
      ['minutes=5', 'unknown_field', '/minutes'],
    ] as const
  ).map(([query, code, at]) =>
    row(`?${query}`, 'listStreamHealth', () => ({ query }), 422, code, `query ${at}`),
  ),
  ...(
    [
      ['minutes=-1', 'out_of_range', '/minutes'],
      ['minutes=525601', 'out_of_range', '/minutes'],
      ['minutes=soon', 'invalid_type', '/minutes'],
      ['cursor=REQUESTED.x', 'invalid_cursor', '/cursor'],
      ['cursor=COMPLETED.', 'invalid_cursor', '/cursor'],
    ] as const
  ).map(([query, code, at]) =>
    row(`?${query}`, 'listOrphanTransfers', () => ({ query }), 422, code, `query ${at}`),
  ),
  row(
    '?prefix too long',
    'listStreams',
    () => ({ query: { prefix: 'x'.repeat(201) } }),
    422,
    'too_long',
    'query /prefix',
  ),
];

const WRONG_TOKENS: readonly (readonly [token: string, ProblemCode])[] = [
  ['garbage', 'invalid_consistency_token'],
  [':1', 'invalid_consistency_token'],
  ['0123456789abcdef:', 'invalid_consistency_token'],
  ['0123456789abcdef:-1', 'invalid_consistency_token'],
  ['0123456789abcdef:1.5', 'invalid_consistency_token'],
  ['0123456789abcdef:9999999999999999999', 'invalid_consistency_token'],
  ["x' OR 1=1:1", 'invalid_consistency_token'],
  ['0123456789abcdef:1', 'foreign_consistency_token'],
];

/** They take no token. */
const OF_OPERATORS: readonly OperationId[] = [
  'listStreams',
  'readStream',
  'listStreamHealth',
  'listOrphanTransfers',
  'expireHolds',
  'postMonth',
  'listTransfers',
  'getAccountReplay',
];

const READS: typeof PAGED = [
  ...PAGED.filter(([operation]) => !OF_OPERATORS.includes(operation)),
  ['getPerson', ({ person }) => ({ params: { id: person } })],
  ['getOwnerSummary', ({ person }) => ({ params: { id: person } })],
  ['getAccount', ({ account }) => ({ params: { id: account } })],
  ['getAccountBalance', ({ account }) => ({ params: { id: account } })],
  ['getAccountState', ({ account }) => ({ params: { id: account } })],
  ['getTransaction', ({ unknown }) => ({ params: { id: unknown } })],
  ['getTransfer', ({ unknown }) => ({ params: { id: unknown } })],
];

export const BAD_TOKENS: readonly Row[] = [
  ...READS.flatMap(([operation, good]) =>
    WRONG_TOKENS.map(([token, code]) =>
      row(`token ${token}`, operation, (bank) => ({ ...good(bank), token }), 400, code),
    ),
  ),
];

const WRONG_KEYS = [
  ['an empty key', ''],
  ['a key of 300 characters', 'k'.repeat(300)],
] as const;

/** Commands without a body of their own among the good ones. */
const OTHER_POSTS: readonly (readonly [OperationId, Row['request']])[] = [
  ['releaseHold', ({ holding, hold }) => ({ params: { id: holding, hold_id: hold } })],
  ['expireHolds', () => ({})],
  [
    'receiveCloudEvents',
    ({ account }) => ({
      body: {
        specversion: '1.0',
        id: 'order-1',
        source: '/shop',
        type: 'bank.deposit.requested.v1',
        data: { account_id: account, amount: '1.00', description: 'Order' },
      },
      headers: { 'content-type': 'application/cloudevents+json' },
    }),
  ],
];

export const BAD_KEYS: readonly Row[] = [
  ...COMMANDS.map((operation) => [operation, spoilt(operation, {})] as const),
  ...OTHER_POSTS,
].flatMap(([operation, good]) =>
  WRONG_KEYS.map(([name, key]) =>
    row(
      name,
      operation,
      (bank) => {
        const { headers, ...rest } = good(bank);
        return { ...rest, headers: { ...headers, 'idempotency-key': key } };
      },
      400,
      'invalid_idempotency_key',
    ),
  ),
);

/** Requests that reach no operation. */
export const NO_ROUTE: readonly (readonly [method: string, path: string, status: number, ProblemCode])[] = [
  ['GET', '/', 404, 'route_not_found'],
  ['GET', '/nope', 404, 'route_not_found'],
  ['GET', '/api/v1', 404, 'route_not_found'],
  ['GET', '/api/v2/accounts', 404, 'route_not_found'],
  ['GET', '/API/V1/accounts', 404, 'route_not_found'],
  ['GET', '/api/v1/accounts/a/b/c', 404, 'route_not_found'],
  ['GET', '/api/v1/../../etc/passwd', 404, 'route_not_found'],
  ['GET', '/api/docs/static/..%2f..%2fpackage.json', 404, 'route_not_found'],
  ['DELETE', '/api/v1/accounts', 404, 'route_not_found'],
  ['PATCH', '/api/v1/accounts/01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01', 404, 'route_not_found'],
  ['PUT', '/api/v1/persons', 404, 'route_not_found'],
  ['GET', '/api/v1/transactions/deposit/x', 404, 'route_not_found'],
  ['POST', '/health/live', 404, 'route_not_found'],
  ['OPTIONS', '/api/v1/accounts', 404, 'route_not_found'],
  ['GET', '/%', 400, 'malformed_request'],
  ['GET', '/api/v1/accounts/%zz', 400, 'malformed_request'],
  ['GET', '/api/v1/accounts/%', 400, 'malformed_request'],
  ['POST', '/api/v1/accounts/%E0%A4%A/deposit', 400, 'malformed_request'],
  ['GET', '/admin/streams/%ff', 400, 'malformed_request'],
  ['GET', `/api/v1/accounts/${'a'.repeat(20_000)}`, 431, 'headers_too_large'],
];

/** A request about a hold that is not the right one, or not by the right name. */
function ofHold(
  operation: (typeof HOLD_OPERATIONS)[number],
  wrong: 'unknown' | 'account' | 'nobody' | 'released' | { hold_id: string },
): Row['request'] {
  return (bank) => {
    const body = operation === 'captureHold' ? GOOD[operation](bank).body : undefined;
    const right = { id: bank.holding, hold_id: bank.hold };
    const params = {
      unknown: { ...right, hold_id: bank.unknown },
      account: { ...right, id: bank.account },
      nobody: { ...right, id: bank.unknown },
      released: { ...right, hold_id: bank.released },
    };
    return {
      params: typeof wrong === 'string' ? params[wrong] : { ...right, ...wrong },
      ...(body ? { body } : {}),
    };
  };
}

function ifMatch(
  operation: (typeof ACCOUNT_COMMANDS)[number],
  tag: string,
  status: number,
  code: ProblemCode,
): Row {
  const request = (bank: Fixture) => ({ ...spoilt(operation, {})(bank), headers: { 'if-match': tag } });
  return row(`If-Match ${tag}`, operation, request, status, code);
}

function row(
  name: string,
  operation: OperationId,
  request: Row['request'],
  status: number,
  code: ProblemCode,
  at?: string,
): Row {
  const short = name.length > 60 ? `${name.slice(0, 56)}…` : name;
  return { name: short, operation, request, status, code, ...(at === undefined ? {} : { at }) };
}
