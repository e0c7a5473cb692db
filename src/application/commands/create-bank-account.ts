/** Command: opens a bank account for a registered person, with an initial deposit if one is asked for. */
import { z } from 'zod';
import { ACCOUNT_TYPES, openAccount } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import {
  type AccountState,
  accountState,
  asDecision,
  type Bank,
  personNotFound,
  type Written,
  written,
} from '../bank.ts';
import { currencyCode, id, nonNegativeAmount } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { newAggregateId } from '../operation.ts';

export const createBankAccountFields = z.strictObject({
  owner_id: id('The person who owns the account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01'),
  overdraft_limit: nonNegativeAmount('How far the balance may go below zero.', 500).optional(),
  initial_balance: nonNegativeAmount('Deposited in the same step.', '0.00').optional(),
  account_type: z
    .enum(ACCOUNT_TYPES)
    .optional()
    .meta({ description: 'Default CHECKING.', examples: ['CHECKING'] }),
  currency: currencyCode.optional(),
});

type Input = z.output<typeof createBankAccountFields>;
type Result = { account: AccountState } & Written;

export const CreateBankAccount = command<Result>()('CreateBankAccount', createBankAccountFields);

export function createBankAccountHandler(bank: Bank): Handler<Input, Result> {
  return async (input, context) => {
    if (!(await bank.persons.exists(input.owner_id))) return personNotFound(input.owner_id, 'owner_id');
    const accountId = newAggregateId('BankAccount', context, bank.newId);
    const opening = {
      account_id: accountId,
      owner_id: input.owner_id,
      account_type: input.account_type ?? 'CHECKING',
      currency: input.currency ?? bank.defaultCurrency,
      overdraft_limit: input.overdraft_limit ?? '0',
      initial_balance: input.initial_balance ?? '0',
      transaction_id: bank.newId(),
    };
    const outcome = asDecision(
      await bank.accounts.create(accountId, (state) => openAccount(state, opening), context),
    );
    if (!outcome.ok) return outcome;
    return accept({ account: accountState(accountId, outcome.value), ...written(outcome.value) });
  };
}
