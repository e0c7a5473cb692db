/** Command: ends the freeze of an account. */
import { z } from 'zod';
import { unfreezeAccount } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const unfreezeAccountFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  reason: text('Why it is frozen no more.', 500, 'Court order 4711 was lifted'),
});

type Input = z.output<typeof unfreezeAccountFields>;
type Result = { account: AccountState } & Written;

export const UnfreezeAccount = command<Result>()('UnfreezeAccount', unfreezeAccountFields);

export function unfreezeAccountHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, reason }, context) => {
    const outcome = await changeAccount(bank, account_id, context, (account) =>
      unfreezeAccount(account, reason),
    );
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
