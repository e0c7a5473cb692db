/** What commands that move money share: one movement on one account, and how it is answered. */
import { z } from 'zod';
import type {
  BankAccount,
  BankAccountEvent,
  Posting as PostingDecision,
  TransactionRecorded,
  TransactionType,
} from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { Operation } from '../../event-sourcing/operation-log.ts';
import {
  type AcceptedOnAccount,
  type Bank,
  changeAccount,
  idempotencyConflict,
  type Written,
  written,
} from '../bank.ts';
import { id, labels, positiveAmount, text } from '../fields.ts';
import type { Handler, RequestContext } from '../mediator.ts';
import { operationFor } from '../operation.ts';

export const postingFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  amount: positiveAmount('The amount, above zero.', 1000),
  description: text('What it is for.', 500, 'Initial deposit'),
  external_reference: text(
    'Your own name for it, used once per account: a second request with the same fields gets the first answer again.',
    100,
    'invoice-4711/1',
  ).optional(),
  metadata: labels('Your own fields, at most 20.', { order: '4711' }).optional(),
});

export type PostingInput = z.output<typeof postingFields>;

/** A recorded movement of money, as the API shows it. */
export type Posting = TransactionRecorded['data'] & {
  readonly account_id: string;
  readonly recorded_at: string;
  readonly revision: number;
};

export type PostingResult = { posting: Posting } & Written;

export function recordPosting(
  bank: Bank,
  kind: TransactionType,
  decide: (account: BankAccount, posting: PostingDecision, now: string) => Decision<BankAccountEvent[]>,
): Handler<PostingInput, PostingResult> {
  return async (input, context) => {
    const posting = { ...input, transaction_id: bank.newId() };
    const { operation: byKey } = context;
    const byReference = operationByReference(kind, input, byKey);
    const outcome = await changeAccount(
      bank,
      input.account_id,
      withOperations(context, byKey, byReference),
      (account, now) => decide(account, posting, now),
      (operationId) =>
        operationId === byReference?.id ? referenceTaken(input.external_reference) : idempotencyConflict(),
    );
    return outcome.ok ? accept(postingResult(input.account_id, outcome.value)) : outcome;
  };
}

/**
 * An external reference is an operation of the account, so the account does it once, for as long as it remembers it.
 * The operation that the client named by a key, if any, is a part of its content.
 */
function operationByReference(
  kind: TransactionType,
  input: PostingInput,
  byKey: Operation | undefined,
): Operation | undefined {
  const { external_reference } = input;
  if (external_reference === undefined) return undefined;
  return operationFor('external-reference', external_reference, {
    kind,
    input,
    operation: byKey?.id ?? null,
  });
}

/** A posting that has a key and a reference is found by both: by the key first, which stands for all of the request. */
function withOperations(
  context: RequestContext,
  byKey: Operation | undefined,
  byReference: Operation | undefined,
): RequestContext {
  if (!byReference) return context;
  return { ...context, operation: byKey ? { ...byKey, alias: byReference } : byReference };
}

function referenceTaken(reference: string | undefined) {
  return reject('external_reference_conflict', `${reference} names another posting of the account.`, {
    field: 'external_reference',
  });
}

/** The answer to a command whose last event is the posting that was asked for. */
export function postingResult(account_id: string, accepted: AcceptedOnAccount): PostingResult {
  const { events, timestamp, revision } = accepted;
  const event = events.at(-1);
  if (event?.type !== 'BankAccountTransactionRecordedDomainEventV1') {
    throw new Error('a posting was accepted without its event');
  }
  return {
    posting: { account_id, ...event.data, recorded_at: timestamp, revision },
    ...written(accepted),
  };
}
