/** An account at a moment, as people see it: in full, or as flat fields that two moments can be compared by. */
import { type BankAccount, rateText, UNITS_PER_MINOR } from '../domain/bank-account.ts';
import { decimalsOf } from '../domain/currency.ts';
import { type DecimalString, toDecimal } from '../domain/money.ts';
import type { Moment } from '../event-sourcing/temporal-replay.ts';
import { type AccountState, accountState } from './bank.ts';

/** Decimals that accrued interest is shown with, beyond those of its currency. What is cut off is not lost. */
const ACCRUED_DECIMALS = 6;

/** When a moment is: as it was asked for, and what that came to. */
export interface MomentPlace {
  /** The instant that was asked for, in UTC; null when it was a revision, or the newest state. */
  readonly at: string | null;
  readonly revision: number;
  /** When the event of that revision happened. */
  readonly changed_at: string;
}

export interface AccountBalance extends MomentPlace {
  readonly account_id: string;
  readonly currency: string;
  readonly balance: DecimalString;
  readonly held: DecimalString;
  readonly overdraft_limit: DecimalString;
  readonly available_balance: DecimalString;
}

/** All that decisions on the account knew at that moment. */
export interface AccountMoment extends AccountState, MomentPlace {
  readonly credit_rate: DecimalString | null;
  readonly overdraft_rate: DecimalString | null;
  readonly monthly_fee: DecimalString | null;
  /** Those that were open. */
  readonly holds: {
    readonly id: string;
    readonly amount: DecimalString;
    readonly description: string;
    readonly expires_at: string | null;
  }[];
  /** What counted for the daily limit, and on which day; null before the first debit. */
  readonly debited: { readonly day: string; readonly amount: DecimalString } | null;
  /** Interest and fees of months that were not posted yet, on what had accrued by the last event. */
  readonly accrued: {
    readonly period: string;
    readonly credit_interest: DecimalString;
    readonly overdraft_interest: DecimalString;
    readonly fee: DecimalString;
  }[];
  /** Postings that were undone, in full or in part. */
  readonly reversed: { readonly transaction_id: string; readonly amount: DecimalString }[];
}

/** One field that two moments differ in; null is no value. */
export interface FieldChange {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

export function momentPlace({ revision, timestamp }: Moment<BankAccount>, at: string | null): MomentPlace {
  return { at, revision, changed_at: timestamp };
}

export function accountBalance(
  account_id: string,
  moment: Moment<BankAccount>,
  at: string | null,
): AccountBalance {
  const { currency, balance, held, overdraft_limit, available_balance } = accountState(account_id, moment);
  const place = momentPlace(moment, at);
  return { account_id, currency, balance, held, overdraft_limit, available_balance, ...place };
}

export function accountMoment(id: string, moment: Moment<BankAccount>, at: string | null): AccountMoment {
  const { state } = moment;
  const { currency, terms, debited } = state;
  const amount = (minor: bigint) => toDecimal(minor, currency);
  return {
    ...accountState(id, moment),
    credit_rate: terms && rateText(terms.credit_rate),
    overdraft_rate: terms && rateText(terms.overdraft_rate),
    monthly_fee: terms && amount(terms.monthly_fee),
    holds: Object.entries(state.holds).map(([hold, one]) => ({
      id: hold,
      amount: amount(one.amount),
      description: one.description,
      expires_at: one.expires_at ?? null,
    })),
    debited: debited.day === '' ? null : { day: debited.day, amount: amount(debited.amount) },
    accrued: Object.entries(state.accrual?.periods ?? {}).map(([period, one]) => ({
      period,
      credit_interest: accruedText(one.credit, currency),
      overdraft_interest: accruedText(one.overdraft, currency),
      fee: amount(one.fee),
    })),
    reversed: Object.entries(state.reversed).map(([transaction_id, one]) => ({
      transaction_id,
      amount: amount(one.amount),
    })),
    ...momentPlace(moment, at),
  };
}

/** The fields in which an account differs, in the order in which it has them; an account that is not there has none. */
export function changesBetween(
  before: BankAccount | undefined,
  after: BankAccount | undefined,
): FieldChange[] {
  const [old, current] = [fieldsOf(before), fieldsOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(current)]);
  return [...names].flatMap((field) => {
    const change = { field, before: old[field] ?? null, after: current[field] ?? null };
    return change.before === change.after ? [] : [change];
  });
}

function fieldsOf(state: BankAccount | undefined): Record<string, string | null> {
  if (!state) return {};
  const moment = accountMoment('', { state, revision: 0, timestamp: '' }, null);
  const { id: _id, revision: _revision, at: _at, changed_at: _changed, ...shown } = moment;
  const { holds, debited, accrued, reversed, ...plain } = shown;
  return {
    ...plain,
    'debited.day': debited?.day ?? null,
    'debited.amount': debited?.amount ?? null,
    ...Object.fromEntries(
      holds.map(({ id, amount, expires_at }) => [
        `holds.${id}`,
        expires_at ? `${amount} until ${expires_at}` : amount,
      ]),
    ),
    ...Object.fromEntries(
      accrued.flatMap(({ period, ...kinds }) =>
        Object.entries(kinds).map(([kind, amount]) => [`accrued.${period}.${kind}`, amount]),
      ),
    ),
    ...Object.fromEntries(
      reversed.map(({ transaction_id, amount }) => [`reversed.${transaction_id}`, amount]),
    ),
  };
}

/** Accrual units as an amount with more decimals, cut off. */
function accruedText(units: bigint, currency: string): DecimalString {
  const decimals = decimalsOf(currency) + ACCRUED_DECIMALS;
  const digits = ((units * 10n ** BigInt(ACCRUED_DECIMALS)) / UNITS_PER_MINOR)
    .toString()
    .padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
