/** Decisions about an account's interest rates and fee, and about posting what they came to in a month. */
import { accept, type Decision, reject } from '../decision.ts';
import { parseNonNegativeAmount, toDecimal } from '../money.ts';
import type { BankAccountEvent, Direction } from './events.ts';
import { type InterestSide, RATE_DECIMALS, rateText, roundedInterest } from './interest.ts';
import { transaction } from './posting.ts';
import { closedAlready, refuseBeyondLargestBalance } from './rules.ts';
import { accruedUntil, type BankAccount, evolveBankAccount } from './state.ts';

const RATE_MAX = 100n * 10n ** BigInt(RATE_DECIMALS);
/** Months that one decision posts at most, besides those that come to nothing; what is left waits for the next run. */
export const PERIODS_POSTED_MAX = 36;

/** Decimal texts: yearly rates in percent, a fee in the account's currency. */
export interface NewTerms {
  readonly credit_rate: string;
  readonly overdraft_rate: string;
  readonly monthly_fee: string;
}

/**
 * Sets rates and fee from today on; those in force change nothing. Rejects with `account_closed`, `rate_too_high` or an
 * amount's code.
 */
export function changeTerms(state: BankAccount, terms: NewTerms): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const credit = parseRate(terms.credit_rate, 'credit_rate');
  if (!credit.ok) return credit;
  const overdraft = parseRate(terms.overdraft_rate, 'overdraft_rate');
  if (!overdraft.ok) return overdraft;
  const fee = parseNonNegativeAmount(terms.monthly_fee, state.currency, 'monthly_fee');
  if (!fee.ok) return fee;
  const before = state.terms;
  const same =
    before?.credit_rate === credit.value &&
    before.overdraft_rate === overdraft.value &&
    before.monthly_fee === fee.value;
  if (same) return accept([]);
  const data = {
    credit_rate: rateText(credit.value),
    overdraft_rate: rateText(overdraft.value),
    monthly_fee: toDecimal(fee.value, state.currency),
  };
  return accept([{ type: 'BankAccountTermsChangedDomainEventV1', data }]);
}

/** Reads a rate in percent as ten-thousandths of a percent. */
function parseRate(text: string, field: string): Decision<bigint> {
  const match = /^(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text);
  if (!match) return reject('invalid_amount', `${field} must be a decimal number such as "2.5".`, { field });
  const [, whole = '', fraction = ''] = match;
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > RATE_DECIMALS) {
    const facts = { decimals: RATE_DECIMALS };
    return reject('amount_too_precise', `${field} can have ${RATE_DECIMALS} decimals.`, { field, facts });
  }
  const rate = BigInt(whole + digits.padEnd(RATE_DECIMALS, '0'));
  if (rate <= RATE_MAX) return accept(rate);
  return reject('rate_too_high', `${field} must be at most 100 percent a year.`, {
    field,
    facts: { maximum: 100 },
  });
}

export interface PeriodPosting {
  readonly account_id: string;
  /** `YYYY-MM`. */
  readonly period: string;
  /** Gives the id of each posting. */
  readonly newTransactionId: () => string;
}

/**
 * Posts the interest and the fee of a month, and of months before it that nobody has posted yet. A month that was posted
 * already gives no event, so the same run may come twice, late, or from two nodes. What the bank charges may exceed what
 * is available, and passes a freeze. Rejects with `account_closed`, `period_not_over` or `balance_limit_exceeded`.
 * @param now RFC 3339 UTC
 */
export function postPeriod(
  state: BankAccount,
  { account_id, period, newTransactionId }: PeriodPosting,
  now: string,
): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  if (!isOver(period, now)) return periodNotOver(period);
  let current = accruedUntil(state, now);
  const events: BankAccountEvent[] = [];
  const posted = new Set<string>();
  const post = (charge: Charge, month: string, minor: bigint) => {
    const { type, direction, words } = charge;
    const posting = { account_id, transaction_id: newTransactionId(), description: `${words} ${month}` };
    const event = transaction(current, posting, { type, direction, minor, period: month });
    events.push(event);
    posted.add(month);
    current = evolveBankAccount(current, event, now);
  };
  for (const month of duePeriods(current, period)) {
    if (posted.size === PERIODS_POSTED_MAX) break;
    for (const side of ['credit', 'overdraft'] as const) {
      const minor = current.accrual ? roundedInterest(current.accrual, month, side) : 0n;
      if (minor <= 0n) continue;
      const refused = side === 'credit' && refuseBeyondLargestBalance(current, minor);
      if (refused) return refused;
      post(CHARGES[side], month, minor);
    }
    const fee = current.accrual?.periods[month]?.fee ?? 0n;
    if (fee > 0n) post(CHARGES.fee, month, fee);
  }
  return accept(events);
}

/** Whether the month has ended, in UTC. */
export function isOver(period: string, now: string): boolean {
  return period < now.slice(0, 7);
}

/** The last month that is over, `YYYY-MM`. @param now RFC 3339 UTC */
export function monthBefore(now: string): string {
  const time = new Date(`${now.slice(0, 7)}-01T00:00:00.000Z`);
  time.setUTCMonth(time.getUTCMonth() - 1);
  return time.toISOString().slice(0, 7);
}

export function periodNotOver(period: string) {
  return reject('period_not_over', `${period} is not over yet.`, { field: 'period' });
}

interface Charge {
  readonly type: 'INTEREST' | 'FEE';
  readonly direction: Direction;
  readonly words: string;
}

const CHARGES: Readonly<Record<InterestSide | 'fee', Charge>> = {
  credit: { type: 'INTEREST', direction: 'CREDIT', words: 'Interest for' },
  overdraft: { type: 'INTEREST', direction: 'DEBIT', words: 'Overdraft interest for' },
  fee: { type: 'FEE', direction: 'DEBIT', words: 'Account fee for' },
};

function duePeriods({ accrual }: BankAccount, period: string): string[] {
  return Object.keys(accrual?.periods ?? {})
    .filter((month) => month <= period)
    .sort();
}
