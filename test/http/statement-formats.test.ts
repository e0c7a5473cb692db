/** Statements as CSV and as a page: the exact text, what a description cannot do to it, and which format a client gets. */
import { describe, expect, it } from 'vitest';
import type { Statement } from '../../src/application/queries/statement.ts';
import { acceptedFormat } from '../../src/http/accepted-format.ts';
import { statementCsv } from '../../src/http/statement-csv.ts';
import { statementHtml } from '../../src/http/statement-html.ts';

const ACCOUNT = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02';
const OTHER = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a09';
const SALARY = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a03';
const RENT = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a04';

const of = { account_id: ACCOUNT, currency: 'USD' };
const salary: Statement['transactions'][number] = {
  ...of,
  transaction_id: SALARY,
  to_account_id: ACCOUNT,
  type: 'DEPOSIT',
  direction: 'CREDIT',
  amount: '1234.50',
  balance: '1134.50',
  description: 'Salary, January',
  recorded_at: '2026-01-15T09:30:00.000Z',
  revision: 4,
};
const rent: Statement['transactions'][number] = {
  ...of,
  transaction_id: RENT,
  from_account_id: ACCOUNT,
  to_account_id: OTHER,
  type: 'TRANSFER',
  direction: 'DEBIT',
  amount: '2000.00',
  balance: '-865.50',
  description: 'Rent "flat 2"',
  recorded_at: '2026-01-31T23:59:59.999Z',
  revision: 5,
};
const STATEMENT: Statement = {
  account: { id: ACCOUNT, account_type: 'CHECKING', currency: 'USD' },
  owner: { id: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01', name: 'Alice Smith' },
  period: {
    month: '2026-01',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    complete: true,
  },
  opening_balance: '-100.00',
  total_credits: '1234.50',
  total_debits: '2000.00',
  closing_balance: '-865.50',
  transactions: [salary, rent],
};

const csvOf = (statement: Statement) => [...statementCsv(statement)].join('');
const pageOf = (statement: Statement) => [...statementHtml(statement)].join('');
const described = (description: string): Statement => ({
  ...STATEMENT,
  transactions: [{ ...salary, description }],
});

describe('a statement as CSV', () => {
  it('has a header, the opening balance, each transaction, and the closing balance with the totals', () => {
    expect(csvOf(STATEMENT)).toBe(
      [
        'record,account_id,owner,recorded_at,transaction_id,type,description,counterpart_account_id,credit,debit,balance,currency',
        `opening_balance,${ACCOUNT},Alice Smith,2026-01-01T00:00:00.000Z,,,,,,,-100.00,USD`,
        `transaction,${ACCOUNT},Alice Smith,2026-01-15T09:30:00.000Z,${SALARY},DEPOSIT,"Salary, January",,1234.50,,1134.50,USD`,
        `transaction,${ACCOUNT},Alice Smith,2026-01-31T23:59:59.999Z,${RENT},TRANSFER,"Rent ""flat 2""",${OTHER},,2000.00,-865.50,USD`,
        `closing_balance,${ACCOUNT},Alice Smith,2026-02-01T00:00:00.000Z,,,,,1234.50,2000.00,-865.50,USD`,
        '',
      ].join('\r\n'),
    );
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\uFF1D1+1', "'\uFF1D1+1"],
    [' =1+1', "' =1+1"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ['\t=1', "'\t=1"],
    ['two\r\nlines', '"two\r\nlines"'],
    ['1=1', '1=1'],
  ])('keeps a spreadsheet from computing %j', (description, cell) => {
    expect(csvOf(described(description))).toContain(`,DEPOSIT,${cell},,1234.50,`);
    const owner = { ...STATEMENT.owner, name: description };
    expect(csvOf({ ...STATEMENT, owner })).toContain(`opening_balance,${ACCOUNT},${cell},2026`);
  });
});

describe('a statement as a page', () => {
  it('shows each transaction with its balance, between the opening and the closing balance', () => {
    const page = pageOf(STATEMENT);
    const body = page.slice(page.indexOf('<tbody>'), page.indexOf('</tbody>'));
    expect(body).toBe(`<tbody>
<tr class="balance"><th scope="row" colspan="2">Opening balance</th><td class="amount"></td><td class="amount"></td><td class="amount">\u2212100.00</td></tr>
<tr><td><time datetime="2026-01-15T09:30:00.000Z">2026-01-15 09:30:00</time></td><td><bdi>Salary, January</bdi> <span class="type">Deposit</span></td><td class="amount">1,234.50</td><td class="amount"></td><td class="amount">1,134.50</td></tr>
<tr><td><time datetime="2026-01-31T23:59:59.999Z">2026-01-31 23:59:59</time></td><td><bdi>Rent &quot;flat 2&quot;</bdi> <span class="type">Transfer</span></td><td class="amount"></td><td class="amount">2,000.00</td><td class="amount">\u2212865.50</td></tr>
<tr class="balance"><th scope="row" colspan="2">Closing balance</th><td class="amount">1,234.50</td><td class="amount">2,000.00</td><td class="amount">\u2212865.50</td></tr>
`);
    expect(page).toContain('<title>Account statement, January 2026: Alice Smith</title>');
    expect(page).toContain(
      '<time datetime="2026-01-01">2026-01-01</time> to <time datetime="2026-01-31">2026-01-31</time>',
    );
    expect(page).not.toContain('not over');
    expect(pageOf({ ...STATEMENT, period: { ...STATEMENT.period, complete: false } })).toContain('not over');
  });

  it('takes a description and a name for text, whatever they hold, and loads nothing', () => {
    const evil = `</bdi><script>alert(1)</script><img src=x onerror='a'>"&amp;`;
    const page = pageOf({ ...described(evil), owner: { ...STATEMENT.owner, name: evil } });
    const inert =
      '&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp;amp;';
    expect(page.split(inert)).toHaveLength(4);
    expect(page).not.toMatch(/<script|<img|<link|@import|url\(|https?:/i);
  });

  it.each([
    ['0', '0'],
    ['999', '999'],
    ['-1000', '\u22121,000'],
    ['99999999999999999', '99,999,999,999,999,999'],
    ['1234567.891', '1,234,567.891'],
  ])('writes %s as %s', (amount, shown) => {
    expect(pageOf({ ...STATEMENT, closing_balance: amount })).toContain(`<dd>${shown} USD</dd>`);
  });
});

describe('the format of an answer', () => {
  const formats = { json: 'application/json', csv: 'text/csv', html: 'text/html' } as const;
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['text/csv', 'csv'],
    ['TEXT/CSV; charset=utf-8', 'csv'],
    ['text/*', 'csv'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json;q=0.5, text/csv;q=0.6', 'csv'],
    ['text/csv;q=0, text/*', 'html'],
    ['*/*;q=0.1, application/json;q=0', 'csv'],
    ['application/pdf', undefined],
    ['text/csv;q=2', undefined],
    ['*/*;q=0', undefined],
  ])('for Accept %j is %s', (accept, format) => {
    expect(acceptedFormat(formats, accept)).toBe(format);
  });
});
