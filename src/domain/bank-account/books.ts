/** The state of an account as its closed books tell it, and the other way round. */
import { toDecimal, toMinor } from '../money.ts';
import type { BooksClosed } from './events.ts';
import { rateOf, rateText } from './interest.ts';
import type { BankAccount } from './state-shape.ts';

type Books = BooksClosed['data'];

/** What the books tell beside the state. */
export type BooksFrame = Pick<Books, 'period_end' | 'latest_event_at' | 'totals' | 'operations'>;

/** Every field of a state is in it: who adds one to `BankAccount` has to say here how it is written, and below how it is read. */
export function booksOf(state: BankAccount, frame: BooksFrame): Books {
  const { owner_id, account_type, currency, status, frozen, limits, debited, terms } = state;
  const text = (minor: bigint) => toDecimal(minor, currency);
  const limit = (minor: bigint | null) => (minor === null ? null : text(minor));
  return {
    ...frame,
    owner_id,
    account_type,
    currency,
    status,
    frozen,
    balance: text(state.balance),
    overdraft_limit: text(state.overdraft_limit),
    held: text(state.held),
    holds: Object.entries(state.holds).map(([hold_id, { amount, ...hold }]) => {
      return { hold_id, amount: text(amount), ...hold };
    }),
    transaction_limit: limit(limits.transaction),
    daily_limit: limit(limits.daily),
    debited: { day: debited.day, amount: text(debited.amount) },
    reversed: Object.entries(state.reversed).map(([transaction_id, { amount, at }]) => {
      return { transaction_id, amount: text(amount), at };
    }),
    terms: terms && {
      credit_rate: rateText(terms.credit_rate),
      overdraft_rate: rateText(terms.overdraft_rate),
      monthly_fee: text(terms.monthly_fee),
    },
    accrual: accrualText(state.accrual, currency),
  };
}

/**
 * The state after the books were closed.
 * @throws RangeError or SyntaxError when an amount is none, which means corrupt data
 */
export function stateOfBooks(books: Books): BankAccount {
  const { owner_id, account_type, currency, status, frozen, debited, terms } = books;
  const minor = (text: string) => toMinor(text, currency);
  const limit = (text: string | null) => (text === null ? null : minor(text));
  return {
    owner_id,
    account_type,
    currency,
    status,
    frozen,
    balance: minor(books.balance),
    overdraft_limit: minor(books.overdraft_limit),
    held: minor(books.held),
    holds: Object.fromEntries(
      books.holds.map(({ hold_id, amount, ...hold }) => [hold_id, { amount: minor(amount), ...hold }]),
    ),
    limits: { transaction: limit(books.transaction_limit), daily: limit(books.daily_limit) },
    debited: { day: debited.day, amount: minor(debited.amount) },
    reversed: Object.fromEntries(
      books.reversed.map(({ transaction_id, amount, at }) => [transaction_id, { amount: minor(amount), at }]),
    ),
    terms: terms && {
      credit_rate: rateOf(terms.credit_rate),
      overdraft_rate: rateOf(terms.overdraft_rate),
      monthly_fee: minor(terms.monthly_fee),
    },
    accrual: accrualOf(books.accrual, currency),
  };
}

function accrualText(accrual: BankAccount['accrual'], currency: string): Books['accrual'] {
  return (
    accrual && {
      from: accrual.from,
      periods: Object.entries(accrual.periods).map(([period, { credit, overdraft, fee }]) => {
        return { period, credit: `${credit}`, overdraft: `${overdraft}`, fee: toDecimal(fee, currency) };
      }),
      carry: { credit: `${accrual.carry.credit}`, overdraft: `${accrual.carry.overdraft}` },
    }
  );
}

function accrualOf(books: Books['accrual'], currency: string): BankAccount['accrual'] {
  return (
    books && {
      from: books.from,
      periods: Object.fromEntries(
        books.periods.map(({ period, credit, overdraft, fee }) => {
          const accrued = {
            credit: BigInt(credit),
            overdraft: BigInt(overdraft),
            fee: toMinor(fee, currency),
          };
          return [period, accrued];
        }),
      ),
      carry: { credit: BigInt(books.carry.credit), overdraft: BigInt(books.carry.overdraft) },
    }
  );
}
