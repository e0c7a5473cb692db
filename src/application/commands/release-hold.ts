/** Command: makes what is held available again. */
import type { z } from 'zod';
import { releaseHold } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountState, accountState, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { command, type Handler } from '../mediator.ts';
import { holdFields, holdRefusal } from './hold.ts';

type Input = z.output<typeof holdFields>;
type Result = { account: AccountState } & Written;

export const ReleaseHold = command<Result>()('ReleaseHold', holdFields);

export function releaseHoldHandler(bank: Bank): Handler<Input, Result> {
  return async (input, context) => {
    const { account_id, hold_id } = input;
    const outcome = await changeAccount(bank, account_id, context, (account) =>
      releaseHold(account, hold_id),
    );
    if (!outcome.ok) return holdRefusal(bank, input, outcome);
    return accept({ account: accountState(account_id, outcome.value), ...written(outcome.value) });
  };
}
