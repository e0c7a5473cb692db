/** Rankings in the contract of read model stores: documents in the order of a number of theirs. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Collection, RankOptions, StoredDocument } from '../../src/event-sourcing/read-model-store.ts';
import { settings } from '../domain/property-settings.ts';
import { keysOf, newDocument, write } from '../support/read-model-builders.ts';
import type { StoreOf } from './read-model-store.fixture.ts';

const RANKED: Collection = {
  name: 'ranked',
  version: 1,
  indexes: ['colour'],
  listed: false,
  rankings: [
    { by: 'size', within: 'kind' },
    { by: 'age', within: 'kind' },
  ],
};
type Entry = [key: string, document: StoredDocument['document']];
const LARGEST = { by: 'size', within: 'cat', order: 'largest_first', limit: 100 } as const;

/** @param source the event store of the test under way */
export function rankingCases(storeOf: StoreOf, source: () => string): void {
  async function filled(...documents: readonly Entry[]) {
    const store = storeOf();
    await store.prepare([RANKED], source());
    await write(
      store,
      RANKED,
      documents.map(([key, document]) => newDocument({ key, ...(document ? { document } : {}) })),
    );
    return store;
  }

  it('puts documents that share a text in the order of a number', async () => {
    const store = await filled(
      ['a', { kind: 'cat', size: 9 }],
      ['b', { kind: 'cat', size: 100 }],
      ['c', { kind: 'dog', size: 50 }],
      ['d', { kind: 'cat', size: 10, age: 3 }],
      ['e', { kind: 'cat' }],
    );
    expect(keysOf(await store.rank(RANKED, LARGEST))).toEqual(['b', 'd', 'a']);
    expect(keysOf(await store.rank(RANKED, { ...LARGEST, order: 'smallest_first' }))).toEqual([
      'a',
      'd',
      'b',
    ]);
    expect(keysOf(await store.rank(RANKED, { ...LARGEST, limit: 1 }))).toEqual(['b']);
    expect(keysOf(await store.rank(RANKED, { ...LARGEST, within: 'dog' }))).toEqual(['c']);
    expect(keysOf(await store.rank(RANKED, { ...LARGEST, within: 'cow' }))).toEqual([]);
    expect(await store.rank(RANKED, { ...LARGEST, by: 'age' })).toStrictEqual([
      newDocument({ key: 'd', document: { kind: 'cat', size: 10, age: 3 } }),
    ]);
  });

  it('moves a document when its number or its text changes, and takes it out with the number', async () => {
    const store = await filled(['a', { kind: 'cat', size: 1 }], ['b', { kind: 'cat', size: 2 }]);
    const change = (position: bigint, document: StoredDocument['document']) =>
      write(store, RANKED, [
        newDocument({ key: 'a', sequence: 1n, position, ...(document ? { document } : {}) }),
      ]);
    await change(2n, { kind: 'cat', size: 3 });
    expect(keysOf(await store.rank(RANKED, LARGEST))).toEqual(['a', 'b']);
    await change(3n, { kind: 'dog', size: 3 });
    expect(keysOf(await store.rank(RANKED, LARGEST))).toEqual(['b']);
    await change(4n, { kind: 'cat' });
    expect(keysOf(await store.rank(RANKED, LARGEST))).toEqual(['b']);
    expect(keysOf(await store.rank(RANKED, { ...LARGEST, within: 'dog' }))).toEqual([]);
  });

  it('knows a document whose body is kept as text, too', async () => {
    const store = await filled(['a', { kind: 'cat', size: 5, $odd: { 'a.b': 1 } }]);
    expect(keysOf(await store.rank(RANKED, LARGEST))).toEqual(['a']);
  });

  it('pages by number and key, with no gap and no duplicate, whatever the sizes', async () => {
    const generated = fc.uniqueArray(
      fc.record({ key: fc.stringMatching(/^[a-z]{1,3}$/), size: fc.integer({ min: -2, max: 3 }) }),
      { selector: ({ key }) => key, maxLength: 15, size: 'max' },
    );
    const orders = fc.constantFrom<RankOptions['order'][]>('largest_first', 'smallest_first');
    const property = fc.asyncProperty(
      generated,
      fc.integer({ min: 1, max: 5 }),
      orders,
      async (all, limit, order) => {
        const store = await filled();
        await store.clear(RANKED);
        await filled(...all.map(({ key, size }): Entry => [key, { kind: 'cat', size }]));
        const sorted = [...all].sort((a, b) => a.size - b.size || (a.key < b.key ? -1 : 1));
        if (order === 'largest_first') sorted.reverse();
        const found: StoredDocument<{ size: number }>[] = [];
        for (let pages = 0; pages <= all.length; pages += 1) {
          const last = found.at(-1);
          const after = last ? { after: { value: last.document?.size ?? 0, key: last.key } } : {};
          const page = await store.rank<{ size: number }>(RANKED, { ...LARGEST, order, limit, ...after });
          found.push(...page);
          if (page.length < limit) break;
        }
        expect(keysOf(found)).toEqual(sorted.map(({ key }) => key));
      },
    );
    await fc.assert(property, settings(6, 150));
  });

  it('refuses a ranking that the collection does not have', async () => {
    const store = await filled();
    for (const by of ['colour', 'weight', 'constructor', 'size, age'])
      await expect(store.rank(RANKED, { ...LARGEST, by })).rejects.toThrow(/no ranking/);
  });
}
