/** Bodies that must be refused: no JSON, the wrong shape, fields missing, unknown, of the wrong type or form. */
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import { ADDRESS } from '../support/customers.ts';
import { COMMANDS, GOOD, POSTINGS, type Row, spoilt, withLiteral } from './bad-input-fixture.ts';

type Command = (typeof COMMANDS)[number];

const MIB = 1024 * 1024;
const NOT_TEXT = [5, true, null, {}, []];
const NOT_AN_ID = [
  '',
  'nope',
  '5',
  'g1990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01',
  '01990d2e7c1b7a529d5e0c8f7f4b1a01',
  "' OR 1=1",
];
const NOT_A_DATE = [
  '',
  'x',
  '2023-02-30',
  '2023-02-29',
  '1990-13-01',
  '1990-00-10',
  '1990-5-15',
  '15.05.1990',
  '1990-05-15T00:00:00Z',
  '0',
];
const NOT_A_TIME = [
  '',
  'x',
  '2026-01-15',
  '2026-01-15T09:30:00',
  '2026-02-30T09:30:00Z',
  '2026-01-15 09:30Z',
  '5',
];
const NOT_A_COUNTRY = ['', 'us', 'USA', 'U', 'U1', 'ÄÖ', ' US'];
const BLANK = ['', ' ', '\t\n', '\u00a0\u2003'];

export const BAD_BODIES: readonly Row[] = [
  ...COMMANDS.flatMap(unreadable),
  ...COMMANDS.flatMap(unknownFields),
  ...missing('registerPerson', ['first_name', 'last_name', 'date_of_birth', 'nationality', 'gender']),
  ...missing('createAccount', ['owner_id']),
  ...POSTINGS.flatMap((operation) => missing(operation, ['account_id', 'amount', 'description'])),
  ...missing('transfer', ['from_account_id', 'to_account_id', 'amount', 'description']),
  ...missing('depositOnAccount', ['amount', 'description']),
  ...missing('withdrawOnAccount', ['amount', 'description']),
  ...missing('changeOverdraftLimit', ['overdraft_limit']),
  ...missing('closeAccount', ['reason']),
  ...missing('freezeAccount', ['scope', 'reason']),
  ...missing('unfreezeAccount', ['reason']),
  ...missing('reverseTransaction', ['reason']),
  ...missing('postMonth', ['period']),
  ...missing('placeHold', ['amount', 'description']),
  ...missing('startPastProjection', ['projection']),

  longNumber('registerPerson', 'first_name'),
  longNumber('deposit', 'description'),
  longNumber('deposit', 'account_id'),
  longNumber('closeAccount', 'reason'),
  ...text('registerPerson', 'first_name', 100),
  ...text('registerPerson', 'last_name', 100),
  ...values('registerPerson', 'date_of_birth', NOT_TEXT, 'invalid_type'),
  ...values('registerPerson', 'date_of_birth', NOT_A_DATE, 'invalid_date'),
  ...values('registerPerson', 'date_of_birth', ['2999-01-01', dayAfter(1)], 'birth_date_in_future'),
  ...values('registerPerson', 'date_of_birth', ['1849-12-31', '0001-01-01'], 'birth_date_too_early'),
  ...values('registerPerson', 'nationality', NOT_TEXT, 'invalid_type'),
  ...values('registerPerson', 'nationality', NOT_A_COUNTRY, 'invalid_format'),
  ...values('registerPerson', 'gender', [...NOT_TEXT, '', 'female', 'X', 0], 'invalid_value'),
  ...values('registerPerson', 'address', [5, 'Main Street 12', true, null, []], 'invalid_type'),
  ...Object.keys(ADDRESS).flatMap(addressField),
  address('without a field that is needed', withoutCity(), 'missing_field', '/address/city'),
  address('with an unknown field', { ...ADDRESS, planet: 'Earth' }, 'unknown_field', '/address/planet'),
  address('with a country in words', { ...ADDRESS, country: 'Oregon' }, 'invalid_format', '/address/country'),
  address(
    'with a street too long',
    { ...ADDRESS, street_name: 'x'.repeat(201) },
    'too_long',
    '/address/street_name',
  ),
  address('with a blank city', { ...ADDRESS, city: '  ' }, 'too_short', '/address/city'),

  ...values('createAccount', 'owner_id', NOT_TEXT, 'invalid_type'),
  ...values('createAccount', 'owner_id', NOT_AN_ID, 'invalid_id'),
  ...values('createAccount', 'account_type', [...NOT_TEXT, '', 'checking', 'GOLD'], 'invalid_value'),
  ...values('createAccount', 'currency', NOT_TEXT, 'invalid_type'),
  ...values('createAccount', 'currency', ['', 'usd', 'XXX', 'US', 'DOLLAR', '__proto__'], 'unknown_currency'),
  ...POSTINGS.flatMap((operation) => [
    ...values(operation, 'account_id', NOT_TEXT, 'invalid_type'),
    ...values(operation, 'account_id', NOT_AN_ID, 'invalid_id'),
    ...text(operation, 'description', 500),
  ]),
  ...text('deposit', 'external_reference', 100),
  ...text('withdrawOnAccount', 'external_reference', 100),
  ...values('deposit', 'metadata', [5, true, null, [], 'order=1'], 'invalid_type'),
  ...values(
    'deposit',
    'metadata',
    [Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, 'v']))],
    'too_long',
  ),
  ...[
    ['order', 5, 'invalid_type'],
    ['order', null, 'invalid_type'],
    ['order', { a: 'b' }, 'invalid_type'],
    ['order', 'x'.repeat(201), 'too_long'],
    ['order', 'a\u0000b', 'invalid_text'],
    ['', 'x', 'invalid_format'],
    ['a b', 'x', 'invalid_format'],
    ['x'.repeat(41), 'x', 'invalid_format'],
  ].map(
    ([name, value, code]): Row => ({
      name: `metadata ${JSON.stringify({ [String(name)]: value }).slice(0, 40)}`,
      operation: 'deposit',
      request: spoilt('deposit', { metadata: { [String(name)]: value } }),
      ...refusal(code as ProblemCode, `/metadata/${name}`),
    }),
  ),
  ...text('depositOnAccount', 'description', 500),
  ...text('withdrawOnAccount', 'description', 500),
  ...text('closeAccount', 'reason', 500),
  ...text('freezeAccount', 'reason', 500),
  ...text('unfreezeAccount', 'reason', 500),
  ...values('freezeAccount', 'scope', [...NOT_TEXT, '', 'debits', 'NOTHING'], 'invalid_value'),
  ...text('reverseTransaction', 'reason', 500),
  ...values('reverseTransaction', 'amount', ['5.01', 9], 'reversal_exceeds_original'),
  ...text('transfer', 'description', 500),
  ...missing('payOutSuspense', ['to_account_id', 'amount', 'description']),
  ...text('payOutSuspense', 'description', 500),
  ...values('postMonth', 'period', NOT_TEXT, 'invalid_type'),
  ...values(
    'postMonth',
    'period',
    ['', '2026', '2026-1', '2026-13', '2026-00', '2026-01-01'],
    'invalid_format',
  ),
  ...(['credit_rate', 'overdraft_rate'] as const).flatMap((rate) => [
    ...values('changeTerms', rate, ['100.0001', 101, 5000], 'rate_too_high'),
    ...values('changeTerms', rate, ['0.00001', 1.00001], 'amount_too_precise'),
    ...values('changeTerms', rate, ['-1', -0.5], 'amount_negative'),
    ...values('changeTerms', rate, [true, null, {}, []], 'invalid_type'),
    ...values('changeTerms', rate, ['', '5%', '1e1'], 'invalid_amount'),
  ]),
  ...values('startArchiveRun', 'up_to', NOT_TEXT, 'invalid_type'),
  ...values('startArchiveRun', 'up_to', NOT_A_TIME, 'invalid_time'),
  ...values('startArchiveRun', 'up_to', ['9999-12-31T23:59:59Z', timeAfter(1)], 'time_in_future'),
  ...values('startArchiveRun', 'min_events', ['10', null, 1.5], 'invalid_type'),
  ...values('startArchiveRun', 'min_events', [1, 0, -1, 1_000_000_001], 'out_of_range'),
  ...values('startArchiveRun', 'accounts_max', [0, 100_001], 'out_of_range'),
  ...values('startArchiveRun', 'dry_run', ['true', 1, null], 'invalid_type'),
  ...values('startPastProjection', 'at', NOT_TEXT, 'invalid_type'),
  ...values('startPastProjection', 'at', [...NOT_A_TIME, '0000-01-01T00:00:00+00:01'], 'invalid_time'),
  ...values('startPastProjection', 'at', ['9999-12-31T23:59:59Z', timeAfter(1)], 'time_in_future'),
  ...values('startPastProjection', 'projection', NOT_TEXT, 'invalid_type'),
  ...values('startPastProjection', 'projection', ['x'.repeat(101)], 'too_long'),
  ...text('placeHold', 'description', 200),
  ...text('captureHold', 'description', 500),
  ...values('placeHold', 'expires_at', NOT_TEXT, 'invalid_type'),
  ...values('placeHold', 'expires_at', NOT_A_TIME, 'invalid_time'),
  ...values('placeHold', 'expires_at', ['2020-01-01T00:00:00Z', timeAfter(-2)], 'expiry_not_in_future'),
  ...values('placeHold', 'expires_at', ['9999-12-31T23:59:59Z', timeAfter(367)], 'expiry_too_late'),
  ...values('captureHold', 'amount', ['30.01', 1000], 'capture_exceeds_hold'),
  ...(
    [
      'depositOnAccount',
      'withdrawOnAccount',
      'changeOverdraftLimit',
      'closeAccount',
      'placeHold',
      'captureHold',
    ] as const
  ).map(
    (operation): Row => ({
      name: 'account_id in the body beside the one in the path',
      operation,
      request: (bank) => spoilt(operation, { account_id: bank.account })(bank),
      ...refusal('unknown_field', '/account_id'),
    }),
  ),
];

/** What is wrong with a body before anyone looks at its fields. */
function unreadable(operation: Command): Row[] {
  const raw = (name: string, body: string, code: ProblemCode, status: number): Row => ({
    name: `body ${name}`,
    operation,
    request: (bank) => ({ ...paramsOf(operation)(bank), raw: body }),
    status,
    code,
    ...(status === 422 ? { at: 'body ' } : {}),
  });
  const typed = (name: string, type: string): Row => ({
    name,
    operation,
    request: (bank) => ({ ...spoilt(operation, {})(bank), headers: { 'content-type': type } }),
    status: 415,
    code: 'unsupported_media_type',
  });
  return [
    { name: 'no body', operation, request: paramsOf(operation), status: 400, code: 'missing_body' },
    raw('empty', '', 'missing_body', 400),
    raw('null', 'null', 'missing_body', 400),
    raw('blank', '  ', 'malformed_json', 400),
    raw('cut off', '{"amount": 1', 'malformed_json', 400),
    raw('with a comma too many', '{"amount": 1,}', 'malformed_json', 400),
    raw('twice', '{}{}', 'malformed_json', 400),
    raw('in other words', 'amount=1', 'malformed_json', 400),
    raw('array', '[]', 'invalid_type', 422),
    raw('array of bodies', '[{}]', 'invalid_type', 422),
    raw('string', '"text"', 'invalid_type', 422),
    raw('number', '5', 'invalid_type', 422),
    raw('true', 'true', 'invalid_type', 422),
    typed('content type text/plain', 'text/plain'),
    typed('content type of a form', 'application/x-www-form-urlencoded'),
    typed('content type that only resembles JSON', 'application/jsonx'),
    typed('content type in pieces', ';;;'),
    {
      name: 'content type missing',
      operation,
      request: (bank) => {
        const { params = {}, body } = GOOD[operation](bank);
        return { params, raw: new TextEncoder().encode(JSON.stringify(body)) };
      },
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      name: 'body of a mebibyte',
      operation,
      request: spoilt(operation, { description: 'x'.repeat(MIB) }),
      status: 413,
      code: 'body_too_large',
    },
  ];
}

function unknownFields(operation: Command): Row[] {
  return [
    ...['extra', 'id', 'Amount', '', 'constructor', 'toString', 'hasOwnProperty', 'a/b~c'].map(
      (name): Row => ({
        name: `unknown field ${JSON.stringify(name)}`,
        operation,
        request: spoilt(operation, { [name]: 1 }),
        ...refusal('unknown_field', `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
      }),
    ),
    ...[
      ['__proto__', '{"amount":1}'],
      ['__proto__', 'null'],
      ['constructor', '{"prototype":{"admin":true}}'],
      ['nested', '{"__proto__":{"admin":true}}'],
    ].map(
      ([field = '', literal = '']): Row => ({
        name: `key that would reach a prototype: ${field} ${literal}`,
        operation,
        request: withLiteral(operation, field, literal),
        status: 400,
        code: 'malformed_json',
      }),
    ),
  ];
}

function missing(operation: Command, fields: readonly string[]): Row[] {
  return fields.map((field) => ({
    name: `without ${field}`,
    operation,
    request: spoilt(operation, { [field]: undefined }),
    ...refusal('missing_field', `/${field}`),
  }));
}

function values(operation: Command, field: string, wrong: readonly unknown[], code: ProblemCode): Row[] {
  return wrong.map((value) => ({
    name: `${field} ${JSON.stringify(value).slice(0, 40)}`,
    operation,
    request: spoilt(operation, { [field]: value }),
    ...refusal(code, `/${field}`),
  }));
}

function text(operation: Command, field: string, maximum: number): Row[] {
  return [
    ...values(operation, field, NOT_TEXT, 'invalid_type'),
    ...values(operation, field, BLANK, 'too_short'),
    ...values(operation, field, ['x'.repeat(maximum + 1), 'ä'.repeat(10_000)], 'too_long'),
  ];
}

/** The exact text of a long number is kept for amounts, and must not pass for text anywhere else. */
function longNumber(operation: Command, field: string): Row {
  return {
    name: `${field} of more digits than a double holds`,
    operation,
    request: withLiteral(operation, field, '12345678901234567890'),
    ...refusal('invalid_type', `/${field}`),
  };
}

function addressField(field: string): Row[] {
  return NOT_TEXT.map((value) =>
    address(
      `${field} ${JSON.stringify(value)}`,
      { ...ADDRESS, [field]: value },
      'invalid_type',
      `/address/${field}`,
    ),
  );
}

function address(name: string, value: object, code: ProblemCode, pointer: string): Row {
  return {
    name: `address ${name}`,
    operation: 'registerPerson',
    request: spoilt('registerPerson', { address: value }),
    ...refusal(code, pointer),
  };
}

function withoutCity(): object {
  const { city: _left_out, ...rest } = ADDRESS;
  return rest;
}

function refusal(code: ProblemCode, pointer: string) {
  return { status: 422, code, at: `body ${pointer}` };
}

function paramsOf(operation: Command) {
  return (bank: Parameters<Row['request']>[0]) => ({ params: GOOD[operation](bank).params ?? {} });
}

function dayAfter(days: number): string {
  return timeAfter(days).slice(0, 10);
}

function timeAfter(days: number): string {
  return new Date(Date.now() + (days + 0.01) * 86_400_000).toISOString();
}
