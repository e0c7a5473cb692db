/** Command of operators: pays money that the bank keeps, because nobody could take it, out to an account. */
import { z } from 'zod';
import type { Bank } from '../bank.ts';
import { currencyCode, id, positiveAmount, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { suspenseAccountId } from '../suspense.ts';
import { type RequestedTransfer, requestTransferHandler } from './request-transfer.ts';

export const suspenseCurrencyFields = z.strictObject({ currency: currencyCode });

export const payOutSuspenseFields = suspenseCurrencyFields.extend({
  to_account_id: id('The account that gets the money.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a07'),
  amount: positiveAmount('The amount, above zero.', '25.00'),
  description: text('What it is for.', 500, 'Transfer that could not be refunded'),
});

type Input = z.output<typeof payOutSuspenseFields>;

export const PayOutSuspense = command<RequestedTransfer>()('PayOutSuspense', payOutSuspenseFields);

export function payOutSuspenseHandler(bank: Bank): Handler<Input, RequestedTransfer> {
  const transfer = requestTransferHandler(bank, 'BANK');
  return ({ currency, ...input }, context) =>
    transfer({ ...input, from_account_id: suspenseAccountId(currency) }, context);
}
