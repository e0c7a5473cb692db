/** `demo`: fills the bank with believable customers through its public API, and says what to look at. */
import { EXIT } from '../cli-error.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { DemoBank } from '../demo/demo-bank.ts';
import { type FillResult, fillBank, type Sample } from '../demo/fill.ts';
import { showProgress } from '../demo/progress.ts';
import { launch } from '../launch.ts';
import { baseUrl, readConfig } from '../project.ts';
import { probe } from '../service-probe.ts';
import { alignColumns, formatCount, paint, print, printJson } from '../terminal.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'Fill the bank with customers, accounts and a few months of transactions.',
  details: `Starts the bank when it is not running. Everything goes through the public API, and every balance that
the bank answers is compared with the demo's own books. The customers are invented and come in addition to those
that the bank has already. The bank's clock is now, so a transaction's day stands in its description.`,
  options: {
    customers: { type: 'string', value: 'N', help: 'How many customers (default 25)' },
    months: { type: 'string', value: 'N', help: 'How many months of transactions, until today (default 3)' },
    seed: { type: 'string', value: 'TEXT', help: 'Another seed gives another bank (default openbank)' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
  },
  async run({ customers: wanted, months: span, seed = 'openbank', json }) {
    const customers = wholeNumber('--customers', wanted, { fallback: 25, min: 1, max: 100_000 });
    const months = wholeNumber('--months', span, { fallback: 3, min: 1, max: 120 });
    const url = await runningBank();
    const bank = new DemoBank(url);
    const today = new Date().toISOString().slice(0, 10);
    const started = performance.now();
    const result = await fill(bank, { customers, months, seed, today }, json === true);
    const seconds = (performance.now() - started) / 1000;
    const summary = result.sample ? await ownerSummary(bank, result.sample) : undefined;
    if (json) printJson({ ...result, seed, seconds, owner_summary: summary ?? null });
    else conclude(url, result, seconds, summary);
    return EXIT.ok;
  },
});

async function runningBank(): Promise<string> {
  const config = readConfig();
  const url = baseUrl(config);
  const seen = await probe(url);
  if (seen.kind !== 'openbank' || !seen.ready) await launch(config);
  return url;
}

async function fill(
  bank: DemoBank,
  options: Parameters<typeof fillBank>[1],
  quiet: boolean,
): Promise<FillResult> {
  const progress = quiet ? undefined : showProgress(options.customers);
  try {
    return await fillBank(bank, options, ({ customers, transactions }) =>
      progress?.update(customers, `${formatCount(transactions)} transactions`),
    );
  } finally {
    progress?.end();
  }
}

type Summary = Readonly<Record<string, unknown>>;

async function ownerSummary(bank: DemoBank, { person_id, token }: Sample): Promise<Summary> {
  const { body } = await bank.expect('GET', `/persons/${person_id}/summary`, undefined, token ?? undefined);
  return body;
}

function conclude(url: string, result: FillResult, seconds: number, summary: Summary | undefined): void {
  const { customers, accounts, transactions, refusals, limit_changes, closed_accounts } = result;
  print(
    `${paint('green', '●')} The bank has ${formatCount(customers)} more customers, in ${seconds.toFixed(1)} s:`,
    '',
    alignColumns(
      [
        [formatCount(accounts), 'accounts'],
        [formatCount(transactions), "transactions, every balance as in the demo's own books"],
        [formatCount(refusals), 'withdrawals refused for insufficient funds'],
        [formatCount(limit_changes), 'overdraft limits changed'],
        [formatCount(closed_accounts), 'accounts closed'],
      ],
      { indent: 2, right: [0] },
    ),
  );
  if (result.sample) suggest(url, result.sample, summary);
}

function suggest(url: string, { name, person_id, account_id }: Sample, summary: Summary | undefined): void {
  const api = `${url}/api/v1`;
  if (summary) print('', `${paint('bold', name)}'s summary:`, '', summaryTable(summary));
  print(
    '',
    paint('bold', 'Look at:'),
    '',
    `  curl ${api}/accounts/${account_id}`,
    `  curl '${api}/accounts/${account_id}/transactions?limit=5'`,
    `  curl ${api}/accounts/by-owner/${person_id}`,
    `  curl ${api}/persons/${person_id}/summary`,
    '',
    alignColumns(
      [
        [
          "The account's events",
          paint('cyan', `${url}/admin/streams/bank-account-${account_id.replaceAll('-', '')}`),
        ],
        ['API documentation', paint('cyan', `${url}/api/docs`)],
      ],
      { indent: 2 },
    ),
  );
}

function summaryTable(summary: Summary): string {
  const balances = Object.entries((summary.total_balance ?? {}) as Record<string, string>);
  const rows = [
    ['Accounts', `${summary.active_accounts} active, ${summary.closed_accounts} closed`],
    ...balances.map(([currency, amount]) => ['Balance', `${amount} ${currency}`]),
    ['Last activity', String(summary.last_activity)],
  ];
  return alignColumns(rows, { indent: 2 });
}
