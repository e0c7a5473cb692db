/** `interest run`: post interest and fees of a month, on all accounts. */
import type { Success } from '../bank/ask.ts';
import { detailsTable, field, plain } from '../bank/table.ts';
import { askFor } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';
import { print, printJson } from '../terminal.ts';

/** Accounts a step; the most that the bank takes. */
const STEP_ACCOUNTS = 200;
/** Refusals that are listed one by one. */
const FAILURES_SHOWN_MAX = 20;

interface Run {
  examined: number;
  postings: number;
  refused: number;
  readonly failures: Body[];
}

const run = defineCommand({
  name: 'interest run',
  summary: 'Post interest and fees of a month, on all accounts.',
  details: `MONTH is one that is over, such as 2026-01. A month is posted once on each account: a run may be repeated. The
bank also does it by itself. Exit code: 5 when accounts refused.`,
  options: { json: { type: 'boolean', help: 'Print the totals as JSON' } },
  positionals: ['MONTH'],
  async run(values, [period = '']) {
    const total = await runThrough(values, period);
    const { failures, ...figures } = total;
    if (values.json) printJson({ period, ...figures, failures });
    else print(detailsTable({ details: DETAILS }, { period, ...figures }));
    if (total.refused === 0) return EXIT.ok;
    throw new CliError(refusals(total), EXIT.refused);
  },
});

const DETAILS = [
  field('Month', 'period'),
  field('Accounts', 'examined'),
  field('Postings', 'postings'),
  field('Refused', 'refused'),
];

async function runThrough(values: { readonly json?: boolean }, period: string): Promise<Run> {
  const total: Run = { examined: 0, postings: 0, refused: 0, failures: [] };
  let cursor: string | undefined;
  for (;;) {
    const place = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/admin/interest-runs?limit=${STEP_ACCOUNTS}${place}`;
    const { body } = await askFor(values, { method: 'POST', path, body: { period } });
    add(total, body);
    // Each cursor lies behind the one before; a bank that gives out one again would never come to an end.
    const next = body.next_cursor;
    if (typeof next !== 'string' || next === cursor) return total;
    cursor = next;
  }
}

function add(total: Run, { examined, postings, failures }: Success['body']): void {
  total.examined += Number(examined);
  total.postings += Number(postings);
  const refused = Array.isArray(failures) ? (failures as Body[]) : [];
  total.refused += refused.length;
  total.failures.push(...refused.slice(0, FAILURES_SHOWN_MAX - total.failures.length));
}

function refusals({ refused, failures }: Run): string {
  const named = failures.map(({ account_id, code }) => plain(`${account_id} (${code})`)).join(', ');
  return `${refused} accounts took no posting: ${named}${refused > failures.length ? ' and others' : ''}.`;
}

export const interest = defineGroup({
  name: 'interest',
  summary: 'Post interest and fees of a month.',
  commands: [run],
});
