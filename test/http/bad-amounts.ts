/** Amounts that must be refused, as literal JSON, on every route that takes one. */
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import { AMOUNT_MAX, POSTINGS, type Row, withLiteral } from './bad-input-fixture.ts';

/** What no amount is, wherever it stands. */
const WRONG_EVERYWHERE: readonly (readonly [literal: string, ProblemCode])[] = [
  ['NaN', 'malformed_json'],
  ['Infinity', 'malformed_json'],
  ['.5', 'malformed_json'],
  ['5.', 'malformed_json'],
  ['01', 'malformed_json'],
  ['+1', 'malformed_json'],
  ['0x10', 'malformed_json'],
  ['1,000', 'malformed_json'],
  ['true', 'invalid_type'],
  ['null', 'invalid_type'],
  ['{}', 'invalid_type'],
  ['[]', 'invalid_type'],
  ['["1.00"]', 'invalid_type'],
  ['{"value":"1.00"}', 'invalid_type'],
  ['"NaN"', 'invalid_amount'],
  ['"Infinity"', 'invalid_amount'],
  ['"abc"', 'invalid_amount'],
  ['""', 'invalid_amount'],
  ['" "', 'invalid_amount'],
  ['" 1"', 'invalid_amount'],
  ['"1 "', 'invalid_amount'],
  ['"1\\n"', 'invalid_amount'],
  ['"1\\u0000"', 'invalid_amount'],
  ['"\\uff11"', 'invalid_amount'],
  ['"1e3"', 'invalid_amount'],
  ['"0x10"', 'invalid_amount'],
  ['"+1"', 'invalid_amount'],
  ['"--1"', 'invalid_amount'],
  ['"1,000"', 'invalid_amount'],
  ['"1,5"', 'invalid_amount'],
  ['"1_000"', 'invalid_amount'],
  ['"1.2.3"', 'invalid_amount'],
  ['".5"', 'invalid_amount'],
  ['"5."', 'invalid_amount'],
  ['"$5"', 'invalid_amount'],
  ['"5 USD"', 'invalid_amount'],
  // One digit more than is looked at, whether it says much or nothing.
  [`"${'9'.repeat(31)}"`, 'invalid_amount'],
  [`"${'0'.repeat(30)}1"`, 'invalid_amount'],
  [`"0.${'0'.repeat(30)}1"`, 'invalid_amount'],
  ['9'.repeat(31), 'invalid_amount'],
  // A long number is taken as text, where an exponent has no place.
  ['1.0000000000000000e3', 'invalid_amount'],
  ['1e-400', 'invalid_amount'],
  ['0.001', 'amount_too_precise'],
  ['"0.001"', 'amount_too_precise'],
  ['1.005', 'amount_too_precise'],
  ['1e-3', 'amount_too_precise'],
  ['1e-7', 'amount_too_precise'],
  ['5e-324', 'amount_too_precise'],
  // A double would round these to amounts that nobody sent.
  ['10.000000000000000001', 'amount_too_precise'],
  ['"10.000000000000000001"', 'amount_too_precise'],
  ['0.1000000000000000055511151231257827', 'invalid_amount'],
  ['9999999999999.991', 'amount_too_precise'],
  ['9007199254740993', 'amount_too_large'],
  ['"9007199254740993"', 'amount_too_large'],
  ['10000000000000', 'amount_too_large'],
  ['"10000000000000.00"', 'amount_too_large'],
  ['1e13', 'amount_too_large'],
  ['1e21', 'amount_too_large'],
  ['1e400', 'amount_too_large'],
  ['999999999999999999999999999999', 'amount_too_large'],
  [`"${'9'.repeat(30)}"`, 'amount_too_large'],
];

const BELOW_ZERO = ['-1', '-0.01', '"-1"', '"-0.01"', '"-0.00000000001"', '-1e-7', '-1e2'];
const ZERO = ['0', '-0', '0.00', '0e5', '"0"', '"-0"', '"0.00"', '"-0.00"', '"000"'];

const MOVING = [
  ...POSTINGS,
  'depositOnAccount',
  'withdrawOnAccount',
  'placeHold',
  'captureHold',
  'reverseTransaction',
  'transfer',
] as const;
const LIMITING = [
  ['createAccount', 'overdraft_limit'],
  ['createAccount', 'initial_balance'],
  ['changeOverdraftLimit', 'overdraft_limit'],
  ['changeLimits', 'transaction_limit'],
  ['changeLimits', 'daily_limit'],
  ['changeTerms', 'monthly_fee'],
] as const;

/** All routes read amounts with the same code: one of each kind takes the whole list, the others every fourth. */
const WHOLE_LIST: readonly string[] = ['deposit', 'withdrawOnAccount', 'changeOverdraftLimit'];
const wrongFor = (operation: string) =>
  WRONG_EVERYWHERE.filter((_, index) => WHOLE_LIST.includes(operation) || index % 4 === 0);

export const BAD_AMOUNTS: readonly Row[] = [
  ...MOVING.flatMap((operation) =>
    [
      ...wrongFor(operation),
      ...[...BELOW_ZERO, ...ZERO].map((literal) => [literal, 'amount_not_positive'] as const),
    ].map(([literal, code]) => row(operation, 'amount', literal, code)),
  ),
  ...LIMITING.flatMap(([operation, field]) =>
    [...wrongFor(operation), ...BELOW_ZERO.map((literal) => [literal, 'amount_negative'] as const)].map(
      ([literal, code]) => row(operation, field, literal, code),
    ),
  ),
  inCurrency('yen', '1.5', 'amount_too_precise'),
  inCurrency('yen', '"0.1"', 'amount_too_precise'),
  inCurrency('yen', '1000000000000000', 'amount_too_large'),
  inCurrency('dinar', '1.2345', 'amount_too_precise'),
  inCurrency('dinar', '"0.0001"', 'amount_too_precise'),
  inCurrency('dinar', '1000000000000', 'amount_too_large'),
];

/** What amounts may look like, and what they are then. */
export const GOOD_AMOUNTS: readonly (readonly [currency: string, literal: string, amount: string])[] = [
  // In JSON, 1e3 is another way to write the number 1000.
  ['USD', '1e3', '1000.00'],
  ['USD', '1E+3', '1000.00'],
  ['USD', '5e-2', '0.05'],
  ['USD', '0.1', '0.10'],
  ['USD', '1.10', '1.10'],
  ['USD', '1', '1.00'],
  ['USD', '"1"', '1.00'],
  ['USD', '"0001.5"', '1.50'],
  ['USD', '"5.000"', '5.00'],
  ['USD', '10.00000000000000000', '10.00'],
  ['USD', '0.01', '0.01'],
  ['USD', AMOUNT_MAX, AMOUNT_MAX],
  ['USD', `"${AMOUNT_MAX}"`, AMOUNT_MAX],
  ['JPY', '1', '1'],
  ['JPY', '"7.00"', '7'],
  ['JPY', '999999999999999', '999999999999999'],
  ['BHD', '1.234', '1.234'],
  ['BHD', '"0.001"', '0.001'],
  ['BHD', '1', '1.000'],
];

function row(operation: Row['operation'], field: string, literal: string, code: ProblemCode): Row {
  const malformed = code === 'malformed_json';
  return {
    name: `${field} ${literal.length > 40 ? `${literal.slice(0, 36)}…` : literal}`,
    operation,
    request: withLiteral(operation as 'deposit', field, literal),
    status: malformed ? 400 : 422,
    code,
    ...(malformed ? {} : { at: `body /${field}` }),
  };
}

function inCurrency(account: 'yen' | 'dinar', literal: string, code: ProblemCode): Row {
  return {
    name: `amount ${literal} in ${account}`,
    operation: 'deposit',
    request: (bank) => withLiteral('deposit', 'amount', literal)({ ...bank, account: bank[account] }),
    status: 422,
    code,
    at: 'body /amount',
  };
}
