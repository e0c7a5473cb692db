/** Command: freezes an account for debits, credits or both. */
import { z } from 'zod';
import { FREEZE_SCOPES, freezeAccount } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const freezeAccountFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  scope: z.enum(FREEZE_SCOPES).meta({ description: 'What is stopped.', examples: ['CREDITS'] }),
  reason: text('Why it is frozen.', 500, 'Court order 4711'),
});

type Input = z.output<typeof freezeAccountFields>;
type Result = { account: AccountState } & Written;

export const FreezeAccount = command<Result>()('FreezeAccount', freezeAccountFields);

export function freezeAccountHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, scope, reason }, context) => {
    const outcome = await changeAccount(bank, account_id, context, (account) =>
      freezeAccount(account, scope, reason),
    );
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
