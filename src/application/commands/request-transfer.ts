/** Command: moves money from one account to another, and drives that to its end if nothing comes in between. */
import { z } from 'zod';
import {
  type AccountHolder,
  type BankAccount,
  type BankAccountEvent,
  creditForTransfer,
  debitForTransfer,
  decideWithoutExpired,
  type TransferLeg,
} from '../../domain/bank-account.ts';
import { accept, type Decision, type Rejection } from '../../domain/decision.ts';
import {
  nextStep,
  requestTransfer,
  sameAccount,
  type Transfer,
  type TransferEvent,
  type RequestTransfer as TransferRequest,
} from '../../domain/transfer.ts';
import type { Operation } from '../../event-sourcing/operation-log.ts';
import type { Committed } from '../../event-sourcing/repository.ts';
import { type TransferDocument, transferDocument } from '../../projections/transfers.ts';
import { accountNotFound, asDecision, type Bank, refuseHolder, type Written } from '../bank.ts';
import { id, positiveAmount, text } from '../fields.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';
import { newAggregateId } from '../operation.ts';
import { type DrivenTransfer, transferType } from '../transfer-process.ts';
import { driveRequested, isOnRecord } from './drive-transfer.ts';

export const requestTransferFields = z.strictObject({
  from_account_id: id('The account that the money leaves.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  to_account_id: id('The account that it goes to.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a07'),
  amount: positiveAmount('The amount, above zero, in the currency of both accounts.', '25.00'),
  description: text('What it is for.', 500, 'Rent for March'),
});

export type TransferInput = z.output<typeof requestTransferFields>;
/** `finished` is whether nothing is left to do; what is left is done without the client. */
export type RequestedTransfer = { transfer: TransferDocument; finished: boolean } & Written;

export const RequestTransfer = command<RequestedTransfer>()('RequestTransfer', requestTransferFields);

/** @param payer whose account the money may leave */
export function requestTransferHandler(
  bank: Bank,
  payer: AccountHolder = 'CUSTOMER',
): Handler<TransferInput, RequestedTransfer> {
  return async (input, context) => {
    const transferId = newAggregateId('Transfer', context, bank.newId);
    const { operation } = context;
    const currency = (await isOnRecord(bank, transferId, operation))
      ? await currencyOf(bank, transferId)
      : await unlessOnRecord(bank, transferId, operation, await checked(bank, transferId, input, payer));
    if (!currency.ok) return currency;
    const requested = await recordRequest(bank, transferId, { ...input, currency: currency.value }, context);
    return requested.ok ? accept(await drive(bank, transferId, requested.value, context)) : requested;
  };
}

type TransferOnRecord = Committed<Transfer, TransferEvent>;

/** Puts a request that was found good on record; from here on the transfer ends, without the client if need be. */
export async function recordRequest(
  bank: Bank,
  transferId: string,
  request: TransferRequest,
  { expectedRevision: _ofAnAccount, ...context }: RequestContext,
): Promise<Decision<TransferOnRecord>> {
  return asDecision(
    await bank.transfers.create(transferId, (transfer) => requestTransfer(transfer, request), context),
  );
}

/** Drives a transfer on record as far as it goes, and tells where it stands. */
export async function drive(
  bank: Bank,
  transferId: string,
  requested: TransferOnRecord,
  { expectedRevision: _ofAnAccount, operation: _ofTheRequest, ...trace }: RequestContext,
): Promise<RequestedTransfer> {
  const { replayed } = requested;
  const driven = await driveRequested(bank, transferId, requested, trace);
  const { position = requested.position } = driven;
  const { state, revision } = beforeReversals(driven);
  return {
    transfer: transferDocument(transferId, state, revision),
    finished: nextStep(state) === undefined,
    stream: transferType.stream(transferId),
    revision,
    ...(position === undefined ? {} : { position }),
    ...(replayed ? { replayed } : {}),
  };
}

/** Whoever asks again is told what the request came to: that it was taken back later is another story. */
function beforeReversals({ state, revision }: DrivenTransfer): DrivenTransfer {
  const { reversals = [], ...original } = state;
  return { state: original, revision: revision - reversals.length };
}

/** A refusal by the first look at the accounts; it does not hold for what an earlier try has put on record meanwhile. */
export async function unlessOnRecord(
  bank: Bank,
  transferId: string,
  operation: Operation | undefined,
  looked: Decision<string>,
): Promise<Decision<string>> {
  const refused = !looked.ok && !(await isOnRecord(bank, transferId, operation));
  return looked.ok || refused ? looked : currencyOf(bank, transferId);
}

/** The currency of a transfer that was requested before. */
export async function currencyOf(bank: Bank, transferId: string): Promise<Decision<string>> {
  const transfer = await bank.transfers.recent(transferId);
  return accept(transfer?.currency ?? bank.defaultCurrency);
}

/**
 * Refuses what could not end well as things stand, before anything is on record. What it lets through may still be
 * refused by an account, for things change.
 * @returns the currency of both accounts
 */
async function checked(
  bank: Bank,
  transferId: string,
  input: TransferInput,
  payer: AccountHolder,
): Promise<Decision<string>> {
  const { accounts } = bank;
  const { from_account_id, to_account_id } = input;
  const now = bank.now().toISOString();
  const attempt = (from: BankAccount | undefined, to: BankAccount | undefined) =>
    tryTransfer({ from, to }, transferId, input, now, payer);
  let tried = attempt(await accounts.recent(from_account_id), await accounts.recent(to_account_id));
  if (!tried.ok) {
    // The accounts are as they are remembered; only a refusal is worth a look at their newest state.
    const [from, to] = [await accounts.load(from_account_id), await accounts.load(to_account_id)];
    tried = attempt(from?.state, to?.state);
  }
  return tried.ok ? accept(tried.value.currency) : tried;
}

/** What both accounts would record, if the transfer came right now. */
export interface TriedTransfer {
  readonly currency: string;
  readonly debit: readonly BankAccountEvent[];
  readonly credit: readonly BankAccountEvent[];
}

/** Whether both accounts would take their legs as they are. @param now RFC 3339 UTC */
export function tryTransfer(
  { from, to }: { readonly from: BankAccount | undefined; readonly to: BankAccount | undefined },
  transferId: string,
  input: TransferInput,
  now: string,
  payer: AccountHolder = 'CUSTOMER',
): Decision<TriedTransfer> {
  const { from_account_id, to_account_id } = input;
  if (from_account_id === to_account_id) return sameAccount();
  if (!from) return unknownAccount(from_account_id, 'from_account_id');
  const { currency } = from;
  const leg: TransferLeg = { transfer_id: transferId, transaction_id: transferId, ...input, currency };
  const debit =
    refuseHolder(from, payer) ??
    decideWithoutExpired(from, now, (current) => debitForTransfer(current, leg, now));
  if (!debit.ok) return pointedAt(debit.rejection, 'from_account_id');
  if (!to) return unknownAccount(to_account_id, 'to_account_id');
  const credit = refuseHolder(to, 'CUSTOMER') ?? creditForTransfer(to, leg);
  if (!credit.ok) return pointedAt(credit.rejection, 'to_account_id');
  return accept({ currency, debit: debit.value, credit: credit.value });
}

function unknownAccount(accountId: string, field: string): Decision<never> {
  return { ok: false, rejection: { ...accountNotFound(accountId).rejection, field } };
}

/** What is wrong with an account as a whole is wrong with the field that names it. */
function pointedAt(rejection: Rejection, field: string): Decision<never> {
  return { ok: false, rejection: rejection.field === undefined ? { ...rejection, field } : rejection };
}
