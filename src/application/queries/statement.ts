/** Query for an account's statement of one month: what it began with, every transaction, what it ended with. */
import { z } from 'zod';
import { signedAmount } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { type DecimalString, toDecimal, toMinor } from '../../domain/money.ts';
import { type AccountDocument, accounts } from '../../projections/accounts.ts';
import { type TransactionDocument, transactions } from '../../projections/transactions.ts';
import { accountNotFound, type Bank, type ReadingBank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { CLOCK_DIFFERENCE_MS_MAX, historyOf, olderThan, placeBefore } from './account-history.ts';
import { accountIdFields } from './accounts.ts';
import { documentsOf } from './paging.ts';
import { readDocument } from './read-document.ts';

/** Transactions of the largest statement: they are in memory together, some 20 MiB of them. */
export const STATEMENT_TRANSACTIONS_MAX = 25_000;
/** Transactions that are looked at for one statement, together with those that stand around its month. */
const EXAMINED_MAX = 2 * STATEMENT_TRANSACTIONS_MAX;

/** Shown in documentation; the served document replaces it with the current month. */
export const EXAMPLE_MONTH = '2030-01';

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

export const statementFields = accountIdFields.extend({
  month: z
    .string()
    .refine((value) => MONTH.test(value), {
      message: 'must be a month such as 2026-01.',
      params: { code: 'invalid_month' },
    })
    .meta({ description: 'The month, in UTC.', examples: [EXAMPLE_MONTH] }),
});

/** Times are RFC 3339 UTC. */
export interface Statement {
  readonly account: Pick<AccountDocument, 'id' | 'account_type' | 'currency'>;
  readonly owner: { readonly id: string; readonly name: string };
  readonly period: {
    readonly month: string;
    readonly from: string;
    /** Exclusive: where the next month begins. */
    readonly to: string;
    /** Whether the month is over; until then more may come. */
    readonly complete: boolean;
  };
  readonly opening_balance: DecimalString;
  readonly total_credits: DecimalString;
  readonly total_debits: DecimalString;
  readonly closing_balance: DecimalString;
  /** In the order in which they were recorded; `balance` runs from the opening to the closing one. */
  readonly transactions: TransactionDocument[];
}

export const GetStatement = query<Statement>()('GetStatement', statementFields);

type StatementBank = ReadingBank & Pick<Bank, 'now'>;

/**
 * Rejects with `month_in_future`, `account_not_found`, `month_before_account`, `statement_too_large` or
 * `read_model_blocked`.
 */
export function getStatementHandler(
  bank: StatementBank,
): Handler<z.output<typeof statementFields>, Statement> {
  return async ({ id, month }) => {
    const now = bank.now();
    if (month > monthOf(now.toISOString())) {
      return reject('month_in_future', `${month} has not begun yet.`, { field: 'month' });
    }
    const account = await readDocument(bank, accounts, id);
    if (!account.ok) return account;
    if (!account.value) return accountNotFound(id);
    const opened = monthOf(account.value.created_at);
    if (month < opened) {
      return reject('month_before_account', `The account was opened in ${opened}.`, {
        field: 'month',
        facts: { first_month: opened },
      });
    }
    const period = periodOf(month, now);
    const entries = await entriesOf(bank, account.value, period);
    return entries.ok ? accept(statementOf(account.value, period, entries.value)) : entries;
  };
}

function monthOf(time: string): string {
  return time.slice(0, 'YYYY-MM'.length);
}

function periodOf(month: string, now: Date): Statement['period'] {
  const from = new Date(`${month}-01T00:00:00.000Z`);
  const to = new Date(from);
  to.setUTCMonth(from.getUTCMonth() + 1);
  return { month, from: from.toISOString(), to: to.toISOString(), complete: to <= now };
}

/** `opening` is in minor units. */
interface Entries {
  readonly opening: bigint;
  readonly transactions: readonly TransactionDocument[];
}

/** Reads the month, and a little around it, because a clock that was behind may have put a transaction there. */
async function entriesOf(
  bank: ReadingBank,
  { id, currency }: AccountDocument,
  period: Statement['period'],
): Promise<Decision<Entries>> {
  const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
  const [isBefore, isBeforeEnd] = [olderThan(from), olderThan(to)];
  const mayBelong = olderThan(to + CLOCK_DIFFERENCE_MS_MAX);
  const start = await placeBefore(bank.readModels, id, from);
  const before = await balanceBefore(bank, id, start);
  if (!before.ok) return before;
  let opening = before.value === undefined ? 0n : toMinor(before.value, currency);
  const found: TransactionDocument[] = [];
  const done = () =>
    found.length > STATEMENT_TRANSACTIONS_MAX
      ? tooLarge(id, period)
      : accept({ opening, transactions: found });
  let examined = 0;
  for await (const chunk of historyOf(bank.readModels, id, 'oldest_first', start)) {
    const documents = await documentsOf(bank, transactions, chunk);
    if (!documents.ok) return documents;
    for (const document of documents.value) {
      if (isBefore(document)) opening += signedAmount(document);
      else if (isBeforeEnd(document)) found.push(document);
      else if (!mayBelong(document)) return done();
    }
    examined += chunk.length;
    if (found.length > STATEMENT_TRANSACTIONS_MAX || examined > EXAMINED_MAX) return tooLarge(id, period);
  }
  return done();
}

/** What the transaction before a place left behind; `undefined` before the first one. */
async function balanceBefore(
  bank: ReadingBank,
  id: string,
  place: Awaited<ReturnType<typeof placeBefore>>,
): Promise<Decision<DecimalString | undefined>> {
  for await (const chunk of historyOf(bank.readModels, id, 'newest_first', place)) {
    const documents = await documentsOf(bank, transactions, chunk);
    if (!documents.ok) return documents;
    // Transactions of one append may share their place in the log; the last of them has the highest revision.
    const last = documents.value.reduce((one, other) => (other.revision > one.revision ? other : one));
    return accept(last.balance);
  }
  return accept(undefined);
}

function tooLarge(id: string, { month, from, to }: Statement['period']) {
  const maximum = STATEMENT_TRANSACTIONS_MAX;
  return reject(
    'statement_too_large',
    `${month} has more than ${maximum} transactions; read them page by page.`,
    { facts: { maximum, transactions: `/api/v1/accounts/${id}/transactions?from=${from}&to=${to}` } },
  );
}

function statementOf(account: AccountDocument, period: Statement['period'], entries: Entries): Statement {
  const { id, account_type, currency, owner_id, owner } = account;
  let [balance, credits, debits] = [entries.opening, 0n, 0n];
  const inOrder = entries.transactions.toSorted((one, other) => one.revision - other.revision);
  const shown = inOrder.map((transaction) => {
    const signed = signedAmount(transaction);
    balance += signed;
    if (signed > 0n) credits += signed;
    else debits -= signed;
    const running = toDecimal(balance, currency);
    // Mostly it is the balance that the account had then; only where clocks disagreed, the order is another one.
    return running === transaction.balance ? transaction : { ...transaction, balance: running };
  });
  return {
    account: { id, account_type, currency },
    owner: { id: owner_id, name: owner },
    period,
    opening_balance: toDecimal(entries.opening, currency),
    total_credits: toDecimal(credits, currency),
    total_debits: toDecimal(debits, currency),
    closing_balance: toDecimal(balance, currency),
    transactions: shown,
  };
}
