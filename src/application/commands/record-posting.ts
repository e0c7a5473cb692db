/** What commands that move money share: one movement on one account, and how it is answered. */
import { z } from 'zod';
import type {
  BankAccount,
  BankAccountEvent,
  Posting as PostingDecision,
  TransactionRecorded,
} from '../../domain/bank-account.ts';
import { accept, type Decision } from '../../domain/decision.ts';
import { type AcceptedOnAccount, type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, positiveAmount, text } from '../fields.ts';
import type { Handler } from '../mediator.ts';

export const postingFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  amount: positiveAmount('The amount, above zero.', 1000),
  description: text('What it is for.', 500, 'Initial deposit'),
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
  decide: (account: BankAccount, posting: PostingDecision, now: string) => Decision<BankAccountEvent[]>,
): Handler<PostingInput, PostingResult> {
  return async (input, context) => {
    const posting = { ...input, transaction_id: bank.newId() };
    const outcome = await changeAccount(bank, input.account_id, context, (account, now) =>
      decide(account, posting, now),
    );
    return outcome.ok ? accept(postingResult(input.account_id, outcome.value)) : outcome;
  };
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
