/** Which items of a batch may be under way together. */
import { describe, expect, it } from 'vitest';
import { Levels, type Touch } from '../../src/application/commands/batch-levels.ts';

const posting = (what: string): Touch[] => [{ what, kind: 'posting' }];
const transfer = (from: string, to: string): Touch[] => [
  { what: from, kind: 'debit' },
  { what: to, kind: 'credit' },
];

function levelsOf(items: readonly Touch[][]): number[] {
  const levels = new Levels();
  return items.map((touches) => levels.place(touches));
}

describe('the levels of a batch', () => {
  it('is one for postings alone, because each account keeps their order by itself', () => {
    expect(levelsOf([posting('a'), posting('b'), posting('a')])).toEqual([0, 0, 0]);
  });

  it('is one for transfers from one account to many, and from many to one', () => {
    expect(levelsOf([transfer('a', 'b'), transfer('a', 'c'), transfer('a', 'd')])).toEqual([0, 0, 0]);
    expect(levelsOf([transfer('b', 'a'), transfer('c', 'a'), transfer('d', 'a')])).toEqual([0, 0, 0]);
  });

  it('lets money arrive before it goes on, and leave before it comes back', () => {
    expect(levelsOf([transfer('a', 'b'), transfer('b', 'c'), transfer('c', 'a')])).toEqual([0, 1, 2]);
  });

  it('keeps postings and transfers of an account apart, in the order of the batch', () => {
    const items = [posting('a'), transfer('a', 'b'), posting('a'), posting('b'), posting('c')];
    expect(levelsOf(items)).toEqual([0, 1, 2, 2, 0]);
  });

  it('never lets an item overtake one that waits for another account', () => {
    // The second transfer waits for b, so the posting on c must wait for the second transfer.
    expect(levelsOf([transfer('a', 'b'), transfer('b', 'c'), posting('c'), transfer('d', 'c')])).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('has one of a key after the other', () => {
    const once: Touch = { what: 'operation 1', kind: 'alone' };
    expect(
      levelsOf([
        [...transfer('a', 'b'), once],
        [...transfer('a', 'b'), once],
      ]),
    ).toEqual([0, 1]);
  });
});
