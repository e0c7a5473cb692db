/** The figures of one UTC day in one currency, which the read models for analytics have in common. */
import type { TransactionRecorded } from '../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';

/** The postings of one direction; there is at least one. */
export type DaySide = {
  readonly count: number;
  readonly total: DecimalString;
  /** Of several that are equally large, the one that came first. */
  readonly largest: DecimalString;
  readonly largest_id: string;
};

/** Null where there was none. */
export type DayFigures = {
  readonly credits: DaySide | null;
  readonly debits: DaySide | null;
};

/** The day by which a posting counts, `YYYY-MM-DD`: that of its business time, as in statements. */
export function dayOf({ timestamp }: { readonly timestamp: string }): string {
  return timestamp.slice(0, 'YYYY-MM-DD'.length);
}

/** One direction with one more posting in it. */
export function sideWith(side: DaySide | null | undefined, posting: TransactionRecorded['data']): DaySide {
  const { amount, currency, transaction_id } = posting;
  if (!side) return { count: 1, total: amount, largest: amount, largest_id: transaction_id };
  const minor = toMinor(amount, currency);
  const larger = minor > toMinor(side.largest, currency);
  return {
    count: side.count + 1,
    total: toDecimal(toMinor(side.total, currency) + minor, currency),
    largest: larger ? amount : side.largest,
    largest_id: larger ? transaction_id : side.largest_id,
  };
}

/** The amounts of a day in minor units. */
export function dayMinorUnits({ credits, debits }: DayFigures, currency: string) {
  return {
    ...(credits ? { credits: sideMinorUnits(credits, currency) } : {}),
    ...(debits ? { debits: sideMinorUnits(debits, currency) } : {}),
  };
}

function sideMinorUnits({ total, largest }: DaySide, currency: string) {
  return { total: toMinor(total, currency), largest: toMinor(largest, currency) };
}
