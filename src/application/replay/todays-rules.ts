/**
 * What today's rules would decide where an event was recorded: the command is made up from the event, and asked of the
 * state before it, at the event's time.
 */

import type { BankAccount, BankAccountEvent, TransactionRecorded } from '../../domain/bank-account.ts';
import * as account from '../../domain/bank-account.ts';
import { accept, type Decision } from '../../domain/decision.ts';
import type { Recorded } from '../../event-sourcing/codec.ts';
import { operationOf } from '../../event-sourcing/operation-log.ts';
import { suspenseAccountId } from '../suspense.ts';
import { legOperation } from '../transfer-legs.ts';

/**
 * - `same`: they would record the event as it is. - `otherwise`: they would accept too, with other content.
 * - `refused`: they would refuse. - `nothing`: they would find nothing to record.
 * - `not_judged`: the event does not tell what was asked for.
 */
export type Verdict =
  | { readonly kind: 'same' | 'nothing' }
  | { readonly kind: 'otherwise'; readonly differences: Difference[] }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  | { readonly kind: 'not_judged'; readonly reason: string };

/** A field of the event's data, as JSON texts. */
export interface Difference {
  readonly field: string;
  readonly recorded: string | undefined;
  readonly today: string | undefined;
}

/** Looks up a posting of the same account that was recorded earlier. */
export type FindPosting = (transactionId: string) => Promise<account.OriginalPosting | undefined>;

type Decided = Decision<BankAccountEvent[]>;
type Judged = { readonly decision: Decided } | { readonly reason: string };

export async function judgeByTodaysRules(
  event: Recorded<BankAccountEvent>,
  before: BankAccount | undefined,
  findPosting: FindPosting,
): Promise<Verdict> {
  const judged = await decideToday(event, before, findPosting);
  if ('reason' in judged) return { kind: 'not_judged', reason: judged.reason };
  const { decision } = judged;
  if (!decision.ok)
    return { kind: 'refused', code: decision.rejection.code, detail: decision.rejection.detail };
  const today = decision.value.find((one) => isCounterpart(one, event));
  if (!today) return { kind: 'nothing' };
  const differences = differencesOf(event.data, today.data);
  return differences.length === 0 ? { kind: 'same' } : { kind: 'otherwise', differences };
}

async function decideToday(
  event: Recorded<BankAccountEvent>,
  before: BankAccount | undefined,
  findPosting: FindPosting,
): Promise<Judged> {
  if (event.type === 'BankAccountCreatedDomainEventV2') {
    const account_id = event.metadata.aggregate_id;
    const opening = { account_id, initial_balance: '0', transaction_id: '' };
    return { decision: account.openAccount(before, { ...event.data, ...opening }) };
  }
  if (!before) return { reason: 'There is no account before it.' };
  const now = event.metadata.timestamp;
  const asked = await askedFor(event, now, findPosting);
  if (typeof asked !== 'function') return asked;
  return { decision: account.decideWithoutExpired(before, now, asked) };
}

/** The decision that the event must have come of; where it cannot be told, the reason why. */
async function askedFor(
  event: Recorded<BankAccountEvent>,
  now: string,
  findPosting: FindPosting,
): Promise<((state: BankAccount) => Decided) | { reason: string }> {
  const { type, data } = event;
  switch (type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      return postingAskedFor(event as Recorded<TransactionRecorded>, now, findPosting);
    case 'BankAccountOverdraftLimitChangedDomainEventV1':
      return (state) => account.changeOverdraftLimit(state, data.new_limit);
    case 'BankAccountClosedDomainEventV1':
      return (state) => account.closeAccount(state, data.reason);
    case 'BankAccountHoldPlacedDomainEventV1':
      return (state) => account.placeHold(state, data, now);
    case 'BankAccountHoldCapturedDomainEventV1': {
      const { hold_id, transaction_id, captured_amount: amount } = data;
      const capture = { hold_id, transaction_id, amount, account_id: event.metadata.aggregate_id };
      return (state) => account.captureHold(state, capture);
    }
    case 'BankAccountHoldReleasedDomainEventV1':
      // That a hold has expired is found out by every decision, whatever it is about.
      if (data.reason === 'EXPIRED') return () => accept([]);
      return (state) => account.releaseHold(state, data.hold_id);
    case 'BankAccountFrozenDomainEventV1':
      return (state) => account.freezeAccount(state, data.scope, data.reason);
    case 'BankAccountUnfrozenDomainEventV1':
      return (state) => account.unfreezeAccount(state, data.reason);
    case 'BankAccountLimitsChangedDomainEventV1': {
      const limits = {
        transaction_limit: data.transaction_limit ?? undefined,
        daily_limit: data.daily_limit ?? undefined,
      };
      return (state) => account.changeLimits(state, limits);
    }
    case 'BankAccountTermsChangedDomainEventV1':
      return (state) => account.changeTerms(state, data);
    case 'BankAccountBooksClosedDomainEventV1':
      return (state) => account.closeBooks(state, data, now);
    case 'BankAccountTransferRefusedDomainEventV1':
      return { reason: 'How much was to be moved is not on record here.' };
    case 'BankAccountCreatedDomainEventV2':
      return { reason: 'It opens the account.' };
  }
}

async function postingAskedFor(
  event: Recorded<TransactionRecorded>,
  now: string,
  findPosting: FindPosting,
): Promise<((state: BankAccount) => Decided) | { reason: string }> {
  const { data, metadata } = event;
  const posting = { ...data, account_id: metadata.aggregate_id };
  switch (data.type) {
    case 'DEPOSIT':
      return (state) => account.deposit(state, posting);
    case 'WITHDRAWAL':
      return (state) => account.withdraw(state, posting, now);
    case 'TRANSFER':
      return transferAskedFor(event, now);
    case 'HOLD':
      return { reason: 'It was decided together with the capture before it.' };
    case 'INTEREST':
      if (data.period === undefined) return (state) => account.postInterest(state, posting);
      return periodAskedFor(posting, data.period, now);
    case 'FEE':
      if (data.period === undefined) return { reason: 'It names no month.' };
      return periodAskedFor(posting, data.period, now);
    case 'REVERSAL': {
      const found = await findPosting(String(data.reverses_transaction_id));
      if (!found) return { reason: 'The posting that it undoes is not in the stream.' };
      const { account_id, transaction_id } = posting;
      // A side of a transfer that is taken back is a part of the transfer that does so.
      const { transfer_id } = data;
      const original = { ...found, ...(transfer_id === undefined ? {} : { transfer_id }) };
      const reversal = {
        account_id,
        transaction_id,
        original,
        amount: data.amount,
        reason: data.description,
      };
      return (state) => account.reverseTransaction(state, reversal, now);
    }
  }
}

function periodAskedFor(
  { account_id, transaction_id }: { readonly account_id: string; readonly transaction_id: string },
  period: string,
  now: string,
) {
  const asked = { account_id, period, newTransactionId: () => transaction_id };
  return (state: BankAccount) => account.postPeriod(state, asked, now);
}

/** Which leg it is, its operation's id tells; a refund is recorded the other way round than its debit. */
function transferAskedFor({ data, metadata }: Recorded<TransactionRecorded>, now: string) {
  const { transfer_id, from_account_id, to_account_id } = data;
  if (transfer_id === undefined || from_account_id === undefined || to_account_id === undefined)
    return { reason: 'It does not tell of which transfer it is.' };
  const account_id = metadata.aggregate_id;
  const leg = { ...data, transfer_id, from_account_id, to_account_id };
  if (account_id === suspenseAccountId(data.currency)) {
    return (state: BankAccount) =>
      account.suspendTransfer(state, leg, { owner_id: state.owner_id, account_id }, now);
  }
  if (data.direction === 'DEBIT') return (state: BankAccount) => account.debitForTransfer(state, leg, now);
  if (operationOf(metadata)?.id !== legOperation('REFUND', transfer_id).id) {
    return (state: BankAccount) => account.creditForTransfer(state, leg);
  }
  const debit = { ...leg, from_account_id: to_account_id, to_account_id: from_account_id };
  return (state: BankAccount) => account.refundTransfer(state, { ...debit, ...restoring(data) });
}

/** What a refund says of the reversal that it gives back; the rest plays no part in it. */
function restoring({ restores_transaction_id, amount }: TransactionRecorded['data']) {
  if (restores_transaction_id === undefined) return {};
  const ids = { debit_transaction_id: '', credit_transaction_id: restores_transaction_id };
  return { reverses: { ...ids, amount, completed_at: '' } };
}

/** Whether it is the same event of a decision that may have several. */
function isCounterpart(today: BankAccountEvent, recorded: BankAccountEvent): boolean {
  if (today.type !== recorded.type) return false;
  const names = ['hold_id', 'type', 'direction', 'period'] as const;
  return names.every((name) => fieldOf(today.data, name) === fieldOf(recorded.data, name));
}

function differencesOf(recorded: object, today: object): Difference[] {
  const fields = [...new Set([...Object.keys(recorded), ...Object.keys(today)])];
  return fields.flatMap((field) => {
    const difference = { field, recorded: fieldOf(recorded, field), today: fieldOf(today, field) };
    return difference.recorded === difference.today ? [] : [difference];
  });
}

function fieldOf(data: object, field: string): string | undefined {
  return JSON.stringify((data as Readonly<Record<string, unknown>>)[field]);
}
