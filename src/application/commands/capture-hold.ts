/** Command: takes what is held, or a part of it, out of the account. */
import type { z } from 'zod';
import { captureHold } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type Bank, changeAccount } from '../bank.ts';
import { positiveAmount, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { holdFields, holdRefusal } from './hold.ts';
import { type PostingResult, postingResult } from './record-posting.ts';

export const captureHoldFields = holdFields.extend({
  amount: positiveAmount(
    'At most what is held; the rest is available again. Default: all of it.',
    '20.00',
  ).optional(),
  description: text('What it is for. Default: that of the hold.', 500, 'Hotel bill').optional(),
});

type Input = z.output<typeof captureHoldFields>;

export const CaptureHold = command<PostingResult>()('CaptureHold', captureHoldFields);

export function captureHoldHandler(bank: Bank): Handler<Input, PostingResult> {
  return async (input, context) => {
    const capture = { ...input, transaction_id: bank.newId() };
    const outcome = await changeAccount(bank, input.account_id, context, (account) =>
      captureHold(account, capture),
    );
    if (!outcome.ok) return holdRefusal(bank, input, outcome);
    return accept(postingResult(input.account_id, outcome.value));
  };
}
