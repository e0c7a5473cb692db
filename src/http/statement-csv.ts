/** A statement as CSV (RFC 4180): one record for the opening balance, one a transaction, one for the closing balance. */
import type { Statement } from '../application/queries/statement.ts';
import { counterpartOf } from '../application/queries/transaction-filter.ts';

const COLUMNS = [
  'record',
  'account_id',
  'owner',
  'recorded_at',
  'transaction_id',
  'type',
  'description',
  'counterpart_account_id',
  'credit',
  'debit',
  'balance',
  'currency',
] as const;

type Transaction = Statement['transactions'][number];

type Cells = Partial<Record<(typeof COLUMNS)[number], string>>;

/** What makes a spreadsheet take a text for a formula, also in the full width of East Asian scripts. */
const FORMULA = /^[\s=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20]/;

/** Line after line, each with its CRLF; every record says whose account it is, so that files can be put together. */
export function* statementCsv(statement: Statement): Generator<string> {
  const { account, owner, period } = statement;
  const common = { account_id: account.id, owner: textCell(owner.name), currency: account.currency };
  const line = (cells: Cells) => record(COLUMNS.map((column) => ({ ...cells, ...common })[column] ?? ''));
  yield record(COLUMNS);
  yield line({ record: 'opening_balance', recorded_at: period.from, balance: statement.opening_balance });
  for (const transaction of statement.transactions) yield line(transactionCells(transaction));
  yield line({
    record: 'closing_balance',
    recorded_at: period.to,
    credit: statement.total_credits,
    debit: statement.total_debits,
    balance: statement.closing_balance,
  });
}

function transactionCells(transaction: Transaction): Cells {
  const { recorded_at, transaction_id, type, direction, amount, balance, description } = transaction;
  return {
    record: 'transaction',
    recorded_at,
    transaction_id,
    type,
    description: textCell(description),
    counterpart_account_id: counterpartOf(transaction) ?? '',
    [direction === 'CREDIT' ? 'credit' : 'debit']: amount,
    balance,
  };
}

/** Text that a person wrote; an apostrophe keeps a spreadsheet from computing it. Amounts are figures and stay so. */
function textCell(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function record(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
