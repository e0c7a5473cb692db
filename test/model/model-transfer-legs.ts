/** The legs of a transfer on its accounts: what each would refuse, and how it is posted. */
import { beyond, countDebit, post, stopped, type Wanted } from './model-account.ts';
import {
  accountStreamOf,
  copyAccount,
  type Leg,
  type ModelAccount,
  type ModelBank,
  type ModelTransfer,
  newModelAccount,
} from './model-bank.ts';
import { expireHolds } from './model-holds.ts';
import { endDaysUntil } from './model-interest.ts';
import { decimal } from './model-money.ts';
import { givesBack, postReversalLeg, restore, takesBack } from './model-reversals.ts';
import type { WantedOn } from './running.ts';

interface TransferTerms {
  readonly minor: bigint;
  readonly currency: string;
}

/** Whether the account would be debited for a transfer. */
export function debitRefusal(
  account: ModelAccount,
  transfer: TransferTerms,
  now: string,
): string | undefined {
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  if (transfer.currency !== account.currency) return 'currency_mismatch';
  return beyond(account, transfer.minor, now);
}

export function creditRefusal(account: ModelAccount, transfer: TransferTerms): string | undefined {
  const refused = stopped(account, 'CREDIT');
  if (refused) return refused;
  return transfer.currency === account.currency ? undefined : 'currency_mismatch';
}

function debitTransfer(account: ModelAccount, transfer: TransferTerms, now: string, links: object): Wanted {
  countDebit(account, transfer.minor, now);
  return post(account, { type: 'TRANSFER', direction: 'DEBIT', minor: transfer.minor, more: { ...links } });
}

function creditTransfer(account: ModelAccount, transfer: TransferTerms, links: object): Wanted {
  return post(account, { type: 'TRANSFER', direction: 'CREDIT', minor: transfer.minor, more: { ...links } });
}

/** Has a leg posted or refused by its account, once. */
export function settle(bank: ModelBank, transfer: ModelTransfer, leg: Leg): WantedOn[] {
  const account = accountOf(bank, transfer, leg);
  const stream = accountStreamOf(account.id);
  const isNew = !bank.accounts.has(account.id);
  endDaysUntil(account, bank.now.slice(0, 10));
  const wanted: Wanted[] = leg === 'SUSPENSE' ? [] : expireHolds(account, bank.now);
  if (isNew) {
    const { currency } = account;
    wanted.push({ type: 'BankAccountCreatedDomainEventV2', data: { currency } });
  }
  const code = refusalOf(account, transfer, leg, bank.now);
  wanted.push(
    code === undefined ? postLeg(account, transfer, leg, bank.now) : refusedLeg(transfer, leg, code),
  );
  account.revision += isNew ? wanted.length - 1 : wanted.length;
  bank.accounts.set(account.id, account);
  const legs = new Map(transfer.legs).set(leg, code === undefined ? {} : { code });
  bank.transfers.set(transfer.id, { ...transfer, legs });
  return wanted.map((event) => ({ ...event, stream }));
}

/** Where the leg is settled; the bank's own account is opened when it is needed. */
function accountOf(bank: ModelBank, { from, to, currency }: ModelTransfer, leg: Leg): ModelAccount {
  if (leg !== 'SUSPENSE') return copyAccount(bank.accounts.get(leg === 'CREDIT' ? to : from) as ModelAccount);
  const id = bank.suspense[currency];
  const known = bank.accounts.get(id);
  if (known) return copyAccount(known);
  return newModelAccount({ id, owner: undefined, type: 'CHECKING', currency, overdraft: 0n });
}

function refusalOf(
  account: ModelAccount,
  transfer: ModelTransfer,
  leg: Leg,
  now: string,
): string | undefined {
  const { reverses, minor, currency } = transfer;
  if (reverses && leg !== 'REFUND' && leg !== 'SUSPENSE') {
    const side = leg === 'DEBIT' ? givesBack : takesBack;
    const verdict = side(account, reverses, decimal(minor, currency), now);
    return typeof verdict === 'string' ? verdict : undefined;
  }
  if (leg === 'DEBIT') return debitRefusal(account, transfer, now);
  if (leg === 'CREDIT') return creditRefusal(account, transfer);
  return leg === 'REFUND' && account.closed ? 'account_closed' : undefined;
}

function postLeg(account: ModelAccount, transfer: ModelTransfer, leg: Leg, now: string): Wanted {
  const { id: transfer_id, from, to, description, reverses, minor } = transfer;
  const links = { transfer_id, from_account_id: from, to_account_id: to, description };
  if (leg === 'SUSPENSE') return creditTransfer(account, transfer, { ...links, to_account_id: account.id });
  if (leg === 'REFUND') {
    if (reverses) restore(account, reverses, minor);
    const restores = { restores_transaction_id: reverses?.creditId };
    const back = { ...links, from_account_id: to, to_account_id: from };
    return creditTransfer(account, transfer, { ...back, ...restores });
  }
  if (reverses) return postReversalLeg(account, reverses, leg, minor, links);
  return leg === 'DEBIT'
    ? debitTransfer(account, transfer, now, links)
    : creditTransfer(account, transfer, links);
}

function refusedLeg({ id: transfer_id }: ModelTransfer, leg: Leg, code: string): Wanted {
  return { type: 'BankAccountTransferRefusedDomainEventV1', data: { transfer_id, leg, code } };
}
