/** Which of a route's formats a client takes: RFC 9110 content negotiation by Accept. */

/** Media types in one Accept header that are looked at; nobody needs more. */
const RANGES_MAX = 32;

interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The format of the highest quality; among equals the one that stands first in `formats`.
 * @param formats media types by name
 * @returns `undefined` when the client takes none of them
 */
export function acceptedFormat<F extends string>(
  formats: Readonly<Record<F, string>>,
  accept: string | undefined,
): F | undefined {
  const names = Object.keys(formats) as F[];
  if (accept === undefined || accept.trim() === '') return names[0];
  const ranges = accept.split(',', RANGES_MAX).map(toRange);
  let best: F | undefined;
  let highest = 0;
  for (const name of names) {
    const quality = qualityOf(formats[name], ranges);
    if (quality <= highest) continue;
    highest = quality;
    best = name;
  }
  return best;
}

/** The quality of the most specific range that a type falls under: `text/csv` goes before `text/*`. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  for (const wanted of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((one) => one.type === wanted);
    if (range) return range.quality;
  }
  return 0;
}

function toRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
