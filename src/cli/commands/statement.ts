/** `statement`: an account's statement of one month. */

import { segment } from '../bank/ask.ts';
import { detailsTable, listTable } from '../bank/table.ts';
import { askFor } from '../bank/verb.ts';
import { postingView, statementDetails } from '../bank/views.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { print } from '../terminal.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = { csv: 'text/csv', html: 'text/html' };

export const statement = defineCommand({
  name: 'statement',
  summary: "Show an account's statement of one month.",
  details: 'A month begins and ends in UTC. MONTH is such as 2026-01.',
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      help: 'csv, or html to print it: written to stdout as it comes',
    },
    json: { type: 'boolean', help: "Print the API's answer as it is" },
  },
  positionals: ['ACCOUNT', 'MONTH'],
  async run(values, [account = '', month = '']) {
    const { format, json } = values;
    const path = `/accounts/${segment(account)}/statements/${segment(month)}`;
    if (format === undefined) {
      const { text, body } = await askFor(values, { method: 'GET', path: `${path}?format=json` });
      print(json ? text : statementTable(body));
      return EXIT.ok;
    }
    const mediaType = Object.hasOwn(MEDIA_TYPES, format) ? MEDIA_TYPES[format] : undefined;
    if (!mediaType || json) {
      throw new CliError('--format takes csv or html, and no --json beside it.', EXIT.usage);
    }
    const { text } = await askFor({}, { method: 'GET', path: `${path}?format=${format}`, mediaType });
    process.stdout.write(text);
    return EXIT.ok;
  },
});

function statementTable(statement: Body): string {
  const transactions = Array.isArray(statement.transactions) ? (statement.transactions as Body[]) : [];
  const { account, owner, period } = statement as Readonly<Record<string, Body | undefined>>;
  const flat = {
    ...statement,
    account: account?.id,
    currency: account?.currency,
    owner: owner?.name,
    month: `${period?.month}${period?.complete ? '' : ' (not over yet)'}`,
  };
  return `${detailsTable({ details: statementDetails }, flat)}\n\n${listTable(postingView, transactions)}`;
}
