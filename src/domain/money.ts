/**
 * Exact money: a bigint of minor units inside a computation, a decimal string with its currency outside of one.
 *
 * No amount ever passes through floating-point arithmetic. A JSON number is accepted at the edge because its
 * shortest decimal form is what the client wrote, as long as it has at most 15 significant digits.
 */
import { decimalsOf } from './currency.ts';
import { accept, type Decision, reject } from './decision.ts';

/** An amount as it is written in events, documents and the API: `"1000.00"`, always with all decimals. */
export type DecimalString = string;

/** The largest single amount, in minor units: 15 digits, which a JSON number still carries exactly. */
export const AMOUNT_MAX_MINOR = 999_999_999_999_999n;

/** The largest balance in minor units; it leaves room in a signed 64-bit integer for sums over many accounts. */
export const BALANCE_MAX_MINOR = 99_999_999_999_999_999n;

const DECIMAL = /^-?\d{1,30}(\.\d{1,30})?$/;

/** Whether `text` is a plain decimal number: digits, one optional point, one optional minus, no exponent. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/**
 * Reads a decimal that this program wrote itself (an event, a document) as minor units.
 * @throws RangeError when the text is not a decimal of that currency, which means corrupt data.
 */
export function toMinor(text: DecimalString, currency: string): bigint {
  const decimals = decimalsOf(currency);
  return shortMinor(text, decimals) ?? longMinor(text, currency, decimals);
}

/** Characters that surely hold no more digits than an integer of JavaScript keeps exactly. */
const SHORT_CHARACTERS = 15;
const [MINUS, POINT, ZERO] = [45, 46, 48];

/**
 * The way that nearly every amount goes, because reading amounts is much of what folding an event costs: digits are added
 * up as whole numbers, which is exact below 2^53.
 * @returns undefined for what is long, or is not written with just the currency's decimals
 */
function shortMinor(text: string, decimals: number): bigint | undefined {
  const { length } = text;
  const point = decimals === 0 ? -1 : length - decimals - 1;
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  if (length > SHORT_CHARACTERS || length === first || (decimals > 0 && point <= first)) return undefined;
  let minor = 0;
  for (let index = first; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (index === point) {
      if (code !== POINT) return undefined;
      continue;
    }
    if (code < ZERO || code > ZERO + 9) return undefined;
    minor = minor * 10 + (code - ZERO);
  }
  return BigInt(negative ? -minor : minor);
}

function longMinor(text: DecimalString, currency: string, decimals: number): bigint {
  const point = text.indexOf('.');
  const fraction = point < 0 ? '' : text.slice(point + 1);
  if (!DECIMAL.test(text) || fraction.length > decimals) {
    throw new RangeError(`${JSON.stringify(text)} is not an amount in ${currency}`);
  }
  const whole = point < 0 ? text : text.slice(0, point);
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** Writes minor units as a decimal with all of the currency's decimals: `100000n` in USD is `"1000.00"`. */
export function toDecimal(minor: bigint, currency: string): DecimalString {
  const decimals = decimalsOf(currency);
  if (decimals === 0) return minor.toString();
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(decimals + 1, '0');
  const split = digits.length - decimals;
  return `${negative ? '-' : ''}${digits.slice(0, split)}.${digits.slice(split)}`;
}

/** Reads an amount that a client sent, which must be above zero. */
export function parsePositiveAmount(text: string, currency: string, field: string): Decision<bigint> {
  return parseAmount(text, currency, field, 1n);
}

/** Reads an amount that a client sent, which may be zero but not negative (a limit, an opening balance). */
export function parseNonNegativeAmount(text: string, currency: string, field: string): Decision<bigint> {
  return parseAmount(text, currency, field, 0n);
}

function parseAmount(text: string, currency: string, field: string, least: 0n | 1n): Decision<bigint> {
  if (!isDecimal(text)) {
    return reject('invalid_amount', `${field} must be a decimal number such as "12.50".`, { field });
  }
  const decimals = decimalsOf(currency);
  const point = text.indexOf('.');
  const written = point < 0 ? 0 : text.length - point - 1;
  // Only what has too many decimals as it is written has to be looked at for zeros that say nothing.
  const significant = written <= decimals ? text : text.replace(/\.?0+$/, '');
  const fraction = written <= decimals ? '' : (significant.split('.')[1] ?? '');
  if (fraction.length > decimals) {
    const detail = `${field} has ${fraction.length} decimals, but ${currency} has ${decimals}.`;
    return reject('amount_too_precise', detail, { field, facts: { decimals, currency } });
  }
  return withinBounds(toMinor(significant, currency), currency, field, least);
}

function withinBounds(minor: bigint, currency: string, field: string, least: 0n | 1n): Decision<bigint> {
  if (minor < least) {
    return least === 1n
      ? reject('amount_not_positive', `${field} must be greater than zero.`, { field })
      : reject('amount_negative', `${field} must not be negative.`, { field });
  }
  if (minor > AMOUNT_MAX_MINOR) {
    const maximum = toDecimal(AMOUNT_MAX_MINOR, currency);
    return reject('amount_too_large', `${field} must be at most ${maximum} ${currency}.`, {
      field,
      facts: { maximum, currency },
    });
  }
  return accept(minor);
}
