/** A statement as a page to read and print: self-contained, without script, and made of escaped text only. */
import type { Statement } from '../application/queries/statement.ts';
import { STATEMENT_STYLE } from './statement-style.ts';

/** Nothing is loaded and nothing runs, whatever a description says. */
export const STATEMENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Transaction = Statement['transactions'][number];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A formatter of dates takes longer to make than a page of a hundred transactions. */
const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** The page, piece by piece. */
export function* statementHtml(statement: Statement): Generator<string> {
  const { account, owner, period, transactions } = statement;
  const title = `Account statement, ${monthName(period.month)}`;
  yield `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}: ${escaped(owner.name)}</title>
<style>${STATEMENT_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="bank">OpenBank</p>
<h1>${escaped(title)}</h1>
${period.complete ? '' : '<p class="note">This month is not over: more transactions may follow.</p>\n'}</header>
<dl class="facts">
${fact('Owner', bdi(owner.name))}
${fact('Account', escaped(account.id))}
${fact('Type', account.account_type === 'CHECKING' ? 'Checking account' : 'Savings account')}
${fact('Currency', escaped(account.currency))}
${fact('Period', `${day(period.from)} to ${day(lastDay(period.to))} (UTC)`)}
</dl>
${summary(statement)}
<div class="scroll" role="region" aria-label="Transactions" tabindex="0">
<table>
<caption>Transactions (${grouped(String(transactions.length))})</caption>
<thead>
<tr><th scope="col">Time (UTC)</th><th scope="col">Description</th><th scope="col">Credit</th><th scope="col">Debit</th><th scope="col">Balance</th></tr>
</thead>
<tbody>
${balanceRow('Opening balance', statement.opening_balance)}
`;
  for (const transaction of transactions) yield transactionRow(transaction);
  yield `${balanceRow('Closing balance', statement.closing_balance, statement)}
</tbody>
</table>
</div>
</main>
</body>
</html>
`;
}

function summary(statement: Statement): string {
  const figures = [
    ['Opening balance', statement.opening_balance],
    ['Credits', statement.total_credits],
    ['Debits', statement.total_debits],
    ['Closing balance', statement.closing_balance],
  ] as const;
  const { currency } = statement.account;
  const facts = figures.map(([name, amount]) => fact(name, `${money(amount)} ${escaped(currency)}`));
  return `<dl class="summary">\n${facts.join('\n')}\n</dl>`;
}

function transactionRow(transaction: Transaction): string {
  const { recorded_at, type, description, direction, amount, balance } = transaction;
  const kind = `${type.charAt(0)}${type.slice(1).toLowerCase()}`;
  const [credit, debit] = direction === 'CREDIT' ? [money(amount), ''] : ['', money(amount)];
  return `<tr><td>${instant(recorded_at)}</td><td>${bdi(description)} <span class="type">${escaped(kind)}</span></td><td class="amount">${credit}</td><td class="amount">${debit}</td><td class="amount">${money(balance)}</td></tr>\n`;
}

/** A row that is no transaction: a balance, and at the end the totals beside it. */
function balanceRow(name: string, balance: string, totals?: Statement): string {
  const [credits, debits] = totals ? [money(totals.total_credits), money(totals.total_debits)] : ['', ''];
  return `<tr class="balance"><th scope="row" colspan="2">${name}</th><td class="amount">${credits}</td><td class="amount">${debits}</td><td class="amount">${money(balance)}</td></tr>`;
}

function fact(name: string, html: string): string {
  return `<div><dt>${name}</dt><dd>${html}</dd></div>`;
}

/** Text of its own direction, so that it cannot turn the rest of the line around. */
function bdi(text: string): string {
  return `<bdi>${escaped(text)}</bdi>`;
}

/** Thousands apart, and a minus sign that stands as wide as a digit. */
function money(amount: string): string {
  const [sign, digits] = amount.startsWith('-') ? ['\u2212', amount.slice(1)] : ['', amount];
  const point = digits.indexOf('.');
  return point < 0
    ? `${sign}${grouped(digits)}`
    : `${sign}${grouped(digits.slice(0, point))}${digits.slice(point)}`;
}

/** Cut by hand, because a page has tens of thousands of amounts: an expression that looks ahead takes five times as long. */
function grouped(digits: string): string {
  let end = digits.length;
  let groups = '';
  for (; end > 3; end -= 3) groups = `,${digits.slice(end - 3, end)}${groups}`;
  return digits.slice(0, end) + groups;
}

/** @param time RFC 3339 UTC */
function instant(time: string): string {
  const text = escaped(time);
  return `<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 19)}</time>`;
}

function day(time: string): string {
  const date = time.slice(0, 10);
  return `<time datetime="${date}">${date}</time>`;
}

/** The day before the exclusive end of a period. */
function lastDay(to: string): string {
  return new Date(Date.parse(to) - 1).toISOString();
}

function monthName(month: string): string {
  const [year = '', number = ''] = month.split('-');
  return `${MONTH_NAMES[Number(number) - 1]} ${year}`;
}

function escaped(text: string): string {
  if (!/[&<>"']/.test(text)) return text;
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}
