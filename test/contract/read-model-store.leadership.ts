/** The part of the read model store contract about leaders: leases, fencing tokens, and several workers at once. */
import { expect, it, onTestFinished } from 'vitest';
import type {
  LeaseRecord,
  ReadModelStore,
  StoredDocument,
} from '../../src/event-sourcing/read-model-store.ts';
import { checkpoint, commit, newDeadLetter, newDocument, write } from '../support/read-model-builders.ts';
import {
  ALL,
  OLDEST,
  type Opened,
  OTHERS,
  positions,
  type StoreOf,
  THINGS,
  THINGS_V2,
} from './read-model-store.fixture.ts';

let tests = 0;

/** Leases outlive the documents, so each test has one of its own. */
function newLease(overrides: Partial<LeaseRecord> = {}): LeaseRecord {
  tests += 1;
  return { name: `work-${tests}`, holder: 'ann', token: 1, renewals: 0, ...overrides };
}

async function stored(
  store: Pick<ReadModelStore, 'listLeases'>,
  { name }: LeaseRecord,
): Promise<LeaseRecord[]> {
  return (await store.listLeases()).filter((one) => one.name === name);
}

export function leaseCases(openedOf: Opened): void {
  const storeOf = () => openedOf().store;

  it('come into being where there was none, and only there', async () => {
    const [store, lease] = [storeOf(), newLease()];
    expect(await stored(store, lease)).toEqual([]);
    expect(await store.swapLease(undefined, lease)).toBe(true);
    expect(await store.swapLease(undefined, { ...lease, holder: 'bob' })).toBe(false);
    expect(await stored(store, lease)).toStrictEqual([lease]);
  });

  it('change where the record is the one that was seen', async () => {
    const [store, lease] = [storeOf(), newLease()];
    await store.swapLease(undefined, lease);
    const steps = [
      { ...lease, renewals: 1 },
      { ...lease, holder: '', renewals: 2 },
      { ...lease, holder: 'bob', token: 4_294_967_297, renewals: 8_589_934_593 },
    ];
    let before = lease;
    for (const after of steps) {
      expect(await store.swapLease(before, after)).toBe(true);
      expect(await stored(store, lease)).toStrictEqual([after]);
      before = after;
    }
  });

  it.each<[string, Partial<LeaseRecord>]>([
    ['another holder', { holder: 'bob' }],
    ['no holder', { holder: '' }],
    ['another token', { token: 2 }],
    ['another number of renewals', { renewals: 1 }],
    ['another name', { name: 'never-seen' }],
  ])('stay as they are for who has seen %s', async (_, seen) => {
    const [store, lease] = [storeOf(), newLease()];
    await store.swapLease(undefined, lease);
    const before = { ...lease, ...seen };
    expect(await store.swapLease(before, { ...before, holder: 'eve', token: 9 })).toBe(false);
    expect(await store.swapLease(before, undefined)).toBe(false);
    expect(await stored(store, lease)).toStrictEqual([lease]);
  });

  it('go where the record is the one that was seen', async () => {
    const [store, lease] = [storeOf(), newLease()];
    await store.swapLease(undefined, lease);
    expect(await store.swapLease(lease, undefined)).toBe(true);
    expect(await stored(store, lease)).toEqual([]);
    expect(await store.swapLease(lease, { ...lease, renewals: 1 })).toBe(false);
    expect(await store.swapLease(undefined, lease)).toBe(true);
  });

  it.each([undefined, newLease()])(
    'go to exactly one of many who want them at once, after %o',
    async (before) => {
      const store = storeOf();
      const lease = before ?? newLease();
      if (before) await store.swapLease(undefined, before);
      const wanted = Array.from({ length: 12 }, (_, index) => ({
        ...lease,
        holder: `worker-${index}`,
        token: 2,
      }));
      const swapped = await Promise.all(wanted.map((after) => store.swapLease(before, after)));
      expect(swapped.filter(Boolean)).toHaveLength(1);
      expect(await stored(store, lease)).toStrictEqual([wanted[swapped.indexOf(true)]]);
    },
  );

  it('are seen by every reader, and outlive the documents', async () => {
    const { store, openReader } = openedOf();
    const [one, two] = [newLease(), newLease({ holder: '' })];
    await store.swapLease(undefined, one);
    await store.swapLease(undefined, two);
    await store.prepare(ALL, `another-store-${tests}`);
    const { reader, close } = await openReader();
    expect(await stored(reader, one)).toStrictEqual([one]);
    expect(await stored(reader, two)).toStrictEqual([two]);
    await close();
  });
}

function fencedBy(token: number): { readonly fence: { readonly lease: string; readonly token: number } } {
  return { fence: { lease: 'things', token } };
}

const FENCED = { name: 'StoreError', code: 'fenced' };

export function fenceCases(storeOf: StoreOf): void {
  it('let the same and every higher token on', async () => {
    const store = storeOf();
    for (const [token, position] of [
      [1, 1n],
      [1, 2n],
      [3, 3n],
      [4_294_967_297, 4n],
    ] as const) {
      await commit(store, { checkpoints: [checkpoint(THINGS, position)], ...fencedBy(token) });
    }
    expect(await positions(store)).toEqual(['things v1 4']);
  });

  it('refuse a lower token, and everything that comes with it', async () => {
    const store = storeOf();
    const letter = newDeadLetter({ position: 3n });
    await write(store, THINGS, [newDocument({ key: 'one', position: 1n })]);
    await commit(store, { deadLetters: [letter], checkpoints: [checkpoint(THINGS, 5n)], ...fencedBy(2) });
    const late = {
      writes: [
        { collection: THINGS, document: newDocument({ key: 'one', position: 6n }) },
        { collection: THINGS, document: newDocument({ key: 'two', position: 6n }) },
      ],
      deadLetters: [newDeadLetter({ position: 6n })],
      settled: [letter],
      checkpoints: [checkpoint(THINGS, 6n)],
      ...fencedBy(1),
    };
    await expect(commit(store, late)).rejects.toMatchObject(FENCED);
    expect(await store.find(THINGS, OLDEST)).toStrictEqual([newDocument({ key: 'one', position: 1n })]);
    expect(await store.listDeadLetters({ limit: 10 })).toStrictEqual([letter]);
    expect(await positions(store)).toEqual(['things v1 5']);
  });

  it('keep all checkpoints of a commit where they are when one of them is refused', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS_V2, 5n)], ...fencedBy(2) });
    const checkpoints = [checkpoint(THINGS, 7n), checkpoint(THINGS_V2, 7n), checkpoint(OTHERS, 7n)];
    await expect(commit(store, { checkpoints, ...fencedBy(1) })).rejects.toMatchObject(FENCED);
    expect(await positions(store)).toEqual(['things v2 5']);
  });

  it('are apart for each projection and version', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 5n)], ...fencedBy(9) });
    await commit(store, { checkpoints: [checkpoint(THINGS_V2, 6n), checkpoint(OTHERS, 6n)], ...fencedBy(1) });
    expect(await positions(store)).toEqual(['others v1 6', 'things v1 5', 'things v2 6']);
  });

  it('rise with a checkpoint that is behind, which moves nothing', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 5n)], ...fencedBy(1) });
    await commit(store, { checkpoints: [checkpoint(THINGS, 0n)], ...fencedBy(2) });
    expect(await positions(store)).toEqual(['things v1 5']);
    const late = { checkpoints: [checkpoint(THINGS, 6n)], ...fencedBy(1) };
    await expect(commit(store, late)).rejects.toMatchObject(FENCED);
    await commit(store, { checkpoints: [checkpoint(THINGS, 6n)], ...fencedBy(2) });
    expect(await positions(store)).toEqual(['things v1 6']);
  });

  it('can be set before there is anything', async () => {
    const store = storeOf();
    await commit(store, { checkpoints: [checkpoint(THINGS, 0n)], ...fencedBy(2) });
    const late = { checkpoints: [checkpoint(THINGS, 6n)], ...fencedBy(1) };
    await expect(commit(store, late)).rejects.toMatchObject(FENCED);
    expect(await positions(store)).toEqual(['things v1 0']);
  });
}

/** Several stores of the same documents, as several workers have them. */
export function workerCases(openedOf: Opened, sourceOf: () => string): void {
  async function openSecond(): Promise<ReadModelStore> {
    const second = await openedOf().openSecond?.();
    if (!second) throw new Error('This store has one writer.');
    onTestFinished(() => second.close());
    return second;
  }

  it('prepare at the same time', async () => {
    const { store } = openedOf();
    const workers = [store, ...(await Promise.all([openSecond(), openSecond(), openSecond()]))];
    await write(store, THINGS, [newDocument({ key: 'old', position: 99n })]);
    await commit(store, { deadLetters: [newDeadLetter()], checkpoints: [checkpoint(THINGS, 99n)] });
    const prepared = workers.map(async (worker, index) => {
      await worker.prepare(ALL, 'another-store');
      const document = newDocument({ key: `of-${index}`, position: BigInt(index + 1) });
      await write(worker, THINGS, [document]);
      await commit(worker, { checkpoints: [checkpoint(THINGS, document.position)] });
    });
    await Promise.all(prepared);
    const keys = (await store.find(THINGS, OLDEST)).map(({ key }) => key);
    expect(keys).toEqual(['of-0', 'of-1', 'of-2', 'of-3']);
    expect(await positions(store)).toEqual(['things v1 4']);
    expect(await store.countDeadLetters()).toBe(0);
  });

  it('refuse a worker whose event store is not the one of these documents any more', async () => {
    const { store } = openedOf();
    const late = await openSecond();
    await late.prepare(ALL, 'old-store');
    await store.prepare(ALL, 'new-store');
    const changes = {
      writes: [{ collection: THINGS, document: newDocument({ key: 'one', position: 50n }) }],
      deadLetters: [newDeadLetter()],
      checkpoints: [checkpoint(THINGS, 50n)],
    };
    await expect(commit(late, changes)).rejects.toMatchObject(FENCED);
    expect(await store.find(THINGS, OLDEST)).toEqual([]);
    expect(await store.countDeadLetters()).toBe(0);
    expect(await store.checkpoints()).toEqual([]);
  });

  it('write the same documents at once, and the newest of each is what stays', async () => {
    const { store } = openedOf();
    const workers = [store, await openSecond(), await openSecond()];
    await Promise.all(workers.map((worker, index) => index && worker.prepare(ALL, sourceOf())));
    const keys = Array.from({ length: 40 }, (_, index) => `k${10 + index}`);
    const written = workers.flatMap((worker, index) =>
      [1, 4, 7].map((first) => {
        const position = BigInt(first + index);
        const documents = keys.map((key) => newDocument({ key, position, document: { at: `${position}` } }));
        return write(worker, THINGS, documents);
      }),
    );
    await Promise.all(written);
    const found = await store.find(THINGS, { ...OLDEST });
    expect(found.map(({ key }) => key).sort()).toEqual(keys);
    expect(new Set(found.map(({ position }) => position))).toEqual(new Set([9n]));
    expect(found.every(({ document }) => document?.at === '9')).toBe(true);
  });

  it('take over from one that is paused, and nothing of what it does later does harm', async () => {
    const { store: paused } = openedOf();
    const next = await openSecond();
    await next.prepare(ALL, sourceOf());
    const at = (position: bigint): StoredDocument =>
      newDocument({ key: 'one', sequence: 1n, position, document: { balance: `${position}.00` } });
    const step = (position: bigint, token: number) => ({
      writes: [{ collection: THINGS, document: at(position) }],
      checkpoints: [checkpoint(THINGS, position)],
      ...fencedBy(token),
    });
    const lease = newLease({ holder: 'paused', token: 1 });
    await paused.swapLease(undefined, lease);
    await commit(paused, step(1n, 1));
    // Its lease stands still; another worker takes it over, marks the checkpoint and goes on.
    const taken = { ...lease, holder: 'next', token: 2 };
    expect(await next.swapLease(lease, taken)).toBe(true);
    await commit(next, { checkpoints: [checkpoint(THINGS, 0n)], ...fencedBy(2) });
    await commit(next, step(3n, 2));
    // It wakes up in the middle of what it was doing.
    await expect(commit(paused, step(2n, 1))).rejects.toMatchObject(FENCED);
    await expect(commit(paused, step(9n, 1))).rejects.toMatchObject(FENCED);
    await write(paused, THINGS, [at(2n)]);
    expect(await paused.swapLease(lease, { ...lease, renewals: 1 })).toBe(false);
    expect(await next.get(THINGS, 'one')).toStrictEqual(at(3n));
    expect(await positions(next)).toEqual(['things v1 3']);
    expect(await stored(next, lease)).toStrictEqual([taken]);
  });
}
