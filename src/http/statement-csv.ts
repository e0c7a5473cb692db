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

/** The cells of one record between those that all records share; each is ready to be written. */
type Cells = readonly [
  recorded_at: string,
  transaction_id: string,
  type: string,
  description: string,
  counterpart_account_id: string,
  credit: string,
  debit: string,
  balance: string,
];

/** What makes a spreadsheet take a text for a formula, also in the full width of East Asian scripts. */
const FORMULA = /^[\s=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20]/;

/** Line after line, each with its CRLF; every record says whose account it is, so that files can be put together. */
export function* statementCsv(statement: Statement): Generator<string> {
  const { account, owner, period, opening_balance, total_credits, total_debits, closing_balance } = statement;
  const whose = `${account.id},${textCell(owner.name)}`;
  const line = (record: string, cells: Cells) =>
    `${record},${whose},${cells.join(',')},${account.currency}\r\n`;
  yield `${COLUMNS.join(',')}\r\n`;
  yield line('opening_balance', [period.from, '', '', '', '', '', '', opening_balance]);
  for (const transaction of statement.transactions) yield line('transaction', cellsOf(transaction));
  const totals = [total_credits, total_debits, closing_balance] as const;
  yield line('closing_balance', [period.to, '', '', '', '', ...totals]);
}

/** Ids, times and amounts are written by this program, and need no quotes; what a person wrote may. */
function cellsOf(transaction: Transaction): Cells {
  const { recorded_at, transaction_id, type, direction, amount, balance, description } = transaction;
  const [credit, debit] = direction === 'CREDIT' ? [amount, ''] : ['', amount];
  const counterpart = counterpartOf(transaction) ?? '';
  return [recorded_at, transaction_id, type, textCell(description), counterpart, credit, debit, balance];
}

/** Text that a person wrote; an apostrophe keeps a spreadsheet from computing it. Amounts are figures and stay so. */
function textCell(text: string): string {
  const cell = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
