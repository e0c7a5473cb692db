/** Exact JSON: what comes back is what went in, and what could not come back is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromExactJson, toExactJson } from '../../../src/event-sourcing/snapshots/exact-json.ts';
import { settings } from '../../domain/property-settings.ts';

const throughText = (value: unknown) => fromExactJson(JSON.parse(JSON.stringify(toExactJson(value))));

describe('exact JSON', () => {
  it('gives whole numbers of any size back as they were', () => {
    const amounts = [0n, -1n, 9_007_199_254_740_993n, -99_999_999_999_999_999n, 10n ** 40n];
    expect(throughText({ amounts })).toStrictEqual({ amounts });
    expect(toExactJson(-12n)).toStrictEqual({ $bigint: '-12' });
  });

  it('gives any state back as it was', () => {
    const key = fc.string().filter((text) => !text.startsWith('$'));
    const { state } = fc.letrec((tie) => ({
      state: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.bigInt(), fc.string(), fc.boolean(), fc.constant(null), fc.integer()),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
        fc.array(tie('state'), { maxLength: 4 }),
        fc.dictionary(key, tie('state'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(state, (value) => {
        expect(throughText(value)).toStrictEqual(value);
      }),
      settings(200),
    );
  });

  it.each([
    ['undefined', { field: undefined }],
    ['not a number', { field: Number.NaN }],
    ['minus zero', -0],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['a date', { at: new Date(0) }],
    ['a map', new Map()],
    ['a function', { run: () => 1 }],
    ['a hole', new Array(1)],
    ['a key that could be a number', { $bigint: '1' }],
  ])('refuses %s', (_what, value) => {
    expect(() => toExactJson(value)).toThrow(TypeError);
  });

  it.each(['', '1.0', '01', '-', '1e3', 1])('does not read %j as a whole number', (digits) => {
    expect(() => fromExactJson({ $bigint: digits })).toThrow(TypeError);
  });
});
