/** `transfer`: money from one account to another. */
import { concludeTransfer } from '../bank/transfer-end.ts';
import { change, writeFlags } from '../bank/verb.ts';
import { transferView } from '../bank/views.ts';
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
    return change(values, request, transferView, concludeTransfer);
  },
});
