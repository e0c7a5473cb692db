/** Command: sets how far an account's balance may go below zero. */
import { z } from 'zod';
import { changeOverdraftLimit } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, nonNegativeAmount } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const changeOverdraftLimitFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  overdraft_limit: nonNegativeAmount('The new limit.', '750.00'),
});

type Input = z.output<typeof changeOverdraftLimitFields>;
type Result = { account: AccountState } & Written;

export const ChangeOverdraftLimit = command<Result>()('ChangeOverdraftLimit', changeOverdraftLimitFields);

export function changeOverdraftLimitHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, overdraft_limit }, context) => {
    const outcome = await changeAccount(bank, account_id, context, (account) =>
      changeOverdraftLimit(account, overdraft_limit),
    );
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
