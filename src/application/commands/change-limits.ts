/** Command: sets what customers may take out at once and in a day. */
import { z } from 'zod';
import { changeLimits } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, nonNegativeAmount } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const changeLimitsFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  transaction_limit: nonNegativeAmount(
    'The most that one debit may be; without it there is no limit.',
    '1000.00',
  ).optional(),
  daily_limit: nonNegativeAmount(
    'The most that may go out in a UTC day; without it there is no limit.',
    '5000.00',
  ).optional(),
});

type Input = z.output<typeof changeLimitsFields>;
type Result = { account: AccountState } & Written;

export const ChangeLimits = command<Result>()('ChangeLimits', changeLimitsFields);

export function changeLimitsHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, ...limits }, context) => {
    const outcome = await changeAccount(bank, account_id, context, (account) =>
      changeLimits(account, limits),
    );
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
