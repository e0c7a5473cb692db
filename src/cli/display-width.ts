/** How many columns a terminal gives to a text. */
import { stripVTControlCharacters } from 'node:util';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PLAIN = /^[\x20-\x7e]*$/;
/** Letters of East Asia, their punctuation and full-width forms (UAX #11, W and F), and pictures. */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{RGI_Emoji})/v;
const HALF_WIDTH_FORM = /^[\uff61-\uffdc]/;
/** Marks and format characters that stand alone take no column. */
const EMPTY = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

/** The columns that a text takes; colours take none. */
export function displayWidth(text: string): number {
  const shown = stripVTControlCharacters(text);
  if (PLAIN.test(shown)) return shown.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(shown)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (EMPTY.test(grapheme)) return 0;
  return WIDE.test(grapheme) && !HALF_WIDTH_FORM.test(grapheme) ? 2 : 1;
}
