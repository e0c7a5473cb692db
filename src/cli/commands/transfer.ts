/** `transfer`: money from one account to another. */

import { plain } from '../bank/table.ts';
import { change, writeFlags } from '../bank/verb.ts';
import { transferView } from '../bank/views.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';

export const transfer = defineCommand({
  name: 'transfer',
  summary: 'Transfer money from one account to another.',
  details: `Exit code: 0 when it is completed, or on record and finished in the background; 5 when the bank refused it,
or it ended without the money on the other account.`,
  options: {
    description: { type: 'string', short: 'd', value: 'TEXT', help: 'What it is for (default Transfer)' },
    ...writeFlags,
  },
  positionals: ['FROM', 'TO', 'AMOUNT'],
  run(values, [from_account_id, to_account_id, amount]) {
    const { description = 'Transfer' } = values;
    const body = { from_account_id, to_account_id, amount, description };
    const request = { method: 'POST', path: '/transactions/transfer', body } as const;
    return change(values, request, transferView, conclude);
  },
});

/** Ends in which the money did not arrive. */
const FAILED: ReadonlySet<unknown> = new Set(['REJECTED', 'REFUNDED', 'IN_SUSPENSE']);

/** @throws CliError when the transfer ended without the money on the other account */
function conclude({ status, steps }: Body): void {
  if (status === 'COMPLETED') return;
  if (!FAILED.has(status)) {
    process.stderr.write('The transfer is on record and goes on in the background.\n');
    return;
  }
  const reasons = Array.isArray(steps)
    ? (steps as readonly Body[]).flatMap(({ detail }) => detail ?? [])
    : [];
  const why = reasons.length === 0 ? '.' : `: ${reasons.join(' ')}`;
  throw new CliError(plain(`The transfer ended as ${status}${why}`), EXIT.refused);
}
