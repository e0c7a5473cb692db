/** Command: posts the interest and fees of a month, one page of accounts a step. It may be repeated, and run late. */
import { z } from 'zod';
import { isOver, periodNotOver, postPeriod } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type AccountDocument, accounts } from '../../projections/accounts.ts';
import { type ChangingBank, changeAccount } from '../bank.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';
import { findPage, pageFields } from '../queries/paging.ts';

export const periodFields = z.strictObject({
  period: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month such as 2026-01')
    .meta({ description: 'A month that is over.', examples: ['2025-01'] }),
});

/** What one step did. */
export interface InterestStep {
  readonly period: string;
  /** Accounts that were looked at. */
  readonly examined: number;
  readonly postings: number;
  /** Accounts that took no posting, and why. */
  readonly failures: { readonly account_id: string; readonly code: string }[];
  /** Missing when all accounts have been seen. */
  readonly next_cursor?: string;
}

export const PostInterestForPeriod = command<InterestStep>()(
  'PostInterestForPeriod',
  periodFields.extend(pageFields),
);

type Input = z.output<typeof periodFields> & { readonly limit: number; readonly cursor?: string | undefined };

export function postInterestForPeriodHandler(bank: ChangingBank): Handler<Input, InterestStep> {
  return async ({ period, ...request }, context) => {
    if (!isOver(period, bank.now().toISOString())) return periodNotOver(period);
    const page = await findPage(bank, accounts, request, { order: 'oldest_first' });
    if (!page.ok) return page;
    const { items, next_cursor } = page.value;
    // The month itself makes it safe to repeat; a client's key would name one operation of many accounts.
    const { operation: _key, ...ids } = context;
    const due = items.filter(mayAccrue);
    const outcomes = await Promise.all(due.map(({ id }) => postFor(bank, id, period, ids)));
    return accept({
      period,
      examined: items.length,
      postings: outcomes.reduce((total, { postings }) => total + postings, 0),
      failures: outcomes.flatMap(({ failure }) => failure ?? []),
      ...(next_cursor ? { next_cursor } : {}),
    });
  };
}

/** Accounts without terms are most of them, and need no look at their streams. */
function mayAccrue({ status, credit_rate }: AccountDocument): boolean {
  return status !== 'CLOSED' && credit_rate !== null;
}

async function postFor(bank: ChangingBank, account_id: string, period: string, context: RequestContext) {
  const posting = { account_id, period, newTransactionId: bank.newId };
  const outcome = await changeAccount(bank, account_id, context, (account, now) =>
    postPeriod(account, posting, now),
  );
  if (!outcome.ok) return { postings: 0, failure: { account_id, code: outcome.rejection.code } };
  const posted = outcome.value.events.filter(({ data }) => 'period' in data);
  return { postings: posted.length };
}
