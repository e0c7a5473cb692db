/** The form of a document in MongoDB, without a server: what goes through BSON comes back as JSON would give it back. */
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decode, encode, type Row, rowOf } from '../../../src/adapters/mongodb/document-format.ts';
import type { Collection, Document, MinorUnits } from '../../../src/event-sourcing/read-model-store.ts';
import { settings } from '../../domain/property-settings.ts';
import { documentWithoutBody, newDocument } from '../../support/read-model-builders.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };

function withMinorUnits(minorUnits: (document: Document) => MinorUnits): Collection {
  return { ...THINGS, minorUnits };
}

function throughBson(row: Row): Row {
  return BSON.deserialize(BSON.serialize(row), { useBigInt64: true }) as Row;
}

function rowFor(document: Document, collection = THINGS): Row {
  return rowOf(encode(collection, newDocument({ key: 'one', position: 7n, document }), 3));
}

describe('a document in MongoDB', () => {
  it('has its own fields, the minor units beside each amount, and one field of bookkeeping', () => {
    const collection = withMinorUnits(() => ({ balance: 1000n, total: { USD: 5n, JPY: -6n }, missing: 1n }));
    const document = { owner: 'ann', balance: '10.00', total: { USD: '0.05', JPY: '-6' }, closed: null };
    const row = rowFor(document, collection);
    expect(row).toStrictEqual({
      _id: 'one',
      ...document,
      balance_minor: 1000n,
      total_minor: { USD: 5n, JPY: -6n },
      _meta: { position: 7n, sequence: 7n, blocked: false, generation: 3 },
    });
    expect(Object.keys(row)).toEqual([
      '_id',
      'owner',
      'balance',
      'balance_minor',
      'total',
      'total_minor',
      'closed',
      '_meta',
    ]);
  });

  it('comes back as JSON gives it back, whatever is in it', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '_id',
        '_meta',
        'balance',
        'balance_minor',
        '$set',
        'a.b',
        '__proto__',
        'toString',
        '0',
      ),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.double(),
          fc.maxSafeInteger(),
          fc.boolean(),
          fc.constant(null),
        ),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(names, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const documents = fc.dictionary(names, value, { maxKeys: 6 });
    const collection = withMinorUnits(() => ({ balance: 5n, _id: 1n, toString: 2n }));
    const property = fc.property(documents, (document) => {
      const stored = newDocument({ key: 'one', position: 2n ** 62n, document });
      const back = decode(throughBson(rowOf(encode(collection, stored, 1))));
      expect(back).toStrictEqual({ ...stored, document: JSON.parse(JSON.stringify(document)) });
    });
    fc.assert(property, settings(50, 1500));
  });

  it('has positions and minor units as 64-bit integers, and every other number as it is in JSON', () => {
    const collection = withMinorUnits(() => ({ balance: 9_007_199_254_740_993n }));
    const row = rowFor({ balance: '1', n: 5, large: 5_000_000_000, x: 0.5 }, collection);
    const raw = BSON.deserialize(BSON.serialize(row), { promoteValues: false, promoteLongs: false });
    expect(raw.balance_minor).toEqual(BSON.Long.fromBigInt(9_007_199_254_740_993n));
    expect(raw._meta.position).toEqual(BSON.Long.fromBigInt(7n));
    expect(raw.n).toEqual(new BSON.Int32(5));
    expect(raw.large).toEqual(new BSON.Double(5_000_000_000));
    expect(raw.x).toEqual(new BSON.Double(0.5));
  });

  it('without a body says so, which an empty one does not', () => {
    const without = rowOf(encode(THINGS, documentWithoutBody('one', 7n), 3));
    expect(without).toMatchObject({ _meta: { body: null, blocked: true } });
    expect(decode(without)).toStrictEqual(documentWithoutBody('one', 7n));
    expect(decode(rowFor({}))).toStrictEqual(newDocument({ key: 'one', position: 7n, document: {} }));
  });

  it('keeps as text what MongoDB would take for something else, and its indexed fields beside', () => {
    const document = { owner: 'ann', $where: 'true' };
    expect(rowFor(document)).toStrictEqual({
      _id: 'one',
      owner: 'ann',
      _meta: { position: 7n, sequence: 7n, blocked: false, generation: 3, body: JSON.stringify(document) },
    });
  });

  it.each<[string, () => MinorUnits]>([
    ['too large for 64 bits', () => ({ balance: 2n ** 63n })],
    ['too small for 64 bits in a map', () => ({ balance: { USD: -(2n ** 63n) - 1n } })],
    [
      'not known',
      () => {
        throw new RangeError('"much" is not an amount in USD');
      },
    ],
  ])('goes without minor units that are %s', (_, minorUnits) => {
    const row = rowFor({ balance: 'much' }, withMinorUnits(minorUnits));
    expect(row).not.toHaveProperty('balance_minor');
    expect(row.balance).toBe('much');
  });

  it('is refused before it is sent when it is no JSON, or too large for a server', () => {
    const itself: Record<string, unknown> = {};
    itself.itself = itself;
    const refused = { name: 'StoreError', code: 'invalid_request' };
    expect(() => rowFor(itself)).toThrow(expect.objectContaining(refused));
    expect(() => rowFor({ n: 1n })).toThrow(expect.objectContaining(refused));
    expect(() => rowFor({ text: 'x'.repeat(17 * 1024 * 1024) })).toThrow(expect.objectContaining(refused));
    expect(() => rowFor({ list: new Array(1_500_000).fill(1) })).toThrow(expect.objectContaining(refused));
    expect(BSON.calculateObjectSize(rowFor({ text: 'x'.repeat(15_000_000) }))).toBeGreaterThan(15_000_000);
  });
});
