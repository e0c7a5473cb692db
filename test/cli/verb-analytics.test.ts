/** `analytics`: whose figures are asked for, and how they look at a terminal. */
import { describe, expect, it } from 'vitest';
import { cliOn } from './in-process.ts';
import { recordingServer } from './recording-server.ts';

const FIGURES = {
  transaction_count: 3,
  credit_count: 2,
  debit_count: 1,
  total_credits: '30.00',
  total_debits: '5.25',
  net_flow: '24.75',
  average_transaction: '11.75',
  average_credit: '15.00',
  average_debit: '5.25',
  largest_credit: { amount: '20.00', transaction_id: 't1', date: '2026-01-02' },
  largest_debit: null,
};
const BUCKETS = [
  { name: '2026-01', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', ...FIGURES },
];
const RANGE = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', interval: 'month' };
const OF_ACCOUNT = JSON.stringify({
  account_id: 'a1',
  currency: 'USD',
  ...RANGE,
  complete: false,
  ...FIGURES,
  buckets: BUCKETS,
});
const OF_MANY = JSON.stringify({
  ...RANGE,
  complete: true,
  currencies: ['JPY', 'USD'].map((currency) => ({ currency, ...FIGURES, buckets: BUCKETS })),
});
const OF_NOBODY = JSON.stringify({ ...RANGE, complete: true, currencies: [] });

function bank(body: string) {
  return recordingServer(() => ({ body }));
}

describe('analytics', () => {
  it('are two tables by default', async () => {
    const { url, requests } = await bank(OF_ACCOUNT);
    const { code, stdout } = await cliOn(url)('analytics', 'a1', '--interval', 'month');
    expect(code).toBe(0);
    expect(requests[0]?.line).toBe('GET /api/v1/accounts/a1/analytics?interval=month');
    expect(stdout).toMatch(/^Account +a1\nPeriod +2026-01-01 to 2026-01-31 \(not over yet\)$/m);
    expect(stdout).toMatch(/^Net flow +24\.75 USD\nAverage transaction +11\.75 USD$/m);
    expect(stdout).toMatch(/^Largest credit +20\.00 USD on 2026-01-02, t1\n\n/m);
    expect(stdout).toMatch(/^Month +Credits +Total credits/m);
    expect(stdout).toMatch(/^2026-01 +2 +30\.00 +1 +5\.25 +24\.75 +11\.75$/m);
  });

  it('of an owner or of the bank are those of each currency', async () => {
    const { url, requests } = await bank(OF_MANY);
    const ofOwner = await cliOn(url)(
      'analytics',
      '--owner',
      'p/1',
      '--from',
      '2026-01-01',
      '--currency',
      'USD',
    );
    const ofBank = await cliOn(url)('analytics', '--bank', '--to', '2026-01-31');
    expect(requests.map(({ line }) => line)).toEqual([
      'GET /api/v1/persons/p%2F1/analytics?from=2026-01-01&currency=USD',
      'GET /admin/analytics?to=2026-01-31',
    ]);
    expect(ofOwner.stdout).toBe(ofBank.stdout);
    expect(ofBank.stdout.match(/^Net flow .*/gm)).toHaveLength(2);
    expect(ofBank.stdout).toMatch(/^Total credits +30\.00 JPY$/m);
  });

  it('say so where there is nothing', async () => {
    const { url } = await bank(OF_NOBODY);
    const { stdout } = await cliOn(url)('analytics', '--bank');
    expect(stdout).toBe('Period  2026-01-01 to 2026-01-31\n\nThere are no transactions.\n');
  });

  it("are the API's answer with --json", async () => {
    const { url } = await bank(OF_ACCOUNT);
    expect((await cliOn(url)('analytics', 'a1', '--json')).stdout).toBe(`${OF_ACCOUNT}\n`);
  });

  const WHOSE = 'analytics needs one of ACCOUNT, --owner PERSON and --bank.';
  it.each([
    [[], WHOSE],
    [['a1', '--bank'], WHOSE],
    [['a1', '--owner', 'p1'], WHOSE],
    [['--owner', 'p1', '--bank'], WHOSE],
    [['a1', '--currency', 'USD'], '--currency goes with --owner or --bank: an account has one.'],
    [['--owner', '..'], "'..' is not an id."],
  ])('are not asked for with %j', async (args, message) => {
    const { url, requests } = await bank(OF_ACCOUNT);
    const outcome = await cliOn(url)('analytics', ...args);
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: `openbank: ${message}\n` });
    expect(requests).toEqual([]);
  });
});
