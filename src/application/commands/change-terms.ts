/** Command: sets an account's interest rates and monthly fee. */
import { z } from 'zod';
import { changeTerms } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, nonNegativeAmount } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const changeTermsFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  credit_rate: nonNegativeAmount('Percent a year on a balance above zero. Default 0.', '2.5').optional(),
  overdraft_rate: nonNegativeAmount('Percent a year on a balance below zero. Default 0.', '12.25').optional(),
  monthly_fee: nonNegativeAmount('Charged for each month. Default 0.', '3.00').optional(),
});

type Input = z.output<typeof changeTermsFields>;
type Result = { account: AccountState } & Written;

export const ChangeTerms = command<Result>()('ChangeTerms', changeTermsFields);

export function changeTermsHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, ...input }, context) => {
    const { credit_rate = '0', overdraft_rate = '0', monthly_fee = '0' } = input;
    const terms = { credit_rate, overdraft_rate, monthly_fee };
    const outcome = await changeAccount(bank, account_id, context, (account) => changeTerms(account, terms));
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
