/** `statement`: as a table, as JSON, and as the CSV or page that the bank made. */
import { describe, expect, it } from 'vitest';
import { cliOn } from './in-process.ts';
import { recordingServer } from './recording-server.ts';

const STATEMENT = JSON.stringify({
  account: { id: 'a1', account_type: 'CHECKING', currency: 'USD' },
  owner: { id: 'p1', name: 'Alice Smith' },
  period: { month: '2026-01', complete: false },
  opening_balance: '1.00',
  total_credits: '2.50',
  total_debits: '0.50',
  closing_balance: '3.00',
  transactions: [
    { transaction_id: 't1', direction: 'DEBIT', amount: '0.50', balance: '3.00', currency: 'USD' },
  ],
});
const CSV = 'date,amount\r\n2026-01-15,-0.50\r\n';

function bank() {
  return recordingServer(({ line }) => {
    if (line.endsWith('format=json')) return { body: STATEMENT };
    return { body: CSV, headers: { 'content-type': 'text/csv; charset=utf-8' } };
  });
}

describe('statement', () => {
  it('is a table by default', async () => {
    const { url, requests } = await bank();
    const { code, stdout } = await cliOn(url)('statement', 'a1', '2026-01');
    expect(code).toBe(0);
    expect(requests[0]?.line).toBe('GET /api/v1/accounts/a1/statements/2026-01?format=json');
    expect(stdout).toMatch(
      /^Owner +Alice Smith\nMonth +2026-01 \(not over yet\)\nOpening balance +1\.00 USD$/m,
    );
    expect(stdout).toMatch(/^t1 .*-0\.50 +3\.00 +USD$/m);
  });

  it("is the API's answer with --json, and the bank's own file with --format", async () => {
    const { url } = await bank();
    expect((await cliOn(url)('statement', 'a1', '2026-01', '--json')).stdout).toBe(`${STATEMENT}\n`);
    expect((await cliOn(url)('statement', 'a1', '2026-01', '--format', 'csv')).stdout).toBe(CSV);
  });

  it('takes no other program for the bank, whatever format was asked for', async () => {
    const { url } = await recordingServer(() => ({
      body: '<html>',
      headers: { 'content-type': 'text/html' },
    }));
    for (const format of [[], ['--format', 'csv']]) {
      expect(await cliOn(url)('statement', 'a1', '2026-01', ...format)).toMatchObject({
        code: 3,
        stdout: '',
      });
    }
  });

  it.each([[['--format', 'pdf']], [['--format', 'toString']], [['--format', 'csv', '--json']]])(
    'is not written with %j',
    async (flags) => {
      const { url, requests } = await bank();
      const stderr = 'openbank: --format takes csv or html, and no --json beside it.\n';
      const outcome = await cliOn(url)('statement', 'a1', '2026-01', ...flags);
      expect(outcome).toEqual({ code: 2, stdout: '', stderr });
      expect(requests).toEqual([]);
    },
  );
});
