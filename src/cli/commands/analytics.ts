/** `analytics`: the figures of an account, of an owner or of the whole bank between two days. */
import { segment } from '../bank/ask.ts';
import { detailsTable, type Field, field, figure, listTable, money } from '../bank/table.ts';
import { askFor, outputFlags, queryOf } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { print } from '../terminal.ts';

export const analytics = defineCommand({
  name: 'analytics',
  summary: 'Show totals, averages and flows of an account, an owner or the bank.',
  details: `Days, ISO weeks and months are those in UTC. --to is the last day, and counts. Without --from it is the last
30 days, 12 weeks or 12 months. Amounts of two currencies are never added up.`,
  options: {
    owner: { type: 'string', value: 'PERSON', help: 'All accounts of this person, instead of ACCOUNT' },
    bank: { type: 'boolean', help: 'All accounts of the bank, instead of ACCOUNT' },
    from: { type: 'string', value: 'DATE', help: 'The first day: 2026-01-01' },
    to: { type: 'string', value: 'DATE', help: 'The last day: 2026-01-31 (default: today)' },
    interval: { type: 'string', value: 'INTERVAL', help: 'Broken down by day (default), week or month' },
    currency: { type: 'string', value: 'CODE', help: 'With --owner or --bank: only this currency' },
    json: outputFlags.json,
  },
  positionals: ['[ACCOUNT]'],
  async run(values, [account]) {
    const { owner, bank, from, to, interval, currency, json } = values;
    const path = pathOf({ account, owner, bank: bank ? '' : undefined });
    if (account !== undefined && currency !== undefined)
      throw new CliError('--currency goes with --owner or --bank: an account has one.', EXIT.usage);
    const query = queryOf({ from, to, interval, currency });
    const { text, body } = await askFor(json ? { json } : {}, { method: 'GET', path: `${path}${query}` });
    print(json ? text : tables(body));
    return EXIT.ok;
  },
});

/** Of whom, exactly one must be named. */
function pathOf(whose: Readonly<Record<'account' | 'owner' | 'bank', string | undefined>>): string {
  const { account, owner } = whose;
  if (Object.values(whose).filter((one) => one !== undefined).length !== 1)
    throw new CliError('analytics needs one of ACCOUNT, --owner PERSON and --bank.', EXIT.usage);
  if (account !== undefined) return `/accounts/${segment(account)}/analytics`;
  return owner === undefined ? '/admin/analytics' : `/persons/${segment(owner)}/analytics`;
}

/** An amount, and when it was; nothing where there was none. */
function largest(title: string, name: string): Field {
  return {
    title,
    cell(figures) {
      const found = figures[name];
      if (typeof found !== 'object' || found === null) return '';
      const { amount, date, transaction_id } = found as Body;
      return field('', 'text').cell({
        text: `${amount} ${figures.currency} on ${date}, ${transaction_id}`,
      });
    },
  };
}

const details: readonly Field[] = [
  field('Account', 'account_id'),
  field('Owner', 'owner_id'),
  field('Accounts', 'account_count'),
  { title: 'Period', cell: (figures) => periodOf(figures) },
  field('Transactions', 'transaction_count'),
  field('Credits', 'credit_count'),
  field('Debits', 'debit_count'),
  money('Total credits', 'total_credits'),
  money('Total debits', 'total_debits'),
  money('Net flow', 'net_flow'),
  money('Average transaction', 'average_transaction'),
  money('Average credit', 'average_credit'),
  money('Average debit', 'average_debit'),
  largest('Largest credit', 'largest_credit'),
  largest('Largest debit', 'largest_debit'),
];

/** The last day is shown, not the one after it. */
function periodOf({ from, to, complete }: Body): string {
  const last = new Date(Date.parse(String(to)) - 1).toISOString().slice(0, 10);
  const period = `${String(from).slice(0, 10)} to ${last}`;
  return complete === true ? period : `${period} (not over yet)`;
}

const columns: readonly Field[] = [
  figure('Credits', 'credit_count'),
  figure('Total credits', 'total_credits'),
  figure('Debits', 'debit_count'),
  figure('Total debits', 'total_debits'),
  figure('Net flow', 'net_flow'),
  figure('Average', 'average_transaction'),
];

const TITLES: Readonly<Record<string, string>> = { day: 'Day', week: 'Week', month: 'Month' };

function tables(answer: Body): string {
  const { currencies, ...whose } = answer;
  if (!Array.isArray(currencies)) return oneCurrency(answer);
  if (currencies.length === 0) return `${detailsTable({ details }, whose)}\n\nThere are no transactions.`;
  return (currencies as readonly Body[]).map((figures) => oneCurrency({ ...whose, ...figures })).join('\n\n');
}

function oneCurrency(figures: Body): string {
  const buckets = Array.isArray(figures.buckets) ? (figures.buckets as readonly Body[]) : [];
  const first = field(TITLES[String(figures.interval)] ?? '', 'name');
  const view = { plural: 'days', columns: [first, ...columns] };
  return `${detailsTable({ details }, figures)}\n\n${listTable(view, buckets)}`;
}
