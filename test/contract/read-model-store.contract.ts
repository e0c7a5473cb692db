/** What every store of read models must do, as tests: they run on each adapter, so they rely on the port alone. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  Checkpoint,
  Collection,
  Document,
  FindOptions,
  ReadModelReader,
  ReadModelStore,
  StoredDocument,
} from '../../src/event-sourcing/read-model-store.ts';
import { settings } from '../domain/property-settings.ts';
import {
  checkpoint,
  commit,
  documentWithoutBody,
  keysOf,
  newDeadLetter,
  newDocument,
  write,
} from '../support/read-model-builders.ts';
import { buildCases } from './read-model-store.builds.ts';
import {
  ALL,
  OLDEST,
  type Opened,
  type OpenedReadModels,
  OTHERS,
  positions,
  type StoreOf,
  THINGS,
  THINGS_V2,
} from './read-model-store.fixture.ts';
import { fenceCases, leaseCases, workerCases } from './read-model-store.leadership.ts';
import { rankingCases } from './read-model-store.rankings.ts';

/** The event store that the documents of the test under way come from. */
let source = '';
const UNLISTED: Collection = { name: 'unlisted', version: 1, indexes: ['owner'], listed: false };
/** The same documents, for a store that people look into. */
const AMOUNTS: Collection = {
  name: 'amounts',
  version: 1,
  indexes: ['owner'],
  listed: true,
  minorUnits: (document) => ({
    balance: BigInt(String(document.balance).replace('.', '')),
    by_currency: { USD: 1000n, JPY: -9_007_199_254_740_993n },
  }),
};

/** Registers the suite for one adapter, which has one writer or several. */
export function describeReadModelStoreContract(
  name: string,
  openStore: () => Promise<OpenedReadModels>,
  writers: 'one writer' | 'several writers' = 'one writer',
): void {
  describe(`read model store contract on ${name}`, () => {
    let opened: OpenedReadModels;
    let tests = 0;
    beforeAll(async () => {
      opened = await openStore();
    });
    // Another source drops everything, which is quicker than a new store for each test.
    beforeEach(() => {
      tests += 1;
      source = `store-${tests}`;
      return opened.store.prepare(ALL, source);
    });
    afterAll(() => opened.dispose());
    const storeOf = () => opened.store;

    describe('prepare', () => prepareCases(storeOf));
    describe('get', () => getCases(storeOf));
    describe('the position of a document', () => positionCases(storeOf));
    describe('find', () => findCases(storeOf));
    describe('paging', () => pagingCases(storeOf));
    describe('rankings', () => rankingCases(storeOf, () => source));
    describe('commit', () => commitCases(storeOf));
    describe('checkpoints', () => checkpointCases(storeOf));
    describe('dead letters', () => deadLetterCases(storeOf));
    describe('dead letters that are settled or looked up', () => settledCases(storeOf));
    describe('blocked documents', () => blockedCases(storeOf));
    describe('builds', () =>
      buildCases(
        () => opened,
        () => source,
      ));
    describe('clear', () => clearCases(storeOf));
    describe('leases', () => leaseCases(() => opened));
    describe('fencing tokens', () => fenceCases(storeOf));
    const sourceOf = () => source;
    if (writers !== 'one writer') describe('several workers', () => workerCases(() => opened, sourceOf));
    describe('a second reader', () => readerCases(() => opened));
    describe('close', () => closeCases(openStore));
  });
}

/** One document, one dead letter and one checkpoint for each collection. */
async function fill(store: ReadModelStore): Promise<void> {
  await commit(store, {
    writes: ALL.map((collection) => ({ collection, document: newDocument({ key: 'one' }) })),
    deadLetters: [newDeadLetter(), newDeadLetter({ projection: 'others' })],
    checkpoints: ALL.map((collection) => checkpoint(collection, 7n)),
  });
}

async function countDocuments(store: ReadModelReader): Promise<number[]> {
  const found = await Promise.all(ALL.map((collection) => store.find(collection, OLDEST)));
  return found.map((documents) => documents.length);
}

function prepareCases(storeOf: StoreOf): void {
  it('starts out empty', async () => {
    const store = storeOf();
    expect(await countDocuments(store)).toEqual([0, 0, 0]);
    expect(await store.checkpoints()).toEqual([]);
    expect(await store.countDeadLetters()).toBe(0);
    expect(await store.listDeadLetters({ limit: 10 })).toEqual([]);
  });

  it('keeps everything when it is repeated for the same event store', async () => {
    const store = storeOf();
    await fill(store);
    await store.prepare(ALL, source);
    await store.prepare([...ALL].reverse(), source);
    expect(await countDocuments(store)).toEqual([1, 1, 1]);
    expect(await positions(store)).toEqual(['others v1 7', 'things v1 7', 'things v2 7']);
    expect(await store.countDeadLetters()).toBe(2);
  });

  it('adds a collection, and keeps one that is not named any more', async () => {
    const store = storeOf();
    await fill(store);
    const added: Collection = { name: 'added', version: 1, indexes: ['owner'], listed: true };
    await store.prepare([added], source);
    await write(store, added, [newDocument({ key: 'new', document: { owner: 'ann' } })]);
    expect(keysOf(await store.find(added, { ...OLDEST, where: { owner: 'ann' } }))).toEqual(['new']);
    expect(await countDocuments(store)).toEqual([1, 1, 1]);
  });

  it('drops all that was filled from another event store', async () => {
    const store = storeOf();
    await fill(store);
    await store.prepare([THINGS], 'another-store');
    await store.prepare(ALL, 'another-store');
    expect(await countDocuments(store)).toEqual([0, 0, 0]);
    expect(await store.checkpoints()).toEqual([]);
    expect(await store.countDeadLetters()).toBe(0);
  });

  it('fills anew after that, from the first position on', async () => {
    const store = storeOf();
    await write(store, THINGS, [newDocument({ key: 'one', position: 99n, document: { owner: 'old' } })]);
    await store.prepare(ALL, 'another-store');
    await write(store, THINGS, [newDocument({ key: 'one', position: 1n, document: { owner: 'new' } })]);
    await store.prepare(ALL, 'another-store');
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'new' } })).toHaveLength(1);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'old' } })).toEqual([]);
  });

  it('starts a new version of a collection empty, beside the old one', async () => {
    const store = storeOf();
    await write(store, THINGS, [newDocument({ key: 'one', position: 5n, document: { of: 'v1' } })]);
    expect(await store.get(THINGS_V2, 'one')).toBeUndefined();
    await write(store, THINGS_V2, [newDocument({ key: 'one', position: 3n, document: { of: 'v2' } })]);
    expect((await store.get(THINGS, 'one'))?.document).toEqual({ of: 'v1' });
    expect((await store.get(THINGS_V2, 'one'))?.document).toEqual({ of: 'v2' });
  });
}

function getCases(storeOf: StoreOf): void {
  it('of a document that is not there is undefined', async () => {
    const store = storeOf();
    expect(await store.get(THINGS, 'missing')).toBeUndefined();
    await write(store, THINGS, [newDocument({ key: 'one' })]);
    expect(await store.get(THINGS, 'ONE')).toBeUndefined();
    expect(await store.get(OTHERS, 'one')).toBeUndefined();
  });

  it('gives the whole of what was stored', async () => {
    const store = storeOf();
    const stored = newDocument({ key: 'one', sequence: 3n, position: 9n, document: { owner: 'ann', n: 1 } });
    await write(store, THINGS, [stored]);
    expect(await store.get(THINGS, 'one')).toStrictEqual(stored);
  });

  it('keeps positions that no 32-bit number holds', async () => {
    const store = storeOf();
    const stored = newDocument({ key: 'far', sequence: 4_294_967_297n, position: 9_007_199_254_740_991n });
    await write(store, THINGS, [stored]);
    await commit(store, { checkpoints: [checkpoint(THINGS, 9_007_199_254_740_991n)] });
    expect(await store.get(THINGS, 'far')).toStrictEqual(stored);
    expect(await store.checkpoints()).toEqual([checkpoint(THINGS, 9_007_199_254_740_991n)]);
  });

  it.each<[string, Document]>([
    ['an empty document', {}],
    ['unicode', { text: 'Zoë 日本語 🏦👩‍👩‍👧 \u202e עברית e\u0301', 'clé ключ': '🔑', nul: 'a\u0000b' }],
    ['quotes and control characters', { text: '"\'\\\n\r\t\u2028</script>`', empty: '' }],
    ['nesting', { a: [{ b: [[{ c: null }], [], {}] }, true, false], d: { e: { f: { g: [1, 'x'] } } } }],
    ['100 kB', { text: 'The quick brown fox 🦊 '.repeat(4_300), list: Array.from({ length: 500 }, String) }],
    ['decimal strings', { amounts: ['0.10', '-0.00', '9007199254740993.01', '1e3', '007'] }],
    ['numbers', { numbers: [0, -1, 0.1, 1e21, 1.7976931348623157e308, 5e-324, 9007199254740991] }],
    ['whole numbers', { numbers: [2147483647, 2147483648, -2147483649, 4294967296, 1e15] }],
    ['nothing but null', { nothing: null, list: [null, [null]] }],
    [
      'names of operators and paths',
      { $set: { $gt: '' }, 'a.b': { 'c.d': 1, $where: 'x' }, list: [{ $in: [] }] },
    ],
    [
      'names that a store may use itself',
      { _id: 1, _meta: { position: 2 }, key: 3, position: '4', blocked: true },
    ],
    ['names that an object may have', JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "": {"": 3}}')],
    ['names of amounts', { balance: '1.00', balance_minor: 'mine', other_minor: '5', '0': 'zero' }],
    ['characters that are only half there', { text: 'a\ud83d', '\udc00': 1 }],
    ['a depth of 120', { deep: JSON.parse('['.repeat(120) + ']'.repeat(120)) }],
  ])('gives %s back unchanged', async (_, document) => {
    const store = storeOf();
    await write(store, THINGS, [newDocument({ key: 'one', document })]);
    expect((await store.get(THINGS, 'one'))?.document).toStrictEqual(document);
    expect((await store.find(THINGS, OLDEST))[0]?.document).toStrictEqual(document);
  });

  it.each([
    "it's",
    'a"b',
    'x; DROP TABLE things',
    'ключ 🔑',
    'a/b',
    '$set',
    'a.b',
    '__proto__',
    ' ',
    'k'.repeat(200),
  ])('finds the key %s', async (key) => {
    const store = storeOf();
    await write(store, THINGS, [
      newDocument({ key, document: { owner: key } }),
      newDocument({ key: 'other' }),
    ]);
    expect((await store.get(THINGS, key))?.document).toEqual({ owner: key });
    expect(keysOf(await store.find(THINGS, { ...OLDEST, where: { owner: key } }))).toEqual([key]);
  });

  it.each<[string, Document]>([
    ['an amount', { owner: 'ann', balance: '10.00', n: 1 }],
    [
      'a map of amounts',
      { owner: 'ann', balance: '0.00', by_currency: { USD: '10.00' }, by_currency_minor: 'mine' },
    ],
    ['an amount that is none', { owner: 'ann', balance: 'much' }],
  ])('gives %s back without the minor units that may be beside it', async (_, document) => {
    const store = storeOf();
    await store.prepare([AMOUNTS], source);
    const stored = newDocument({ key: 'one', document });
    await write(store, AMOUNTS, [stored]);
    expect(await store.get(AMOUNTS, 'one')).toStrictEqual(stored);
    expect(await store.find(AMOUNTS, { ...OLDEST, where: { owner: 'ann' } })).toStrictEqual([stored]);
  });

  it('gives many at once, where the store can, without those that are not there', async (context) => {
    const store = storeOf();
    if (!store.getMany) return context.skip('It answers from this process, one at a time.');
    const keys = Array.from({ length: 2_100 }, (_, index) => `key-${index}`);
    const documents = keys.map((key) => newDocument({ key, document: { owner: key, $in: [] } }));
    await write(store, THINGS, documents);
    await write(store, THINGS, [documentWithoutBody('$where', 3n)]);
    const found = await store.getMany(THINGS, ['missing', '$where', ...keys.slice(50), 'KEY-1']);
    const sorted = found.sort((a, b) => (a.key < b.key ? -1 : 1));
    const expected = [documentWithoutBody('$where', 3n), ...documents.slice(50)];
    expect(sorted).toStrictEqual(expected.sort((a, b) => (a.key < b.key ? -1 : 1)));
    expect(await store.getMany(THINGS, [])).toEqual([]);
    expect(await store.getMany(THINGS, ['missing'])).toEqual([]);
  });

  it('finds documents by an indexed field, whatever names the others have', async () => {
    const store = storeOf();
    const document = { owner: 'ann', 'a.b': { $gt: '' }, _id: 'x' };
    await write(store, THINGS, [newDocument({ key: 'one', document })]);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'ann' } })).toMatchObject([{ document }]);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'x' } })).toEqual([]);
  });

  it('gives what was committed, whatever the caller does with its document afterwards', async () => {
    const store = storeOf();
    const document = { list: [1] };
    await write(store, THINGS, [newDocument({ key: 'one', document })]);
    document.list.push(2);
    expect((await store.get(THINGS, 'one'))?.document).toEqual({ list: [1] });
  });
}

function positionCases(storeOf: StoreOf): void {
  const at = (position: bigint, owner: string) => newDocument({ key: 'one', position, document: { owner } });

  it.each([
    ['an older', 4n],
    ['the first', 1n],
    ['an equal', 5n],
  ])('keeps %s one from replacing it', async (_, position) => {
    const store = storeOf();
    await write(store, THINGS, [at(5n, 'ann')]);
    await write(store, THINGS, [{ ...at(position, 'bob'), blocked: true }]);
    expect(await store.get(THINGS, 'one')).toStrictEqual(at(5n, 'ann'));
    expect(keysOf(await store.find(THINGS, { ...OLDEST, where: { owner: 'ann' } }))).toEqual(['one']);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'bob' } })).toEqual([]);
  });

  it('lets a newer one replace it, under its new index values', async () => {
    const store = storeOf();
    await write(store, THINGS, [at(5n, 'ann')]);
    await write(store, THINGS, [at(6n, 'bob')]);
    expect(await store.get(THINGS, 'one')).toMatchObject({ position: 6n, document: { owner: 'bob' } });
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'ann' } })).toEqual([]);
    expect(keysOf(await store.find(THINGS, { ...OLDEST, where: { owner: 'bob' } }))).toEqual(['one']);
  });

  it('decides within one commit too', async () => {
    const store = storeOf();
    await write(store, THINGS, [at(2n, 'second'), at(3n, 'third'), at(1n, 'first')]);
    expect((await store.get(THINGS, 'one'))?.document).toEqual({ owner: 'third' });
  });

  it('makes the same commit harmless when it is repeated, before and after later ones', async () => {
    const store = storeOf();
    const first = { writes: [{ collection: THINGS, document: at(1n, 'first') }] };
    const second = { writes: [{ collection: THINGS, document: at(2n, 'second') }] };
    for (const changes of [first, first, second, first, second]) await commit(store, changes);
    expect(await store.find(THINGS, OLDEST)).toStrictEqual([{ ...at(2n, 'second'), sequence: 1n }]);
  });

  it('makes a redelivered batch change only what is newer in it', async () => {
    const store = storeOf();
    const batch = Array.from({ length: 400 }, (_, index) =>
      newDocument({ key: `k${1000 + index}`, position: BigInt(index + 1), document: { of: 'first' } }),
    );
    await write(store, THINGS, batch);
    await write(
      store,
      THINGS,
      batch.slice(0, 100).map((one) => ({ ...one, position: 1_000n })),
    );
    const redelivered = batch.map((one, index) => ({
      ...one,
      position: one.position + (index % 2 === 0 ? 0n : 500n),
      document: { of: 'second' },
    }));
    await write(store, THINGS, redelivered);
    const found = await store.find(THINGS, OLDEST);
    expect(keysOf(found)).toEqual(keysOf(batch));
    const changed = found.filter(({ document }) => document?.of === 'second');
    expect(keysOf(changed)).toEqual(keysOf(batch.filter((_, index) => index >= 100 && index % 2 === 1)));
  });

  it('changes, but the sequence and so the place in lists do not', async () => {
    const store = storeOf();
    await write(
      store,
      THINGS,
      ['a', 'b', 'c'].map((key, index) => newDocument({ key, position: BigInt(index + 1) })),
    );
    await write(store, THINGS, [newDocument({ key: 'a', sequence: 50n, position: 50n })]);
    expect(await store.get(THINGS, 'a')).toMatchObject({ sequence: 1n, position: 50n });
    expect(keysOf(await store.find(THINGS, OLDEST))).toEqual(['a', 'b', 'c']);
    expect(keysOf(await store.find(THINGS, { ...OLDEST, order: 'newest_first' }))).toEqual(['c', 'b', 'a']);
  });
}

function findCases(storeOf: StoreOf): void {
  const things: readonly [key: string, document: Document][] = [
    ['a', { owner: 'ann', colour: 'red' }],
    ['b', { owner: 'bob', colour: 'red' }],
    ['c', { owner: 'ann', colour: 'blue' }],
    ['d', { colour: 'red' }],
    ['e', { owner: 'Ann', colour: 'red' }],
  ];
  const fillThings = (store: ReadModelStore) =>
    write(
      store,
      THINGS,
      things.map(([key, document], index) => newDocument({ key, position: BigInt(index + 1), document })),
    );

  it.each<[string, FindOptions['where'], string[]]>([
    ['everything without a condition', undefined, ['a', 'b', 'c', 'd', 'e']],
    ['everything with an empty condition', {}, ['a', 'b', 'c', 'd', 'e']],
    ['by one field, upper and lower case apart', { owner: 'ann' }, ['a', 'c']],
    ['by another field', { colour: 'red' }, ['a', 'b', 'd', 'e']],
    ['by two fields together', { owner: 'ann', colour: 'red' }, ['a']],
    ['by two fields in the other order', { colour: 'blue', owner: 'ann' }, ['c']],
    ['nothing where nothing is equal', { owner: 'zoe' }, []],
    ['nothing for a part of a value', { owner: 'an' }, []],
    ['nothing for a pattern', { owner: '%' }, []],
  ])('gives %s', async (_, where, expected) => {
    const store = storeOf();
    await fillThings(store);
    expect(keysOf(await store.find(THINGS, { ...OLDEST, ...(where ? { where } : {}) }))).toEqual(expected);
  });

  it('gives whole documents', async () => {
    const store = storeOf();
    await fillThings(store);
    expect(await store.find(THINGS, { ...OLDEST, limit: 1 })).toStrictEqual([
      newDocument({ key: 'a', position: 1n, document: { owner: 'ann', colour: 'red' } }),
    ]);
  });

  it.each(['name', 'key', 'position', 'constructor', 'owner = owner OR 1'])(
    'refuses to look for %s, which has no index',
    async (field) => {
      const store = storeOf();
      await fillThings(store);
      await expect(store.find(THINGS, { ...OLDEST, where: { [field]: 'a' } })).rejects.toThrow(/no index/);
      await expect(store.find(THINGS, { ...OLDEST, where: { owner: 'ann', [field]: 'a' } })).rejects.toThrow(
        /no index/,
      );
    },
  );

  it('refuses to list the whole of a collection that is not made for it, but not a part', async () => {
    const store = storeOf();
    await store.prepare([UNLISTED], source);
    await write(store, UNLISTED, [newDocument({ key: 'one', document: { owner: 'ann' } })]);
    await expect(store.find(UNLISTED, OLDEST)).rejects.toThrow(/cannot be listed/);
    await expect(store.find(UNLISTED, { ...OLDEST, where: {} })).rejects.toThrow(/cannot be listed/);
    expect(keysOf(await store.find(UNLISTED, { ...OLDEST, where: { owner: 'ann' } }))).toEqual(['one']);
    expect((await store.get(UNLISTED, 'one'))?.document).toEqual({ owner: 'ann' });
  });

  it('gives the oldest or the newest first, at most as many as asked for', async () => {
    const store = storeOf();
    await fillThings(store);
    const limited = (order: FindOptions['order'], limit: number) => store.find(THINGS, { order, limit });
    expect(keysOf(await limited('oldest_first', 2))).toEqual(['a', 'b']);
    expect(keysOf(await limited('newest_first', 2))).toEqual(['e', 'd']);
    expect(keysOf(await limited('oldest_first', 5))).toHaveLength(5);
  });

  it('orders documents of one event by key', async () => {
    const store = storeOf();
    await write(
      store,
      THINGS,
      ['c', 'a', 'b'].map((key) => newDocument({ key, position: 4n })),
    );
    expect(keysOf(await store.find(THINGS, OLDEST))).toEqual(['a', 'b', 'c']);
    expect(keysOf(await store.find(THINGS, { ...OLDEST, order: 'newest_first' }))).toEqual(['c', 'b', 'a']);
  });

  it('orders by number, not by digits', async () => {
    const store = storeOf();
    await write(
      store,
      THINGS,
      [10n, 9n, 100n].map((position) => newDocument({ key: `at-${position}`, position })),
    );
    expect(keysOf(await store.find(THINGS, OLDEST))).toEqual(['at-9', 'at-10', 'at-100']);
  });
}

function pagingCases(storeOf: StoreOf): void {
  /** Pages through a list; `between` runs after each page. */
  async function pages(options: FindOptions, between: (page: number) => Promise<void> = async () => {}) {
    const found: StoredDocument[] = [];
    for (let page = 0; ; page += 1) {
      const last = found.at(-1);
      const after = last ? { after: { sequence: last.sequence, key: last.key } } : {};
      const next = await storeOf().find(THINGS, { ...options, ...after });
      found.push(...next);
      if (next.length < options.limit) return keysOf(found);
      await between(page);
    }
  }

  it('goes by sequence and key, with no gap and no duplicate, whatever the sizes', async () => {
    const documents = fc.uniqueArray(
      fc.record({
        key: fc.stringMatching(/^[a-z]{1,3}$/),
        sequence: fc.bigInt({ min: 1n, max: 8n }),
        owner: fc.constantFrom('ann', 'bob'),
      }),
      { selector: ({ key }) => key, maxLength: 25, size: 'max' },
    );
    const property = fc.asyncProperty(
      documents,
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom('oldest_first' as const, 'newest_first' as const),
      fc.boolean(),
      async (generated, limit, order, ofAnn) => {
        const store = storeOf();
        await store.clear(THINGS);
        await write(
          store,
          THINGS,
          generated.map(({ key, sequence, owner }) =>
            newDocument({ key, sequence, position: sequence, document: { owner } }),
          ),
        );
        const wanted = generated.filter(({ owner }) => !ofAnn || owner === 'ann');
        const sorted = wanted.sort(bySequenceAndKey).map(({ key }) => key);
        if (order === 'newest_first') sorted.reverse();
        expect(await pages({ order, limit, ...(ofAnn ? { where: { owner: 'ann' } } : {}) })).toEqual(sorted);
      },
    );
    await fc.assert(property, settings(10, 250));
  });

  it('neither loses nor repeats a document when others arrive and change meanwhile', async () => {
    const store = storeOf();
    const first = Array.from({ length: 20 }, (_, index) => `a${10 + index}`);
    await write(
      store,
      THINGS,
      first.map((key, index) => newDocument({ key, position: BigInt(index + 1) })),
    );
    const change = async (page: number) => {
      const position = BigInt(100 + page);
      const changed = first.map((key) => newDocument({ key, position }));
      await write(store, THINGS, [...changed, newDocument({ key: `b${page}`, position })]);
    };
    expect(await pages({ order: 'newest_first', limit: 3 }, change)).toEqual([...first].reverse());
    const oldestFirst = await pages({ order: 'oldest_first', limit: 3 });
    expect(oldestFirst.slice(0, 20)).toEqual(first);
    expect(new Set(oldestFirst).size).toBe(oldestFirst.length);
  });

  it('goes on after a document that is not there', async () => {
    const store = storeOf();
    await write(
      store,
      THINGS,
      [1n, 2n, 4n].map((position) => newDocument({ key: `at-${position}`, position })),
    );
    const after = { sequence: 3n, key: 'at-3' };
    expect(keysOf(await store.find(THINGS, { ...OLDEST, after }))).toEqual(['at-4']);
    expect(keysOf(await store.find(THINGS, { ...OLDEST, order: 'newest_first', after }))).toEqual([
      'at-2',
      'at-1',
    ]);
  });
}

function bySequenceAndKey(
  a: { sequence: bigint; key: string },
  b: { sequence: bigint; key: string },
): number {
  if (a.sequence !== b.sequence) return a.sequence < b.sequence ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** No format for documents has a place for a document inside itself, so every store must fail on this one. */
function unstorable(key: string, position: bigint): StoredDocument {
  const document: Record<string, unknown> = { key };
  document.itself = document;
  return newDocument({ key, position, document });
}

function commitCases(storeOf: StoreOf): void {
  it('of nothing is fine', async () => {
    await commit(storeOf(), {});
    expect(await countDocuments(storeOf())).toEqual([0, 0, 0]);
  });

  it('writes documents, dead letters and checkpoints of several collections', async () => {
    const store = storeOf();
    await fill(store);
    expect(await countDocuments(store)).toEqual([1, 1, 1]);
    expect(await positions(store)).toEqual(['others v1 7', 'things v1 7', 'things v2 7']);
    expect(await store.countDeadLetters()).toBe(2);
  });

  it('takes thousands of documents at once', async () => {
    const store = storeOf();
    const many = Array.from({ length: 3_000 }, (_, index) =>
      newDocument({ key: `key-${index}`, position: BigInt(index + 1) }),
    );
    await write(store, THINGS, many);
    expect(await store.find(THINGS, { order: 'oldest_first', limit: 5_000 })).toHaveLength(3_000);
  });

  it.each([
    ['first', 0],
    ['in the middle', 1],
    ['last', 2],
  ])('leaves nothing behind when a write that stands %s fails', async (_, place) => {
    const store = storeOf();
    await write(store, OTHERS, [newDocument({ key: 'there', position: 1n, document: { n: 1 } })]);
    const writes = [
      { collection: THINGS, document: newDocument({ key: 'new', position: 2n }) },
      { collection: OTHERS, document: newDocument({ key: 'there', position: 2n, document: { n: 2 } }) },
    ];
    writes.splice(place, 0, { collection: THINGS, document: unstorable('bad', 2n) });
    const changes = { writes, deadLetters: [newDeadLetter()], checkpoints: [checkpoint(THINGS, 2n)] };
    await expect(store.commit(changes)).rejects.toMatchObject({ name: 'StoreError' });
    expect(await countDocuments(store)).toEqual([0, 0, 1]);
    expect((await store.get(OTHERS, 'there'))?.document).toEqual({ n: 1 });
    expect(await store.checkpoints()).toEqual([]);
    expect(await store.countDeadLetters()).toBe(0);
  });

  it('works again after one that failed', async () => {
    const store = storeOf();
    await expect(write(store, THINGS, [unstorable('one', 1n)])).rejects.toThrow();
    await write(store, THINGS, [newDocument({ key: 'one', position: 1n })]);
    expect(keysOf(await store.find(THINGS, OLDEST))).toEqual(['one']);
  });

  it('may be called again before the one before has answered', async () => {
    const store = storeOf();
    const commits = Array.from({ length: 20 }, (_, index) =>
      commit(store, {
        writes: [{ collection: THINGS, document: newDocument({ key: 'one', position: BigInt(index + 1) }) }],
        checkpoints: [checkpoint(THINGS, BigInt(index + 1))],
      }),
    );
    await Promise.all(commits);
    expect((await store.get(THINGS, 'one'))?.position).toBe(20n);
    expect(await positions(store)).toEqual(['things v1 20']);
  });
}

function checkpointCases(storeOf: StoreOf): void {
  it('are kept for each projection and version', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 3n), checkpoint(THINGS_V2, 1n)] });
    await commit(store, { checkpoints: [checkpoint(OTHERS, 2n), checkpoint(THINGS_V2, 2n)] });
    expect(await positions(store)).toEqual(['others v1 2', 'things v1 3', 'things v2 2']);
  });

  it.each([4n, 1n, 0n])('never go back, not to %s', async (position) => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 5n)] });
    await commit(store, { checkpoints: [checkpoint(THINGS, position)] });
    expect(await positions(store)).toEqual(['things v1 5']);
  });

  it('are objects with exactly a projection, a version and a position', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 5n)] });
    expect(await store.checkpoints()).toStrictEqual<Checkpoint[]>([
      { projection: 'things', version: 1, position: 5n },
    ]);
  });
}

function deadLetterCases(storeOf: StoreOf): void {
  it('come back whole', async () => {
    const store = storeOf();
    const letter = newDeadLetter({
      documentKey: '',
      position: 4_294_967_297n,
      cause: 'RangeError: "12,50" 💶 is not an amount\nin EUR',
      attempts: 3,
    });
    await commit(store, { deadLetters: [letter] });
    expect(await store.listDeadLetters({ limit: 1 })).toStrictEqual([letter]);
  });

  it('are stored once; one with more attempts tells what came of the last', async () => {
    const store = storeOf();
    const again = newDeadLetter({ cause: 'again', attempts: 9, deadSince: '2030-01-01T00:00:00.000Z' });
    await commit(store, { deadLetters: [newDeadLetter(), newDeadLetter({ cause: 'told twice' })] });
    expect(await store.listDeadLetters({ limit: 10 })).toStrictEqual([newDeadLetter()]);
    await commit(store, { deadLetters: [again] });
    await commit(store, { deadLetters: [newDeadLetter()] });
    const { cause, attempts } = again;
    expect(await store.listDeadLetters({ limit: 10 })).toStrictEqual([newDeadLetter({ cause, attempts })]);
    expect(await store.countDeadLetters()).toBe(1);
  });

  it('are apart for each projection, document and event', async () => {
    const store = storeOf();
    const deadLetters = [
      newDeadLetter(),
      newDeadLetter({ projection: 'others' }),
      newDeadLetter({ documentKey: 'thing-2' }),
      newDeadLetter({ position: 2n }),
    ];
    await commit(store, { deadLetters });
    expect(await store.countDeadLetters()).toBe(4);
    expect(await store.listDeadLetters({ limit: 10 })).toHaveLength(4);
  });

  it('are listed by position, of one projection or of all, at most as many as asked for', async () => {
    const store = storeOf();
    const deadLetters = [5n, 1n, 10n, 2n].map((position) => newDeadLetter({ position }));
    await commit(store, { deadLetters: [...deadLetters, newDeadLetter({ projection: '*', position: 3n })] });
    const listed = async (options: { projection?: string; limit: number }) =>
      (await store.listDeadLetters(options)).map(({ position }) => position);
    expect(await listed({ limit: 10 })).toEqual([1n, 2n, 3n, 5n, 10n]);
    expect(await listed({ limit: 2 })).toEqual([1n, 2n]);
    expect(await listed({ projection: 'things', limit: 3 })).toEqual([1n, 2n, 5n]);
    expect(await listed({ projection: '*', limit: 3 })).toEqual([3n]);
    expect(await listed({ projection: 'none', limit: 3 })).toEqual([]);
    expect(await store.countDeadLetters()).toBe(5);
  });
}

function settledCases(storeOf: StoreOf): void {
  const letters = [1n, 2n, 3n].flatMap((position) =>
    ['thing-1', 'thing-2'].map((documentKey) => newDeadLetter({ position, documentKey })),
  );
  const left = async (store: ReadModelStore, options: { projection?: string; documentKey?: string } = {}) =>
    (await store.listDeadLetters({ ...options, limit: 10 })).map(
      ({ projection, documentKey, position }) => `${projection} ${documentKey} ${position}`,
    );

  it('are no more, and all others stay', async () => {
    const store = storeOf();
    await commit(store, { deadLetters: [...letters, newDeadLetter({ projection: 'others' })] });
    const settled = [
      { projection: 'things', documentKey: 'thing-1', position: 1n },
      { projection: 'things', documentKey: 'thing-1', position: 3n },
      { projection: 'things', documentKey: 'thing-2', position: 2n },
      { projection: 'things', documentKey: 'never', position: 1n },
    ];
    await commit(store, { settled });
    await commit(store, { settled });
    expect((await left(store)).sort()).toEqual([
      'others thing-1 1',
      'things thing-1 2',
      'things thing-2 1',
      'things thing-2 3',
    ]);
    expect(await store.countDeadLetters()).toBe(4);
  });

  it('go with the commit that brings them, and may die again later', async () => {
    const store = storeOf();
    const letter = newDeadLetter();
    await commit(store, { deadLetters: [letter], settled: [letter] });
    expect(await store.countDeadLetters()).toBe(0);
    await commit(store, { deadLetters: [{ ...letter, cause: 'again' }] });
    expect(await store.listDeadLetters({ limit: 10 })).toStrictEqual([{ ...letter, cause: 'again' }]);
  });

  it('are found by the key of their document, in one projection or in all', async () => {
    const store = storeOf();
    const others = ['thing-1', 'thing', '%', ''].map((documentKey) =>
      newDeadLetter({ projection: 'others', documentKey, position: 9n }),
    );
    await commit(store, { deadLetters: [...letters, ...others] });
    expect(await left(store, { documentKey: 'thing-1' })).toEqual([
      'things thing-1 1',
      'things thing-1 2',
      'things thing-1 3',
      'others thing-1 9',
    ]);
    expect(await left(store, { projection: 'others', documentKey: 'thing-1' })).toEqual(['others thing-1 9']);
    expect(await left(store, { documentKey: '%' })).toEqual(['others % 9']);
    expect(await left(store, { documentKey: '' })).toEqual(['others  9']);
    expect(await left(store, { projection: 'none', documentKey: 'thing-1' })).toEqual([]);
  });
}

function blockedCases(storeOf: StoreOf): void {
  it('keep the body that they had', async () => {
    const store = storeOf();
    const before = newDocument({ key: 'one', position: 1n, document: { owner: 'ann' } });
    await write(store, THINGS, [before]);
    await write(store, THINGS, [{ ...before, position: 2n, blocked: true }]);
    const blocked = { ...before, position: 2n, blocked: true };
    expect(await store.get(THINGS, 'one')).toStrictEqual(blocked);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'ann' } })).toStrictEqual([blocked]);
  });

  it('have no body when their first event was the one that failed', async () => {
    const store = storeOf();
    await write(store, THINGS, [documentWithoutBody('one', 3n)]);
    expect(await store.get(THINGS, 'one')).toStrictEqual(documentWithoutBody('one', 3n));
    expect(await store.find(THINGS, OLDEST)).toStrictEqual([documentWithoutBody('one', 3n)]);
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'undefined' } })).toEqual([]);
  });

  it('are free again when a newer write says so', async () => {
    const store = storeOf();
    await write(store, THINGS, [documentWithoutBody('one', 3n)]);
    await write(store, THINGS, [newDocument({ key: 'one', position: 4n, document: { owner: 'ann' } })]);
    expect(await store.get(THINGS, 'one')).toStrictEqual({
      ...newDocument({ key: 'one', position: 4n, document: { owner: 'ann' } }),
      sequence: 3n,
    });
  });
}

function clearCases(storeOf: StoreOf): void {
  it('forgets the documents, the dead letters and the checkpoint of one collection, and no others', async () => {
    const store = storeOf();
    await fill(store);
    await store.clear(OTHERS);
    expect(await countDocuments(store)).toEqual([1, 1, 0]);
    expect(await positions(store)).toEqual(['things v1 7', 'things v2 7']);
    expect((await store.listDeadLetters({ limit: 10 })).map((one) => one.projection)).toEqual(['things']);
  });

  it('forgets one version only', async () => {
    const store = storeOf();
    await fill(store);
    await store.clear(THINGS);
    expect(await countDocuments(store)).toEqual([0, 1, 1]);
    expect(await positions(store)).toEqual(['others v1 7', 'things v2 7']);
  });

  it('lets older positions in again', async () => {
    const store = storeOf();
    const one = (position: bigint) =>
      newDocument({ key: 'one', position, document: { owner: `at-${position}` } });
    await write(store, THINGS, [one(9n)]);
    await commit(store, { checkpoints: [checkpoint(THINGS, 9n)] });
    await store.clear(THINGS);
    await write(store, THINGS, [one(2n)]);
    await commit(store, { checkpoints: [checkpoint(THINGS, 2n)] });
    expect(await store.find(THINGS, { ...OLDEST, where: { owner: 'at-2' } })).toStrictEqual([one(2n)]);
    expect(await positions(store)).toEqual(['things v1 2']);
  });

  it('of an empty collection is fine, and so is doing it twice', async () => {
    const store = storeOf();
    await store.clear(THINGS);
    await store.clear(THINGS);
    expect(await countDocuments(store)).toEqual([0, 0, 0]);
  });
}

/** Reads of one turn of the event loop may share a snapshot, so a test that reads again lets a turn pass. */
function readerCases(openedOf: Opened): void {
  it('sees what is committed, and nothing of what failed', async () => {
    const { store, openReader } = openedOf();
    const { reader, close } = await openReader();
    await fill(store);
    const failing = { writes: [newDocument({ key: 'two' }), unstorable('three', 1n)] };
    await expect(write(store, THINGS, failing.writes)).rejects.toThrow();
    expect(await countDocuments(reader)).toEqual([1, 1, 1]);
    expect(await positions(reader)).toEqual(['others v1 7', 'things v1 7', 'things v2 7']);
    expect(await reader.countDeadLetters()).toBe(2);
    expect(await reader.listDeadLetters({ projection: 'others', limit: 5 })).toHaveLength(1);
    await close();
  });

  it('never finds a checkpoint ahead of its documents while the writer works', async () => {
    const { store, openReader } = openedOf();
    const [first, second] = await Promise.all([openReader(), openReader()]);
    let writing = true;
    const read = async (reader: ReadModelReader) => {
      const seen: boolean[] = [];
      while (writing) {
        const [reached] = await reader.checkpoints();
        const document = await reader.get(THINGS, 'one');
        seen.push(reached === undefined || (document?.position ?? 0n) >= reached.position);
        await sleep(0);
      }
      return seen;
    };
    const reading = Promise.all([read(first.reader), read(second.reader)]);
    for (let position = 1n; position <= 100n; position += 1n) {
      const document = newDocument({ key: 'one', position });
      await commit(store, {
        writes: [{ collection: THINGS, document }],
        checkpoints: [checkpoint(THINGS, position)],
      });
      await sleep(0);
    }
    writing = false;
    const seen = (await reading).flat();
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).not.toContain(false);
    await Promise.all([first.close(), second.close()]);
  });

  it('sees every later change of what it has read before, also of what was not there', async () => {
    const { store, openReader } = openedOf();
    const { reader, close } = await openReader();
    const [there, missing] = ['there', 'missing'];
    await write(store, THINGS, [newDocument({ key: there, position: 1n })]);
    expect(await reader.get(THINGS, there)).toMatchObject({ position: 1n });
    expect(await reader.get(THINGS, missing)).toBeUndefined();
    for (const position of [2n, 3n, 4n]) {
      await write(store, THINGS, [
        newDocument({ key: there, position }),
        newDocument({ key: missing, position }),
      ]);
      await nextTurn();
      expect(await reader.get(THINGS, there)).toMatchObject({ position });
      expect(await reader.get(THINGS, missing)).toMatchObject({ position });
      expect(await reader.find(THINGS, { ...OLDEST, limit: 1 })).toMatchObject([{ position }]);
    }
    await close();
  });

  it('sees a collection that was cleared and filled anew', async () => {
    const { store, openReader } = openedOf();
    const { reader, close } = await openReader();
    await fill(store);
    expect(await countDocuments(reader)).toEqual([1, 1, 1]);
    await store.clear(THINGS);
    await write(store, THINGS, [newDocument({ key: 'anew' })]);
    await nextTurn();
    expect(keysOf(await reader.find(THINGS, OLDEST))).toEqual(['anew']);
    await close();
  });

  it('sees a store that was prepared for another event store', async () => {
    const { store, openReader } = openedOf();
    const { reader, close } = await openReader();
    await fill(store);
    expect(await reader.get(THINGS, 'one')).toBeDefined();
    await store.prepare(ALL, 'another-store');
    await nextTurn();
    expect(await reader.get(THINGS, 'one')).toBeUndefined();
    expect(await countDocuments(reader)).toEqual([0, 0, 0]);
    await close();
  });
}

function closeCases(openStore: () => Promise<OpenedReadModels>): void {
  it('may be called twice, and what is asked later fails clearly', async () => {
    const { store, dispose } = await openStore();
    await store.prepare(ALL, source);
    await store.close();
    await store.close();
    await expect(store.get(THINGS, 'one')).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.find(THINGS, OLDEST)).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.checkpoints()).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.listLeases()).rejects.toMatchObject({ name: 'StoreError' });
    await expect(write(store, THINGS, [newDocument({ key: 'one' })])).rejects.toMatchObject({
      name: 'StoreError',
    });
    await dispose();
  });
}
