/** Currencies: which codes an account can have, and how many decimals each of them keeps for ever. */
import { describe, expect, it } from 'vitest';
import { CURRENCY_CODES, decimalsOf, isCurrency } from '../../src/domain/currency.ts';

/** Every active currency whose minor unit is not a hundredth, written down again from ISO 4217. */
const NOT_TWO: ReadonlyMap<string, number> = new Map([
  ...codes('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', 0),
  ...codes('BHD IQD JOD KWD LYD OMR TND', 3),
  ...codes('CLF UYW', 4),
]);

/** Every other active currency; the list may grow, but money that is stored keeps its currency for ever. */
const TWO: ReadonlyMap<string, number> = new Map([
  ...codes('AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD', 2),
  ...codes('CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP', 2),
  ...codes('GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD', 2),
  ...codes('LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB', 2),
  ...codes('PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC', 2),
  ...codes('SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG', 2),
]);

/** No currencies: other cases, blanks, metals, test codes, withdrawn codes, names of object members. */
const NO_CURRENCY = [
  ...['', 'usd', 'Usd', 'USD ', ' USD', 'US', 'USDD', 'XXX', 'XTS', 'XAU', 'DEM', 'HRK', '978'],
  ...['toString', '__proto__', 'constructor'],
];

function codes(list: string, decimals: number): (readonly [string, number])[] {
  return list.split(' ').map((code) => [code, decimals] as const);
}

describe('CURRENCY_CODES', () => {
  it('is sorted', () => {
    expect(CURRENCY_CODES).toStrictEqual([...CURRENCY_CODES].sort());
  });

  it('has no code twice', () => {
    expect(new Set(CURRENCY_CODES).size).toBe(CURRENCY_CODES.length);
  });

  it('holds codes of three capital letters only', () => {
    expect(CURRENCY_CODES.filter((code) => !/^[A-Z]{3}$/.test(code))).toStrictEqual([]);
  });

  it('has lost no code, because stored money must stay readable', () => {
    const lost = [...TWO.keys(), ...NOT_TWO.keys()].filter((code) => !CURRENCY_CODES.includes(code));
    expect(lost).toStrictEqual([]);
  });
});

describe('decimalsOf', () => {
  it.each([...NOT_TWO])('%s has %i decimals', (code, decimals) => {
    expect(decimalsOf(code)).toBe(decimals);
  });

  it('gives 2 decimals to every code that is not an exception of ISO 4217', () => {
    const odd = CURRENCY_CODES.filter((code) => decimalsOf(code) !== (NOT_TWO.get(code) ?? 2));
    expect(odd).toStrictEqual([]);
  });

  it.each(NO_CURRENCY)('throws for %j', (code) => {
    expect(() => decimalsOf(code)).toThrow(RangeError);
  });

  it('names the code that it does not know', () => {
    expect(() => decimalsOf('DEM')).toThrow('DEM is not an ISO 4217 currency');
  });
});

describe('isCurrency', () => {
  it('knows every code of the list', () => {
    expect(CURRENCY_CODES.filter((code) => !isCurrency(code))).toStrictEqual([]);
  });

  it.each(NO_CURRENCY)('does not know %j', (code) => {
    expect(isCurrency(code)).toBe(false);
  });
});
