/** The days that analytics are asked for, and the days, weeks or months into which they are broken down. All in UTC. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { withOffset } from './point-in-time.ts';

export const INTERVALS = ['day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

/** Five years, whichever of them are leap years. */
export const RANGE_DAYS_MAX = 5 * 366;
export const BUCKETS_MAX = 400;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Without `from`, a range begins up to a year before it ends; before year 0 a date has no four digits any more. */
const FIRST_DAY = dayOfTime('0001-01-01');

const DATE = z.iso.date();
const TIME = z.iso.datetime({ offset: true });

const edge = (description: string) =>
  z
    .string()
    .overwrite(withOffset)
    .refine((value) => DATE.safeParse(value).success || TIME.safeParse(value).success, {
      message: 'must be a date such as 2026-01-31, or a time such as 2026-02-01T00:00:00Z.',
      params: { code: 'invalid_time' },
    })
    .optional()
    .meta({ description });

export const analyticsRangeFields = {
  from: edge(
    'The first day: 2026-01-01, or the time at which it begins. Default: the last 30 days, 12 weeks or 12 months.',
  ),
  to: edge(
    'The last day: 2026-01-31; or the time before which it ends: 2026-02-01T00:00:00Z. Default: today.',
  ),
  interval: z
    .enum(INTERVALS)
    .default('day')
    .meta({ description: 'What it is broken down into: days, ISO weeks or months in UTC.' }),
};

const rangeSchema = z.object(analyticsRangeFields);
export type AskedRange = z.output<typeof rangeSchema>;

/** Days are counted from 1970-01-01 on. */
export interface Days {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** A day, week or month, or what of it is asked for. */
export interface Bucket extends Days {
  /** `2026-01-31`, `2026-W05` or `2026-01`. */
  readonly name: string;
}

export interface AnalyticsRange extends Days {
  readonly interval: Interval;
  /** Oldest first, without a gap. */
  readonly buckets: readonly Bucket[];
  /** Whether all of it is over; until then more may come. */
  readonly complete: boolean;
}

/**
 * The range that is meant.
 *
 * Rejects with `invalid_time`, `not_a_whole_day`, `time_in_future`, `invalid_range` or `range_too_large`.
 */
export function analyticsRange(asked: AskedRange, now: Date): Decision<AnalyticsRange> {
  const { interval } = asked;
  const today = dayNumber(now.getTime());
  const to = asked.to === undefined ? accept(today + 1) : dayAt(asked.to, 'to');
  if (!to.ok) return to;
  if (to.value > today + 1) return inFuture('to', now);
  const from = asked.from === undefined ? accept(defaultFrom(to.value, interval)) : dayAt(asked.from, 'from');
  if (!from.ok) return from;
  if (from.value > today) return inFuture('from', now);
  const days = { from: from.value, to: to.value };
  if (days.from >= days.to) {
    const field = asked.to === undefined ? 'from' : 'to';
    return reject('invalid_range', 'The range ends before it begins.', { field });
  }
  if (days.to - days.from > RANGE_DAYS_MAX) return tooLarge('days', RANGE_DAYS_MAX, days.to - days.from);
  const buckets = bucketsOf(days, interval);
  if (buckets.length > BUCKETS_MAX) return tooLarge(`${interval}s`, BUCKETS_MAX, buckets.length);
  return accept({ ...days, interval, buckets, complete: days.to <= today });
}

/** The day in which an instant lies. @param time RFC 3339 */
export function dayOfTime(time: string): number {
  return dayNumber(Date.parse(time));
}

/** @param time milliseconds since the epoch */
function dayNumber(time: number): number {
  return Math.floor(time / DAY_MS);
}

/** `YYYY-MM-DD` */
export function dayText(day: number): string {
  return startOf(day).slice(0, -'T00:00:00.000Z'.length);
}

/** The instant at which a day begins, RFC 3339 UTC. */
export function startOf(day: number): string {
  return new Date(day * DAY_MS).toISOString();
}

/** All days of a range, `YYYY-MM-DD`. */
export function daysOf({ from, to }: Days): string[] {
  return Array.from({ length: to - from }, (_, index) => dayText(from + index));
}

/** A date is the whole day, so that it is the last one as well as the first; a time is where a day begins. */
function dayAt(text: string, field: 'from' | 'to'): Decision<number> {
  const time = Date.parse(text);
  // A date that has the right form may still not exist.
  if (Number.isNaN(time)) return reject('invalid_time', `${field} is no time that exists.`, { field });
  const day = dayNumber(time);
  if (day < FIRST_DAY) return reject('invalid_time', `${field} is before 0001-01-01.`, { field });
  if (DATE.safeParse(text).success) return accept(field === 'to' ? day + 1 : day);
  if (time === day * DAY_MS) return accept(day);
  return reject(
    'not_a_whole_day',
    `${field} is ${new Date(time).toISOString()}, but days begin at 00:00 UTC; give a date, or the time at which one begins.`,
    { field },
  );
}

function defaultFrom(to: number, interval: Interval): number {
  const last = to - 1;
  if (interval === 'day') return to - 30;
  if (interval === 'week') return mondayOf(last) - 11 * 7;
  return firstOfMonth(last, -11);
}

function inFuture(field: 'from' | 'to', now: Date) {
  const facts = { now: now.toISOString() };
  return reject('time_in_future', `${field} is later than today; it is ${facts.now}.`, { field, facts });
}

function tooLarge(unit: string, maximum: number, asked: number) {
  return reject('range_too_large', `The range has ${asked} ${unit}; at most ${maximum} can be asked for.`, {
    field: 'from',
    facts: { maximum, asked, unit },
  });
}

/** The first and the last may be cut off by the range. */
function bucketsOf({ from, to }: Days, interval: Interval): Bucket[] {
  const buckets: Bucket[] = [];
  for (let day = from; day < to; ) {
    const next = Math.min(nextOf(day, interval), to);
    buckets.push({ name: nameOf(day, interval), from: day, to: next });
    day = next;
  }
  return buckets;
}

function nextOf(day: number, interval: Interval): number {
  if (interval === 'day') return day + 1;
  return interval === 'week' ? mondayOf(day) + 7 : firstOfMonth(day, 1);
}

function nameOf(day: number, interval: Interval): string {
  if (interval === 'day') return dayText(day);
  return interval === 'week' ? weekText(day) : dayText(day).slice(0, -'-DD'.length);
}

/** The Monday of the day's week: day 0 was a Thursday. */
function mondayOf(day: number): number {
  return Math.floor((day + 3) / 7) * 7 - 3;
}

/** ISO 8601: a week belongs to the year in which its Thursday lies. */
function weekText(day: number): string {
  const thursday = mondayOf(day) + 3;
  const year = dayText(thursday).slice(0, -'-MM-DD'.length);
  const week = Math.floor((thursday - dayOfTime(`${year}-01-01`)) / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** The first day of the day's month, or of one so many months later. */
function firstOfMonth(day: number, months: number): number {
  const date = new Date(day * DAY_MS);
  date.setUTCMonth(date.getUTCMonth() + months, 1);
  return dayNumber(date.getTime());
}
