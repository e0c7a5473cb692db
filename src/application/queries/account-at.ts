/** Queries for the balance and the full state of an account: now, at a time, or right after a revision. */
import type { z } from 'zod';
import type { BankAccount } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import type { Moment } from '../../event-sourcing/temporal-replay.ts';
import { type AccountBalance, type AccountMoment, accountBalance, accountMoment } from '../account-moment.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { findMoment, instant, revisionNumber, type TravellingBank } from './point-in-time.ts';

// No examples: documentation would fill both in, and only one of them may be given.
export const pointFields = {
  at: instant(
    'The instant, with its offset from UTC: 2026-01-15T09:30:00+01:00. An event at exactly it counts.',
  ),
  revision: revisionNumber('Right after the event of this revision; 0 is the opening. Instead of `at`.'),
};

const accountPointFields = accountIdFields.extend(pointFields);
type AccountPoint = z.output<typeof accountPointFields>;

export const GetAccountBalance = query<AccountBalance>()('GetAccountBalance', accountPointFields);

export const getAccountBalanceHandler = (bank: TravellingBank) => handlerFor(bank, accountBalance);

export const GetAccountState = query<AccountMoment>()('GetAccountState', accountPointFields);

export const getAccountStateHandler = (bank: TravellingBank) => handlerFor(bank, accountMoment);

function handlerFor<T>(
  bank: TravellingBank,
  shown: (id: string, moment: Moment<BankAccount>, at: string | null) => T,
): Handler<AccountPoint, T> {
  return async ({ id, at: time, revision }) => {
    const fields = { time: 'at', revision: 'revision' };
    const found = await findMoment(bank, id, { time, revision, fields });
    return found.ok ? accept(shown(id, found.value.moment, found.value.at)) : found;
  };
}
