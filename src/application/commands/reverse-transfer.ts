/** The part of a reversal that is about transfers: both sides are undone, by a transfer the other way round. */
import {
  type BankAccount,
  creditForReversal,
  debitForReversal,
  decideWithoutExpired,
} from '../../domain/bank-account.ts';
import { accept, type Decision, type Rejection, reject } from '../../domain/decision.ts';
import type { Transfer } from '../../domain/transfer.ts';
import { type RequestReversal, requestReversal, reversedTransfer } from '../../domain/transfer-reversal.ts';
import { type TransferDocument, transferDocument } from '../../projections/transfers.ts';
import { accountNotFound, asDecision, type Bank, type Written } from '../bank.ts';
import type { RequestContext } from '../mediator.ts';
import { newAggregateId } from '../operation.ts';
import { type DrivenTransfer, transferNotFound, transferType } from '../transfer-process.ts';
import { driveRequested, isOnRecord } from './drive-transfer.ts';
import { findPosting } from './find-posting.ts';
import type { PostingResult } from './record-posting.ts';

/** The reversal is on record, but there is no posting to show: a store failed, or the bank keeps the money. */
export type PendingReversal = { readonly transfer: TransferDocument } & Written;

/** A side of the transfer that is to be taken back, and how. */
export interface TransferReversalRequest {
  /** The account whose posting the client has named: it is shown the one that undoes it. */
  readonly account_id: string;
  /** The transfer that the named posting is a part of. */
  readonly transfer_id: string;
  /** Decimal text; all that is left of the transfer, when missing. */
  readonly amount?: string | undefined;
  readonly reason: string;
}

/** Takes a transfer back. What is refused before anything is on record leaves nothing behind. */
export async function reverseTransfer(
  bank: Bank,
  request: TransferReversalRequest,
  context: RequestContext,
): Promise<Decision<PostingResult | PendingReversal>> {
  const { expectedRevision: _ofAnAccount, operation, ...trace } = context;
  const reversalId = newAggregateId('Transfer', context, bank.newId);
  const onRecord = () => isOnRecord(bank, reversalId, operation);
  const reversal = (await onRecord()) ? undefined : await checked(bank, reversalId, request);
  if (reversal && !reversal.ok && !(await onRecord())) return reversal;
  const requested = asDecision(
    await bank.transfers.execute(
      reversalId,
      (known) => (reversal?.ok ? requestReversal(known, reversal.value) : transferNotFound(reversalId)),
      { ...trace, ...(operation ? { operation } : {}) },
    ),
  );
  if (!requested.ok) return requested;
  const driven = await driveRequested(bank, reversalId, requested.value, trace);
  const refused = refusalOf(driven.state);
  if (refused) return refused;
  return answer(bank, reversalId, request.account_id, driven, requested.value);
}

/** Refuses what could not end well as things stand; finds out how much is left where the client did not say. */
async function checked(
  bank: Bank,
  reversalId: string,
  { transfer_id, amount, reason }: TransferReversalRequest,
): Promise<Decision<RequestReversal>> {
  const original = await bank.transfers.load(transfer_id);
  if (!original) return transferNotFound(transfer_id);
  const transfer = original.state;
  const reverses = reversedTransfer(transfer_id, transfer);
  if (!reverses.ok) return reverses;
  const leg = {
    transfer_id: reversalId,
    transaction_id: reversalId,
    from_account_id: transfer.to_account_id,
    to_account_id: transfer.from_account_id,
    currency: transfer.currency,
    description: reason,
    reverses: reverses.value,
  };
  const now = bank.now().toISOString();
  const debit = await tried(bank, leg.from_account_id, (account) =>
    decideWithoutExpired(account, now, (current) => debitForReversal(current, { ...leg, amount }, now)),
  );
  if (!debit.ok) return debit;
  const posting = debit.value.at(-1);
  if (posting?.type !== 'BankAccountTransactionRecordedDomainEventV1') {
    throw new Error('a reversal was accepted without its event');
  }
  const decided = posting.data.amount;
  const credit = await tried(bank, leg.to_account_id, (account) =>
    creditForReversal(account, { ...leg, amount: decided }, now),
  );
  return credit.ok ? accept({ transfer_id, transfer, amount: decided, reason }) : credit;
}

async function tried<T>(
  bank: Bank,
  accountId: string,
  decide: (account: BankAccount) => Decision<T>,
): Promise<Decision<T>> {
  const newest = await bank.accounts.load(accountId);
  if (!newest) return accountNotFound(accountId);
  const decision = decide(newest.state);
  return decision.ok ? decision : { ok: false, rejection: refusedBy(accountId, decision.rejection) };
}

/** The client has named a posting, so it must be told which of the two accounts stands in the way. */
function refusedBy(account_id: string, rejection: Rejection): Rejection {
  return { ...rejection, facts: { ...rejection.facts, account_id } };
}

/** Why nothing was moved in the end, where an account refused what the first look had let through. */
function refusalOf({ status, steps, from_account_id, to_account_id }: Transfer) {
  if (status !== 'REJECTED' && status !== 'REFUNDED') return undefined;
  const step = steps.find((one) => one.code !== undefined);
  const account_id = status === 'REJECTED' ? from_account_id : to_account_id;
  const { code = 'not_reversible', detail = 'The reversal was refused.' } = step ?? {};
  return reject(code, detail, { facts: { account_id } });
}

async function answer(
  bank: Bank,
  reversalId: string,
  accountId: string,
  { state, revision, position }: DrivenTransfer,
  requested: Written,
): Promise<Decision<PostingResult | PendingReversal>> {
  const at = position ?? requested.position;
  const written: Written = {
    stream: transferType.stream(reversalId),
    revision,
    ...(at === undefined ? {} : { position: at }),
    ...(requested.replayed ? { replayed: true } : {}),
  };
  const side = accountId === state.from_account_id ? 'DEBITED' : 'CREDITED';
  const transactionId = state.steps.find(({ status }) => status === side)?.transaction_id;
  if (state.status !== 'COMPLETED' || transactionId === undefined) {
    return accept({ transfer: transferDocument(reversalId, state, revision), ...written });
  }
  const posting = await findPosting(bank, accountId, transactionId, transferType.stream(reversalId));
  return accept({ posting, ...written, revision: posting.revision });
}
