/** The part of the read model store contract about builds: fillings beside each other, one of which is served. */
import { beforeEach, expect, it } from 'vitest';
import type { Collection } from '../../src/event-sourcing/read-model-store.ts';
import {
  checkpoint,
  commit,
  keysOf,
  newDeadLetter,
  newDocument,
  write,
} from '../support/read-model-builders.ts';
import { OLDEST, type Opened, OTHERS, positions, THINGS, THINGS_V2 } from './read-model-store.fixture.ts';

const built = (collection: Collection, build: number): Collection => ({ ...collection, build });
/** A number is never given twice in one store. */
let newest = 0;
let [FIRST, SECOND, NEW_VERSION] = [THINGS, THINGS, THINGS_V2];
const at = (collection: Collection, position: bigint) => ({
  ...checkpoint(collection, position),
  build: collection.build ?? 0,
});

export function buildCases(opened: Opened, sourceOf: () => string): void {
  beforeEach(() => {
    FIRST = built(THINGS, newest + 1);
    SECOND = built(THINGS, newest + 2);
    NEW_VERSION = built(THINGS_V2, newest + 3);
    newest += 3;
  });
  const store = () => opened().store;
  const numberOf = ({ build = 0 }: Collection) => build;
  const prepare = (...collections: Collection[]) => store().prepare(collections, sourceOf());
  const one = (owner: string) => [newDocument({ key: 'one', document: { owner } })];
  const ownerOf = async (collection: Collection) => (await store().get(collection, 'one'))?.document?.owner;

  it('are filled beside what is served, and seen by their number alone', async () => {
    await prepare(FIRST, SECOND);
    await store().promote([FIRST]);
    await write(store(), FIRST, one('ann'));
    await write(store(), SECOND, one('bob'));
    expect(await ownerOf(THINGS)).toBe('ann');
    expect(await ownerOf(THINGS_V2)).toBe('ann');
    expect(await ownerOf(SECOND)).toBe('bob');
    const found = await store().find(THINGS, { ...OLDEST, where: { owner: 'bob' } });
    expect(keysOf(found)).toEqual([]);
  });

  it('take the place of what was served, of whatever version, in one step', async () => {
    await prepare(FIRST, NEW_VERSION);
    await store().promote([FIRST]);
    await write(store(), FIRST, one('ann'));
    await write(store(), NEW_VERSION, one('bob'));
    await store().promote([NEW_VERSION]);
    await store().promote([NEW_VERSION]);
    expect(await ownerOf(THINGS)).toBe('bob');
    expect(keysOf(await store().find(THINGS_V2, { ...OLDEST, where: { owner: 'bob' } }))).toEqual(['one']);
    await write(store(), NEW_VERSION, [
      newDocument({ key: 'one', position: 2n, document: { owner: 'cid' } }),
    ]);
    expect(await ownerOf(THINGS)).toBe('cid');
  });

  it('are seen by another reader as soon as they are served', async () => {
    await prepare(FIRST, SECOND);
    await store().promote([FIRST]);
    await write(store(), FIRST, one('ann'));
    await write(store(), SECOND, one('bob'));
    const { reader, close } = await opened().openReader();
    expect((await reader.get(THINGS_V2, 'one'))?.document).toEqual({ owner: 'ann' });
    await store().promote([SECOND]);
    expect(await reader.builds()).toContainEqual(
      expect.objectContaining({ projection: 'things', version: 1, build: numberOf(SECOND), live: true }),
    );
    expect((await reader.get(THINGS_V2, 'one'))?.document).toEqual({ owner: 'bob' });
    await close();
  });

  it('have checkpoints of their own; the served one counts', async () => {
    await prepare(FIRST, SECOND, OTHERS);
    await store().promote([FIRST]);
    await commit(store(), { checkpoints: [at(FIRST, 5n), at(SECOND, 3n), checkpoint(OTHERS, 4n)] });
    expect(await positions(store())).toEqual(['others v1 4', 'things v1 5']);
    await store().promote([SECOND]);
    expect(await positions(store())).toEqual(['others v1 4', 'things v1 3']);
    const builds = await store().builds();
    expect(builds).toHaveLength(3);
    expect(builds).toContainEqual({
      projection: 'things',
      version: 1,
      build: numberOf(FIRST),
      live: false,
      position: 5n,
    });
    expect(builds).toContainEqual({
      projection: 'things',
      version: 1,
      build: numberOf(SECOND),
      live: true,
      position: 3n,
    });
  });

  it('have dead letters of their own; those of the served one are listed', async () => {
    await prepare(FIRST, SECOND);
    await store().promote([FIRST]);
    const letter = newDeadLetter();
    await commit(store(), {
      deadLetters: [
        { ...letter, build: numberOf(FIRST) },
        { ...letter, build: numberOf(SECOND), cause: 'new' },
      ],
    });
    expect(await store().listDeadLetters({ limit: 9 })).toStrictEqual([letter]);
    expect(await store().countDeadLetters()).toBe(1);
    expect(
      await store().listDeadLetters({ projection: 'things', build: numberOf(SECOND), limit: 9 }),
    ).toMatchObject([{ cause: 'new' }]);
    await store().promote([SECOND]);
    expect(await store().listDeadLetters({ limit: 9 })).toMatchObject([{ cause: 'new' }]);
    await commit(store(), { settled: [{ ...letter, build: numberOf(SECOND) }] });
    expect(await store().countDeadLetters()).toBe(0);
  });

  it('are gone when they are dropped, with all that belongs to them', async () => {
    await prepare(FIRST, SECOND);
    await store().promote([FIRST]);
    await write(store(), FIRST, one('ann'));
    await write(store(), SECOND, one('bob'));
    await commit(store(), {
      checkpoints: [at(FIRST, 5n), at(SECOND, 3n)],
      deadLetters: [{ ...newDeadLetter(), build: numberOf(SECOND) }],
    });
    await store().drop([SECOND]);
    await store().drop([SECOND]);
    expect((await store().builds()).map(({ build }) => build)).toEqual([numberOf(FIRST)]);
    expect(
      await store().listDeadLetters({ projection: 'things', build: numberOf(SECOND), limit: 9 }),
    ).toEqual([]);
    await prepare(SECOND);
    expect(await ownerOf(SECOND)).toBeUndefined();
    expect(await ownerOf(THINGS)).toBe('ann');
  });

  it('take over what was filled without one, and go on in it', async () => {
    await prepare(THINGS, THINGS_V2);
    await write(store(), THINGS, one('ann'));
    await write(store(), THINGS_V2, one('bob'));
    await commit(store(), { checkpoints: [checkpoint(THINGS, 1n), checkpoint(THINGS_V2, 1n)] });
    await store().promote([built(THINGS_V2, 0)]);
    expect(await ownerOf(THINGS_V2)).toBe('bob');
    await store().drop([built(THINGS, 0)]);
    await prepare(built(THINGS_V2, 0), FIRST);
    const later = newDocument({ key: 'one', position: 2n, document: { owner: 'cid' } });
    await write(store(), built(THINGS_V2, 0), [later]);
    expect(await ownerOf(THINGS_V2)).toBe('cid');
    await write(store(), FIRST, one('dan'));
    await store().promote([FIRST]);
    await store().drop([built(THINGS_V2, 0)]);
    expect(await ownerOf(THINGS)).toBe('dan');
  });

  it('cannot be promoted by one who does not lead any more: then the old one goes on being served', async () => {
    const fence = (token: number) => ({ lease: 'things', token });
    await prepare(FIRST, SECOND);
    await store().promote([FIRST], fence(1));
    await write(store(), FIRST, one('ann'));
    await commit(store(), { checkpoints: [at(SECOND, 0n)], fence: fence(2) });
    await expect(store().promote([SECOND], fence(1))).rejects.toMatchObject({ code: 'fenced' });
    expect(await ownerOf(THINGS)).toBe('ann');
    await store().promote([SECOND], fence(2));
    expect(await ownerOf(THINGS)).toBeUndefined();
  });

  it('go with the event store that they came from', async () => {
    await prepare(FIRST);
    await store().promote([FIRST]);
    await write(store(), FIRST, one('ann'));
    await store().prepare([], `${sourceOf()}-another`);
    expect(await store().builds()).toEqual([]);
    await store().prepare([FIRST], `${sourceOf()}-another`);
    await store().promote([FIRST]);
    expect(await ownerOf(THINGS)).toBeUndefined();
  });
}
