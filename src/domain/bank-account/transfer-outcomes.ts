/**
 * What an account's own stream says of a leg of a transfer besides its posting: that it was refused, and that the bank
 * keeps money which nobody could take.
 *
 * A refusal is an event, recorded under the leg's operation id as a posting is. So each leg has one outcome for ever:
 * whoever asks again, after the account was unfrozen or more money came in, is told the first answer.
 */
import { accept, type Decision } from '../decision.ts';
import { parsePositiveAmount, toDecimal } from '../money.ts';
import type { BankAccountCreated, BankAccountEvent, RefusableLeg } from './events.ts';
import { transaction } from './posting.ts';
import { type BankAccount, evolveBankAccount } from './state.ts';
import type { TransferLeg } from './transfers.ts';

/** The decision on a leg with its refusal as an event; never a rejection. */
export function settleLeg(
  leg: RefusableLeg,
  transferId: string,
  decision: Decision<BankAccountEvent[]>,
): Decision<BankAccountEvent[]> {
  if (decision.ok) return decision;
  const { code, detail } = decision.rejection;
  const data = { transfer_id: transferId, leg, code, detail };
  return accept([{ type: 'BankAccountTransferRefusedDomainEventV1', data }]);
}

/**
 * Puts money that neither account could take into the bank's suspense account of its currency, which is opened with the
 * first of it. It takes everything, even when somebody has closed it: the money must be somewhere.
 * @param bank who owns the account, and its id
 * @param now RFC 3339 UTC
 */
export function suspendTransfer(
  state: BankAccount | undefined,
  leg: TransferLeg,
  bank: { readonly owner_id: string; readonly account_id: string },
  now: string,
): Decision<BankAccountEvent[]> {
  const amount = parsePositiveAmount(leg.amount, leg.currency, 'amount');
  if (!amount.ok) return amount;
  const creation = suspenseAccount(bank.owner_id, leg.currency);
  const account = state ?? evolveBankAccount(undefined, creation, now);
  const { transfer_id, from_account_id } = leg;
  const posting = transaction(
    account,
    { ...leg, account_id: bank.account_id },
    { type: 'TRANSFER', direction: 'CREDIT', minor: amount.value, transfer_id, from_account_id },
  );
  return accept(state ? [posting] : [creation, posting]);
}

function suspenseAccount(owner_id: string, currency: string): BankAccountCreated {
  const data = {
    owner_id,
    overdraft_limit: toDecimal(0n, currency),
    account_type: 'CHECKING',
    currency,
  } as const;
  return { type: 'BankAccountCreatedDomainEventV2', data };
}
