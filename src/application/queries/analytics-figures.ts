/** Adds up the figures of days, exactly, and shows them as totals, averages and flows. Nothing here reads a store. */
import { halfToEven } from '../../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../../domain/money.ts';
import type { DayFigures, DaySide } from '../../projections/day-figures.ts';
import { type AnalyticsRange, type Bucket, dayText, startOf } from './analytics-range.ts';

/** Amounts are of one currency. */
export interface ShownFigures {
  readonly transaction_count: number;
  readonly credit_count: number;
  readonly debit_count: number;
  readonly total_credits: DecimalString;
  readonly total_debits: DecimalString;
  /** Credits less debits. */
  readonly net_flow: DecimalString;
  /** Of the sizes of all transactions, whichever their direction; averages are null where there is none. */
  readonly average_transaction: DecimalString | null;
  readonly average_credit: DecimalString | null;
  readonly average_debit: DecimalString | null;
  readonly largest_credit: LargestTransaction | null;
  readonly largest_debit: LargestTransaction | null;
}

export interface LargestTransaction {
  readonly amount: DecimalString;
  readonly transaction_id: string;
  readonly date: string;
}

export interface ShownBucket extends ShownFigures {
  readonly name: string;
  /** RFC 3339 UTC. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
}

/** The figures of the whole range, and of its parts: those without transactions too. */
export interface Breakdown extends ShownFigures {
  readonly buckets: ShownBucket[];
}

/** Minor units. */
interface Side {
  count: number;
  total: bigint;
  largest: { readonly minor: bigint; readonly transaction_id: string; readonly date: string } | undefined;
}

interface Sum {
  readonly credits: Side;
  readonly debits: Side;
}

/**
 * Breaks days of one currency down.
 * @param days by date; of one date there may be several, such as those of several accounts
 */
export function breakdown(
  { buckets }: Pick<AnalyticsRange, 'buckets'>,
  currency: string,
  days: ReadonlyMap<string, readonly DayFigures[]>,
): Breakdown {
  const whole = newSum();
  const parts = buckets.map((bucket) => {
    const part = newSum();
    for (let day = bucket.from; day < bucket.to; day += 1) {
      const date = dayText(day);
      for (const figures of days.get(date) ?? []) {
        add(part, figures, currency, date);
        add(whole, figures, currency, date);
      }
    }
    return { ...edgesOf(bucket), ...shown(part, currency) };
  });
  return { ...shown(whole, currency), buckets: parts };
}

function newSum(): Sum {
  const side = (): Side => ({ count: 0, total: 0n, largest: undefined });
  return { credits: side(), debits: side() };
}

function add(sum: Sum, { credits, debits }: DayFigures, currency: string, date: string): void {
  if (credits) addSide(sum.credits, credits, currency, date);
  if (debits) addSide(sum.debits, debits, currency, date);
}

/** Of several that are equally large, the one of the earliest day stays. */
function addSide(side: Side, { count, total, largest, largest_id }: DaySide, currency: string, date: string) {
  side.count += count;
  side.total += toMinor(total, currency);
  const minor = toMinor(largest, currency);
  if (side.largest && side.largest.minor >= minor) return;
  side.largest = { minor, transaction_id: largest_id, date };
}

function edgesOf({ name, from, to }: Bucket) {
  return { name, from: startOf(from), to: startOf(to) };
}

function shown({ credits, debits }: Sum, currency: string): ShownFigures {
  const count = credits.count + debits.count;
  return {
    transaction_count: count,
    credit_count: credits.count,
    debit_count: debits.count,
    total_credits: toDecimal(credits.total, currency),
    total_debits: toDecimal(debits.total, currency),
    net_flow: toDecimal(credits.total - debits.total, currency),
    average_transaction: average(credits.total + debits.total, count, currency),
    average_credit: average(credits.total, credits.count, currency),
    average_debit: average(debits.total, debits.count, currency),
    largest_credit: shownLargest(credits, currency),
    largest_debit: shownLargest(debits, currency),
  };
}

/** To the currency's decimals, half to even: as interest is rounded. */
function average(total: bigint, count: number, currency: string): DecimalString | null {
  return count === 0 ? null : toDecimal(halfToEven(total, BigInt(count)), currency);
}

function shownLargest({ largest }: Side, currency: string): LargestTransaction | null {
  if (!largest) return null;
  const { minor, transaction_id, date } = largest;
  return { amount: toDecimal(minor, currency), transaction_id, date };
}
