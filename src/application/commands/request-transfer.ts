/** Command: moves money from one account to another, and drives that to its end if nothing comes in between. */
import { z } from 'zod';
import {
  type AccountHolder,
  type BankAccount,
  creditForTransfer,
  debitForTransfer,
  decideWithoutExpired,
  type TransferLeg,
} from '../../domain/bank-account.ts';
import { accept, type Decision, type Rejection } from '../../domain/decision.ts';
import { nextStep, requestTransfer, sameAccount } from '../../domain/transfer.ts';
import { type TransferDocument, transferDocument } from '../../projections/transfers.ts';
import { accountNotFound, asDecision, type Bank, refuseHolder, type Written } from '../bank.ts';
import { id, positiveAmount, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { newAggregateId } from '../operation.ts';
import { transferType } from '../transfer-process.ts';
import { driveRequested } from './drive-transfer.ts';

export const requestTransferFields = z.strictObject({
  from_account_id: id('The account that the money leaves.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  to_account_id: id('The account that it goes to.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a07'),
  amount: positiveAmount('The amount, above zero, in the currency of both accounts.', '25.00'),
  description: text('What it is for.', 500, 'Rent for March'),
});

type Input = z.output<typeof requestTransferFields>;
/** `finished` is whether nothing is left to do; what is left is done without the client. */
export type RequestedTransfer = { transfer: TransferDocument; finished: boolean } & Written;

export const RequestTransfer = command<RequestedTransfer>()('RequestTransfer', requestTransferFields);

/** @param payer whose account the money may leave */
export function requestTransferHandler(
  bank: Bank,
  payer: AccountHolder = 'CUSTOMER',
): Handler<Input, RequestedTransfer> {
  return async (input, context) => {
    const { expectedRevision: _ofAnAccount, operation, ...trace } = context;
    const transferId = newAggregateId('Transfer', context, bank.newId);
    const repeated = operation !== undefined && (await bank.transfers.exists(transferId));
    const currency = await (repeated
      ? currencyOf(bank, transferId)
      : checked(bank, transferId, input, payer));
    if (!currency.ok) return currency;
    const request = { ...input, currency: currency.value };
    const requested = asDecision(
      await bank.transfers.execute(transferId, (transfer) => requestTransfer(transfer, request), {
        ...trace,
        ...(operation ? { operation } : {}),
      }),
    );
    if (!requested.ok) return requested;
    const { replayed } = requested.value;
    const driven = await driveRequested(bank, transferId, requested.value, trace);
    const { state, revision, position = requested.value.position } = driven;
    return accept({
      transfer: transferDocument(transferId, state, revision),
      finished: nextStep(state) === undefined,
      stream: transferType.stream(transferId),
      revision,
      ...(position === undefined ? {} : { position }),
      ...(replayed ? { replayed } : {}),
    });
  };
}

/** The currency of a transfer that was requested before. */
async function currencyOf(bank: Bank, transferId: string): Promise<Decision<string>> {
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
  input: Input,
  payer: AccountHolder,
): Promise<Decision<string>> {
  const { from_account_id, to_account_id } = input;
  if (from_account_id === to_account_id) return sameAccount();
  let currency = bank.defaultCurrency;
  const leg = (): TransferLeg => ({
    transfer_id: transferId,
    transaction_id: transferId,
    ...input,
    currency,
  });
  const now = bank.now().toISOString();
  const debit = await tried(bank, from_account_id, 'from_account_id', (account) => {
    currency = account.currency;
    return (
      refuseHolder(account, payer) ??
      decideWithoutExpired(account, now, (current) => debitForTransfer(current, leg(), now))
    );
  });
  if (!debit.ok) return debit;
  const credit = await tried(
    bank,
    to_account_id,
    'to_account_id',
    (account) => refuseHolder(account, 'CUSTOMER') ?? creditForTransfer(account, leg()),
  );
  return credit.ok ? accept(currency) : credit;
}

/** Decides on the account as it is remembered; only a refusal is worth a look at its newest state. */
async function tried(
  bank: Bank,
  accountId: string,
  field: 'from_account_id' | 'to_account_id',
  decide: (account: BankAccount) => Decision<unknown>,
): Promise<Decision<unknown>> {
  const remembered = await bank.accounts.recent(accountId);
  if (remembered && decide(remembered).ok) return accept(undefined);
  const newest = await bank.accounts.load(accountId);
  if (!newest) return { ok: false, rejection: { ...accountNotFound(accountId).rejection, field } };
  const decision = decide(newest.state);
  return decision.ok ? decision : { ok: false, rejection: pointedAt(decision.rejection, field) };
}

/** What is wrong with an account as a whole is wrong with the field that names it. */
function pointedAt(rejection: Rejection, field: string): Rejection {
  return rejection.field === undefined ? { ...rejection, field } : rejection;
}
