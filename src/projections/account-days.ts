/**
 * Read model `account_days`: what came in and went out of an account on one UTC day. It has a small document for each
 * account and day with postings, not a larger one for a month: a posting then writes little, and what is written
 * together lies together.
 */
import type { TransactionRecorded } from '../domain/bank-account.ts';
import { defineProjection } from '../event-sourcing/projection.ts';
import { type DayFigures, dayMinorUnits, dayOf, sideWith } from './day-figures.ts';

export type AccountDayDocument = DayFigures & {
  readonly account_id: string;
  readonly day: string;
  readonly currency: string;
};

/** The day comes first, so that the keys of one day are neighbours. */
export function accountDayKey(accountId: string, day: string): string {
  return `${day}/${accountId}`;
}

export const accountDays = defineProjection<TransactionRecorded, AccountDayDocument>({
  name: 'account_days',
  version: 1,
  indexes: [],
  listed: false,
  eventTypes: ['BankAccountTransactionRecordedDomainEventV1'],
  minorUnits: (document) => dayMinorUnits(document, document.currency),
  keys: ({ metadata }) => [accountDayKey(metadata.aggregate_id, dayOf(metadata))],
  fold(document, { data, metadata }) {
    const credited = data.direction === 'CREDIT';
    // Every document has its members in the same order: this runs for every posting, and a copy of the last one costs more.
    return {
      account_id: metadata.aggregate_id,
      day: dayOf(metadata),
      currency: data.currency,
      credits: credited ? sideWith(document?.credits, data) : (document?.credits ?? null),
      debits: credited ? (document?.debits ?? null) : sideWith(document?.debits, data),
    };
  },
});
