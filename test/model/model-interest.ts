/** Interest and fees in the model: one day after the other, in plain steps, as docs/interest.md tells it. */
import type { ModelAccount } from './model-bank.ts';

const DAY_MS = 86_400_000;
/** A yearly rate counts ten-thousandths of a percent; a year has 365 days. */
const UNITS = 365n * 100n * 10_000n;

export interface ModelTerms {
  /** Ten-thousandths of a percent a year. */
  readonly creditRate: bigint;
  readonly overdraftRate: bigint;
  /** Minor units. */
  readonly monthlyFee: bigint;
}

/** What every month has brought so far, and what was posted in all; units are 1/365,000,000 of a minor unit. */
export interface ModelAccrual {
  /** The day that has not ended yet, `YYYY-MM-DD`. */
  today: string;
  readonly credit: Map<string, bigint>;
  readonly overdraft: Map<string, bigint>;
  /** Fees that are due, by month. */
  readonly fees: Map<string, bigint>;
  creditPosted: bigint;
  overdraftPosted: bigint;
}

export function newAccrual(today: string): ModelAccrual {
  return {
    today,
    credit: new Map(),
    overdraft: new Map(),
    fees: new Map(),
    creditPosted: 0n,
    overdraftPosted: 0n,
  };
}

/** Ends all days before `day`, with the balance that the account has had since. */
export function endDaysUntil(account: ModelAccount, day: string): void {
  const { accrual, terms, balance } = account;
  if (!accrual || !terms) return;
  while (accrual.today < day) {
    const month = accrual.today.slice(0, 7);
    const tomorrow = new Date(Date.parse(accrual.today) + DAY_MS).toISOString().slice(0, 10);
    if (balance > 0n) add(accrual.credit, month, balance * terms.creditRate);
    if (balance < 0n) add(accrual.overdraft, month, -balance * terms.overdraftRate);
    if (!tomorrow.startsWith(month)) add(accrual.fees, month, terms.monthlyFee);
    accrual.today = tomorrow;
  }
}

function add(months: Map<string, bigint>, month: string, units: bigint): void {
  months.set(month, (months.get(month) ?? 0n) + units);
}

export interface Charge {
  readonly type: 'INTEREST' | 'FEE';
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly minor: bigint;
  readonly period: string;
}

/** What a run for `period` has to post, oldest month first; afterwards it is posted. */
export function takeCharges(accrual: ModelAccrual, period: string): Charge[] {
  const months = new Set([...accrual.credit.keys(), ...accrual.overdraft.keys(), ...accrual.fees.keys()]);
  const charges: Charge[] = [];
  for (const month of [...months].filter((one) => one <= period).sort()) {
    const credit = roundHalfEven(totalUntil(accrual.credit, month)) - accrual.creditPosted;
    if (credit > 0n) {
      accrual.creditPosted += credit;
      charges.push({ type: 'INTEREST', direction: 'CREDIT', minor: credit, period: month });
    }
    const overdraft = roundHalfEven(totalUntil(accrual.overdraft, month)) - accrual.overdraftPosted;
    if (overdraft > 0n) {
      accrual.overdraftPosted += overdraft;
      charges.push({ type: 'INTEREST', direction: 'DEBIT', minor: overdraft, period: month });
    }
    const fee = accrual.fees.get(month) ?? 0n;
    accrual.fees.delete(month);
    if (fee > 0n) charges.push({ type: 'FEE', direction: 'DEBIT', minor: fee, period: month });
  }
  return charges;
}

function totalUntil(months: ReadonlyMap<string, bigint>, last: string): bigint {
  let total = 0n;
  for (const [month, units] of months) if (month <= last) total += units;
  return total;
}

/** Nothing here is below zero. */
function roundHalfEven(units: bigint): bigint {
  const whole = units / UNITS;
  const twice = (units % UNITS) * 2n;
  if (twice > UNITS || (twice === UNITS && whole % 2n === 1n)) return whole + 1n;
  return whole;
}
