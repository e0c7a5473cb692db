/**
 * Interest and monthly fees as they accrue: exact arithmetic on whole numbers, a day at a time, on the balance at its
 * end (UTC). The rules in words are in docs/interest.md.
 */

/** Accrual units in one minor unit: a rate of 0.0001 % a year on one minor unit accrues one of them a day. */
export const UNITS_PER_MINOR = 365n * 1_000_000n;

/** Decimals of a rate in percent. */
export const RATE_DECIMALS = 4;

/** Yearly rates in ten-thousandths of a percent, and a fee in minor units. */
export interface Terms {
  readonly credit_rate: bigint;
  readonly overdraft_rate: bigint;
  readonly monthly_fee: bigint;
}

export type InterestSide = 'credit' | 'overdraft';

/** What a month brought: interest of both sides in accrual units, the fee in minor units. */
export interface AccruedPeriod {
  readonly credit: bigint;
  readonly overdraft: bigint;
  readonly fee: bigint;
}

export interface Accrual {
  /** The first day that has not accrued yet, `YYYY-MM-DD`. */
  readonly from: string;
  /** What was not posted yet, by month: `YYYY-MM`. */
  readonly periods: Readonly<Record<string, AccruedPeriod>>;
  /** Accrual units that rounding has left over; negative when it gave too much. */
  readonly carry: Readonly<Record<InterestSide, bigint>>;
}

const NOTHING: AccruedPeriod = { credit: 0n, overdraft: 0n, fee: 0n };
const DAY_MS = 24 * 60 * 60 * 1000;

/** An account's accrual on the day on which it gets terms for the first time. */
export function startAccrual(day: string): Accrual {
  return { from: day, periods: {}, carry: { credit: 0n, overdraft: 0n } };
}

/**
 * Accrues all days before `day` that have not accrued yet; the balance has not changed since the first of them.
 * @param balance minor units
 */
export function accrueUntil(accrual: Accrual, day: string, balance: bigint, terms: Terms): Accrual {
  let { from } = accrual;
  if (day <= from) return accrual;
  const periods = { ...accrual.periods };
  while (from < day) {
    const period = from.slice(0, 7);
    const end = firstDayAfter(period);
    const until = day < end ? day : end;
    const days = BigInt((Date.parse(until) - Date.parse(from)) / DAY_MS);
    const before = periods[period] ?? NOTHING;
    const after = {
      credit: before.credit + (balance > 0n ? balance * terms.credit_rate * days : 0n),
      overdraft: before.overdraft + (balance < 0n ? -balance * terms.overdraft_rate * days : 0n),
      fee: before.fee + (until === end ? terms.monthly_fee : 0n),
    };
    if (!isNothing(after)) periods[period] = after;
    from = until;
  }
  return { ...accrual, from, periods };
}

/** What a side of all months up to `period` comes to, in minor units, rounded half to even. */
export function roundedInterest(accrual: Accrual, period: string, side: InterestSide): bigint {
  return halfToEven(unitsUntil(accrual, period, side), UNITS_PER_MINOR);
}

/** After a posting of interest: those months are settled, and the difference to what was posted is carried on. */
export function settleInterest(
  accrual: Accrual,
  period: string,
  side: InterestSide,
  posted: bigint,
): Accrual {
  const carry = unitsUntil(accrual, period, side) - posted * UNITS_PER_MINOR;
  const periods = mapPeriods(accrual.periods, (one, month) =>
    month <= period ? { ...one, [side]: 0n } : one,
  );
  return { ...accrual, periods, carry: { ...accrual.carry, [side]: carry } };
}

/** After the fee of a month was posted. */
export function settleFee(accrual: Accrual, period: string): Accrual {
  const periods = mapPeriods(accrual.periods, (one, month) => (month === period ? { ...one, fee: 0n } : one));
  return { ...accrual, periods };
}

function unitsUntil({ periods, carry }: Accrual, period: string, side: InterestSide): bigint {
  return Object.entries(periods)
    .filter(([month]) => month <= period)
    .reduce((total, [, one]) => total + one[side], carry[side]);
}

function mapPeriods(
  periods: Accrual['periods'],
  change: (one: AccruedPeriod, month: string) => AccruedPeriod,
): Accrual['periods'] {
  const changed = Object.entries(periods).map(([month, one]) => [month, change(one, month)] as const);
  return Object.fromEntries(changed.filter(([, one]) => !isNothing(one)));
}

function isNothing({ credit, overdraft, fee }: AccruedPeriod): boolean {
  return credit === 0n && overdraft === 0n && fee === 0n;
}

/** The quotient rounded to the nearest whole number, and a tie to the even one. `divisor` is above zero. */
export function halfToEven(dividend: bigint, divisor: bigint): bigint {
  const floor = dividend >= 0n ? dividend / divisor : -((-dividend + divisor - 1n) / divisor);
  const twice = (dividend - floor * divisor) * 2n;
  if (twice < divisor || (twice === divisor && floor % 2n === 0n)) return floor;
  return floor + 1n;
}

/** The first day of the month that follows `period`. */
export function firstDayAfter(period: string): string {
  const [year, month] = period.split('-').map(Number) as [number, number];
  const next = month === 12 ? [year + 1, 1] : [year, month + 1];
  return `${String(next[0]).padStart(4, '0')}-${String(next[1]).padStart(2, '0')}-01`;
}

/** A rate as it is written: percent a year, with four decimals. */
export function rateText(rate: bigint): string {
  const digits = rate.toString().padStart(RATE_DECIMALS + 1, '0');
  return `${digits.slice(0, -RATE_DECIMALS)}.${digits.slice(-RATE_DECIMALS)}`;
}

/** The other way round of `rateText`. @throws RangeError for a text that it did not write */
export function rateOf(text: string): bigint {
  if (!/^\d{1,3}\.\d{4}$/.test(text)) throw new RangeError(`${JSON.stringify(text)} is not a rate`);
  return BigInt(text.replace('.', ''));
}
