/** Money and its text: what is written, read back and refused, first by table and then by property. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CURRENCY_CODES, decimalsOf } from '../../src/domain/currency.ts';
import {
  AMOUNT_MAX_MINOR,
  BALANCE_MAX_MINOR,
  isDecimal,
  parseNonNegativeAmount,
  parsePositiveAmount,
  toDecimal,
  toMinor,
} from '../../src/domain/money.ts';
import { expectRejection } from '../support/given-when-then.ts';
import { settings } from './property-settings.ts';

const PARSERS = [
  { parser: 'positive', parse: parsePositiveAmount },
  { parser: 'non-negative', parse: parseNonNegativeAmount },
] as const;

/** What is no plain decimal number, whichever the currency. */
const MALFORMED: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['blank', ' '],
  ['no whole part', '.5'],
  ['no fraction after the point', '5.'],
  ['a point alone', '.'],
  ['a minus alone', '-'],
  ['a minus and no whole part', '-.5'],
  ['two points', '1.2.3'],
  ['two minuses', '--1'],
  ['a minus at the end', '1-'],
  ['a minus in the fraction', '1.-5'],
  ['a plus', '+1'],
  ['an exponent', '1e3'],
  ['a capital exponent', '1E3'],
  ['a negative exponent', '1e-3'],
  ['a blank before', ' 1'],
  ['a blank after', '1 '],
  ['a line break after', '1\n'],
  ['a decimal comma', '1,0'],
  ['a thousands comma', '1,000.00'],
  ['an underscore', '1_000'],
  ['a currency sign', '$1'],
  ['a code', '1 USD'],
  ['hexadecimal', '0x10'],
  ['a bigint literal', '1n'],
  ['NaN', 'NaN'],
  ['Infinity', 'Infinity'],
  ['null', 'null'],
  ['Arabic-Indic digits', '\u0661\u0662'],
  ['full-width digits', '\uff11\uff12'],
  ['a mathematical minus', '\u22121'],
  ['a NUL', '1\u0000'],
  ['31 digits', '1'.repeat(31)],
  ['31 decimals', `1.${'0'.repeat(31)}`],
  ['a hundred thousand digits', '9'.repeat(100_000)],
];

describe('the largest figures', () => {
  it('allow an amount of 15 digits and a balance of 17', () => {
    expect([AMOUNT_MAX_MINOR, BALANCE_MAX_MINOR]).toStrictEqual([10n ** 15n - 1n, 10n ** 17n - 1n]);
  });

  it('an amount is a number that JSON carries exactly', () => {
    expect(BigInt(Number(AMOUNT_MAX_MINOR))).toBe(AMOUNT_MAX_MINOR);
    expect(Number(toDecimal(AMOUNT_MAX_MINOR, 'USD')).toString()).toBe('9999999999999.99');
  });
});

describe('toDecimal and toMinor, there and back', () => {
  const rows: readonly (readonly [string, bigint, string])[] = [
    ['USD', 0n, '0.00'],
    ['USD', 1n, '0.01'],
    ['USD', 10n, '0.10'],
    ['USD', 99n, '0.99'],
    ['USD', 100n, '1.00'],
    ['USD', 101n, '1.01'],
    ['USD', 100_000n, '1000.00'],
    ['USD', -1n, '-0.01'],
    ['USD', -100n, '-1.00'],
    ['USD', -12_345n, '-123.45'],
    ['USD', AMOUNT_MAX_MINOR, '9999999999999.99'],
    ['USD', BALANCE_MAX_MINOR, '999999999999999.99'],
    ['USD', -BALANCE_MAX_MINOR, '-999999999999999.99'],
    ['JPY', 0n, '0'],
    ['JPY', 1n, '1'],
    ['JPY', 1500n, '1500'],
    ['JPY', -1500n, '-1500'],
    ['JPY', BALANCE_MAX_MINOR, '99999999999999999'],
    ['BHD', 0n, '0.000'],
    ['BHD', 1n, '0.001'],
    ['BHD', 1234n, '1.234'],
    ['BHD', -20n, '-0.020'],
    ['CLF', 0n, '0.0000'],
    ['CLF', 1n, '0.0001'],
    ['CLF', 123_456n, '12.3456'],
    ['CLF', -10_000n, '-1.0000'],
  ];

  it.each(rows)('%s: %d minor units are written %j', (currency, minor, text) => {
    expect(toDecimal(minor, currency)).toBe(text);
  });

  it.each(rows)('%s: %d minor units are read from %j', (currency, minor, text) => {
    expect(toMinor(text, currency)).toBe(minor);
  });

  it('toDecimal throws for an unknown currency', () => {
    expect(() => toDecimal(1n, 'XXX')).toThrow(RangeError);
  });
});

describe('toMinor', () => {
  it.each([
    ['no decimals', '7', 'USD', 700n],
    ['one decimal of two', '1.5', 'USD', 150n],
    ['one decimal of three', '1.5', 'BHD', 1500n],
    ['negative and below one', '-0.5', 'USD', -50n],
    ['leading zeros', '007.10', 'USD', 710n],
    ['minus zero', '-0.00', 'USD', 0n],
  ])('reads %s: %j %s', (_, text, currency, minor) => {
    expect(toMinor(text, currency)).toBe(minor);
  });

  it.each([
    ['1.005', 'USD'],
    ['1.000', 'USD'],
    ['1.0', 'JPY'],
    ['0.0001', 'BHD'],
    ['0.00001', 'CLF'],
  ])('throws for more decimals than the currency has, even zeros: %j %s', (text, currency) => {
    expect(() => toMinor(text, currency)).toThrow(
      new RangeError(`"${text}" is not an amount in ${currency}`),
    );
  });

  it.each(MALFORMED)('throws for %s', (_, text) => {
    expect(() => toMinor(text, 'CLF')).toThrow(RangeError);
  });

  it('throws for an unknown currency', () => {
    expect(() => toMinor('1.00', 'XXX')).toThrow('XXX is not an ISO 4217 currency');
  });
});

describe('isDecimal', () => {
  it.each(MALFORMED)('is false for %s', (_, text) => {
    expect(isDecimal(text)).toBe(false);
  });

  it.each(['0', '-0', '7', '007', '-1', '1.5', '-1.50', '1'.repeat(30), `0.${'1'.repeat(30)}`])(
    'is true for %j',
    (text) => expect(isDecimal(text)).toBe(true),
  );
});

describe.each(PARSERS)('the $parser amount of a client', ({ parse }) => {
  it.each([
    ['no decimals', '12', 'USD', 1200n],
    ['no decimals that end in zeros', '1200', 'USD', 120_000n],
    ['one decimal', '12.5', 'USD', 1250n],
    ['all decimals', '12.34', 'USD', 1234n],
    ['the smallest unit', '0.01', 'USD', 1n],
    ['zeros beyond the precision', '12.3400000', 'USD', 1234n],
    ['a fraction of zeros only', '100.000', 'USD', 10_000n],
    ['leading zeros', '0012.50', 'USD', 1250n],
    ['the most decimals that are read', `7.${'0'.repeat(30)}`, 'USD', 700n],
    ['the largest amount', '9999999999999.99', 'USD', AMOUNT_MAX_MINOR],
    ['the largest amount with zeros', '9999999999999.9900', 'USD', AMOUNT_MAX_MINOR],
    ['yen', '1500', 'JPY', 1500n],
    ['yen that end in zeros after a point', '1500.00', 'JPY', 1500n],
    ['the largest amount in yen', '999999999999999', 'JPY', AMOUNT_MAX_MINOR],
    ['three decimals', '0.001', 'BHD', 1n],
    ['three decimals and a zero', '1.2340', 'BHD', 1234n],
    ['four decimals', '0.0001', 'CLF', 1n],
    ['the largest amount with four decimals', '99999999999.9999', 'CLF', AMOUNT_MAX_MINOR],
  ])('accepted: %s (%j %s)', (_, text, currency, value) => {
    expect(parse(text, currency, 'amount')).toStrictEqual({ ok: true, value });
  });

  it.each([
    ['0.001', 'USD', 2, 3],
    ['1.005', 'USD', 2, 3],
    ['1.00500', 'USD', 2, 3],
    ['0.5', 'JPY', 0, 1],
    ['0.0001', 'BHD', 3, 4],
    ['0.00001', 'CLF', 4, 5],
    [`0.${'0'.repeat(29)}1`, 'USD', 2, 30],
    // Precision is looked at first: what cannot be written at all has neither a sign nor a size.
    ['-0.001', 'USD', 2, 3],
    ['99999999999999999999.001', 'USD', 2, 3],
  ])('rejected: too precise (%j %s)', (text, currency, decimals, written) => {
    expectRejection(parse(text, currency, 'limit'), 'amount_too_precise', {
      detail: `limit has ${written} decimals, but ${currency} has ${decimals}.`,
      field: 'limit',
      facts: { decimals, currency },
    });
  });

  it.each([
    ['one minor unit above the largest', '10000000000000.00', 'USD', '9999999999999.99'],
    ['one above the largest in yen', '1000000000000000', 'JPY', '999999999999999'],
    ['one above the largest with three decimals', '1000000000000', 'BHD', '999999999999.999'],
    ['one above the largest with four decimals', '100000000000.0000', 'CLF', '99999999999.9999'],
    ['the most digits that are read', '9'.repeat(30), 'USD', '9999999999999.99'],
  ])('rejected: too large, %s (%j %s)', (_, text, currency, maximum) => {
    expectRejection(parse(text, currency, 'amount'), 'amount_too_large', {
      detail: `amount must be at most ${maximum} ${currency}.`,
      field: 'amount',
      facts: { maximum, currency },
    });
  });

  it.each(MALFORMED)('rejected: malformed, %s', (_, text) => {
    expectRejection(parse(text, 'USD', 'amount'), 'invalid_amount', {
      detail: 'amount must be a decimal number such as "12.50".',
      field: 'amount',
    });
  });

  it('throws for an unknown currency, which input never brings this far', () => {
    expect(() => parse('1', 'XXX', 'amount')).toThrow(RangeError);
  });
});

describe('zero and below', () => {
  const zeros = ['0', '0.00', '0.0000', '000', '-0', '-0.00'];
  const negatives = ['-0.01', '-1', '-12.50', '-9999999999999.99', '-10000000000000.00'];

  it.each([...zeros, ...negatives])('rejected as a positive amount: %j', (text) => {
    expectRejection(parsePositiveAmount(text, 'USD', 'amount'), 'amount_not_positive', {
      detail: 'amount must be greater than zero.',
      field: 'amount',
    });
  });

  it.each(zeros)('accepted as a non-negative amount: %j', (text) => {
    expect(parseNonNegativeAmount(text, 'USD', 'limit')).toStrictEqual({ ok: true, value: 0n });
  });

  it.each(negatives)('rejected as a non-negative amount: %j', (text) => {
    expectRejection(parseNonNegativeAmount(text, 'USD', 'limit'), 'amount_negative', {
      detail: 'limit must not be negative.',
      field: 'limit',
    });
  });
});

// --- Properties --------------------------------------------------------------------------------------------

const currencies = fc.constantFrom(...CURRENCY_CODES);
const balances = fc.bigInt({ min: -BALANCE_MAX_MINOR, max: BALANCE_MAX_MINOR });
const fewMinor = fc.bigInt({ min: -20_000n, max: 20_000n });

describe('properties of money', () => {
  it('toMinor(toDecimal(x)) is x in every currency', () => {
    const back = fc.property(currencies, fc.oneof(balances, fewMinor), (currency, minor) => {
      expect(toMinor(toDecimal(minor, currency), currency)).toBe(minor);
    });
    fc.assert(back, settings(1000));
  });

  it('toDecimal writes all decimals of the currency, no useless zero before and no minus zero', () => {
    const form = fc.property(currencies, fc.oneof(balances, fewMinor), (currency, minor) => {
      const [whole = '', fraction = ''] = toDecimal(minor, currency).split('.');
      expect(fraction).toHaveLength(decimalsOf(currency));
      expect(whole).toMatch(/^-?(0|[1-9]\d*)$/);
      expect(whole.startsWith('-')).toBe(minor < 0n);
    });
    fc.assert(form, settings(500));
  });

  it('a client amount is accepted exactly when the currency can represent it', () => {
    const digits = fc.oneof(fewMinor, fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }));
    const zeros = fc.record({ before: fc.nat(3), after: fc.nat(6) });
    const exact = fc.property(currencies, digits, fc.nat(8), zeros, (currency, significand, scale, pad) => {
      const text = spell(significand, scale, pad.before, pad.after);
      const expected = represent(significand, scale, decimalsOf(currency));
      expect(parsePositiveAmount(text, currency, 'amount'), text).toMatchObject(positive(expected));
      expect(parseNonNegativeAmount(text, currency, 'amount'), text).toMatchObject(nonNegative(expected));
    });
    fc.assert(exact, settings(1000));
  });

  it('text is a decimal exactly when a scanner written by hand says so', () => {
    const characters = fc.constantFrom(...'0123456789012345678901234567890123456789..--+e, _\u0663');
    const text = fc.oneof(fc.string({ unit: characters, maxLength: 12 }), fc.string({ maxLength: 5 }));
    const scanned = fc.property(text, (written) => {
      expect(isDecimal(written)).toBe(scan(written));
    });
    fc.assert(scanned, settings(2000));
  });

  it('adding decimals never drifts from adding minor units', () => {
    const sums = fc.property(currencies, fc.array(balances, { maxLength: 50 }), (currency, amounts) => {
      const sum = amounts
        .map((amount) => toDecimal(amount, currency))
        .reduce(
          (total, text) => toDecimal(toMinor(total, currency) + toMinor(text, currency), currency),
          '0',
        );
      expect(toMinor(sum, currency)).toBe(amounts.reduce((total, amount) => total + amount, 0n));
    });
    fc.assert(sums, settings(300));
  });

  it('ten times 0.10 is 1.00, and 0.10 and 0.20 are 0.30', () => {
    const tenth = toMinor('0.10', 'USD');
    const ten = Array.from({ length: 10 }, () => tenth).reduce((total, amount) => total + amount, 0n);
    expect(toDecimal(ten, 'USD')).toBe('1.00');
    expect(toDecimal(tenth + toMinor('0.20', 'USD'), 'USD')).toBe('0.30');
  });
});

/** Writes significand × 10^-scale as a client might, with useless zeros on both sides. */
function spell(significand: bigint, scale: number, zerosBefore: number, zerosAfter: number): string {
  const negative = significand < 0n;
  const digits = (negative ? -significand : significand).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale) + '0'.repeat(zerosAfter);
  const text = '0'.repeat(zerosBefore) + whole + (fraction === '' ? '' : `.${fraction}`);
  return negative ? `-${text}` : text;
}

/** The minor units of significand × 10^-scale, or nothing when a fraction of one would be left over. */
function represent(significand: bigint, scale: number, decimals: number): bigint | undefined {
  const numerator = significand * 10n ** BigInt(decimals);
  const denominator = 10n ** BigInt(scale);
  return numerator % denominator === 0n ? numerator / denominator : undefined;
}

function positive(minor: bigint | undefined): object {
  if (minor !== undefined && minor <= 0n) return refused('amount_not_positive');
  return nonNegative(minor);
}

function nonNegative(minor: bigint | undefined): object {
  if (minor === undefined) return refused('amount_too_precise');
  if (minor < 0n) return refused('amount_negative');
  return minor >= 10n ** 15n ? refused('amount_too_large') : { ok: true, value: minor };
}

function refused(code: string): object {
  return { ok: false, rejection: { code, field: 'amount' } };
}

/** Reads character by character what the domain reads with a pattern. */
function scan(text: string): boolean {
  const unsigned = text.startsWith('-') ? text.slice(1) : text;
  const parts = unsigned.split('.');
  const digitsOnly = (part: string) => part !== '' && [...part].every((sign) => sign >= '0' && sign <= '9');
  return parts.length <= 2 && parts.every(digitsOnly);
}
