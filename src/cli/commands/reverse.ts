/** `reverse`: undo a transaction, in full or in part; of a transfer, both sides. */
import { segment } from '../bank/ask.ts';
import { concludeTransfer } from '../bank/transfer-end.ts';
import { change, writeFlags } from '../bank/verb.ts';
import { postingView, transferView } from '../bank/views.ts';
import type { Body } from '../bank-client.ts';
import { defineCommand } from '../command.ts';

export const reverse = defineCommand({
  name: 'reverse',
  summary: 'Undo a transaction, in full or in part; of a transfer, both sides.',
  details: `Exit code: 0 when it is undone, or on record and finished in the background; 5 when the bank refused it, or
the money did not arrive.`,
  options: {
    amount: { type: 'string', value: 'AMOUNT', help: 'At most what is left of it (default: all of that)' },
    reason: { type: 'string', value: 'TEXT', help: 'Why it is undone (required)' },
    ...writeFlags,
  },
  positionals: ['TRANSACTION'],
  run(values, [transaction = '']) {
    const { amount, reason } = values;
    const path = `/transactions/${segment(transaction)}/reversal`;
    return change(values, { method: 'POST', path, body: { amount, reason } }, viewOf, (current) => {
      if (isTransfer(current)) concludeTransfer(current);
    });
  },
});

/** A reversal that is not finished yet is answered as the transfer that it is. */
function isTransfer(body: Body): boolean {
  return body.transaction_id === undefined;
}

function viewOf(body: Body) {
  return isTransfer(body) ? transferView : postingView;
}
