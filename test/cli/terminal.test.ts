/** Columns and figures for people. */
import { styleText } from 'node:util';
import { describe, expect, it } from 'vitest';
import { closest } from '../../src/cli/closest.ts';
import { displayWidth } from '../../src/cli/display-width.ts';
import { alignColumns, formatBytes, formatCount, formatDuration } from '../../src/cli/terminal.ts';

describe('columns', () => {
  it('line up, figures to the right, whatever their colour', () => {
    const green = styleText('green', 'ok', { validateStream: false });
    const rows = [
      ['name', 'lag', 'state'],
      ['a', '1,000', green],
    ];
    expect(alignColumns(rows, { indent: 2, right: [1] })).toBe(
      `  name    lag  state\n  a     1,000  ${green}`,
    );
  });
});

describe('figures', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [7505, '2 h 5 min'],
    [90_000, '1 d 1 h'],
    [86_460, '1 d'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [3 * 1024 ** 4, '3.0 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('groups digits', () => expect(formatCount(1234567)).toBe('1,234,567'));
});

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['Zoë', 3],
    ['Zoe\u0308', 3],
    ['山田 太郎', 9],
    ['ｱｲｳ', 3],
    ['Ａ', 2],
    ['한글', 4],
    ['👩‍👩‍👧x', 3],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['❤', 1],
    ['Łukasz', 6],
    ['a\u200bb', 2],
    ['\u001b[32mok\u001b[39m', 2],
  ])('%j is %d columns', (text, width) => expect(displayWidth(text)).toBe(width));
});

describe('the name that was meant', () => {
  const names = ['open', 'show', 'transactions'];
  it.each([
    ['opne', 'open'],
    ['shw', 'show'],
    ['transaction', 'transactions'],
    ['shown', 'show'],
    ['frobnicate', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('by %.20s is %s', (typed, meant) => expect(closest(typed, names)).toBe(meant));
});
