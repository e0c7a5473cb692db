/** Command: undoes a posting, in full or in part, by an opposite one. */
import type { z } from 'zod';
import { reverseTransaction } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { transactions } from '../../projections/transactions.ts';
import { type Bank, changeAccount } from '../bank.ts';
import { positiveAmount, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { readDocument } from '../queries/read-document.ts';
import { transactionIdFields, transactionNotFound } from '../queries/transactions.ts';
import { type PostingResult, postingResult } from './record-posting.ts';
import { type PendingReversal, reverseTransfer } from './reverse-transfer.ts';

export const reverseTransactionFields = transactionIdFields.extend({
  amount: positiveAmount('At most what is left of the original. Default: all of that.', '10.00').optional(),
  reason: text('Why it is undone; the description of the new posting.', 500, 'Goods returned'),
});

type Input = z.output<typeof reverseTransactionFields>;

type Result = PostingResult | PendingReversal;

export const ReverseTransaction = command<Result>()('ReverseTransaction', reverseTransactionFields);

/** The posting to undo comes from the read model, where it never changes; how much of it is left, the account knows. */
export function reverseTransactionHandler(bank: Bank): Handler<Input, Result> {
  return async ({ id, amount, reason }, context) => {
    const found = await readDocument(bank, transactions, id);
    if (!found.ok) return found;
    const original = found.value;
    if (!original) return transactionNotFound(id);
    const { account_id, transfer_id } = original;
    // The reversal of a transfer is a posting of a transfer too, but not of that type.
    if (original.type === 'TRANSFER' && transfer_id !== undefined) {
      return reverseTransfer(bank, { account_id, transfer_id, amount, reason }, context);
    }
    const reversal = { account_id, transaction_id: bank.newId(), original, amount, reason };
    const outcome = await changeAccount(bank, account_id, context, (account, now) =>
      reverseTransaction(account, reversal, now),
    );
    return outcome.ok ? accept(postingResult(account_id, outcome.value)) : outcome;
  };
}
