/**
 * Read model `bank_days`: what came in and went out of all accounts together on one UTC day, by currency. All postings
 * of a day meet in one document, which is written once a batch.
 */
import type { TransactionRecorded } from '../domain/bank-account.ts';
import { defineProjection } from '../event-sourcing/projection.ts';
import { type DayFigures, dayMinorUnits, dayOf, sideWith } from './day-figures.ts';

export type BankDayDocument = {
  readonly day: string;
  /** By currency code. */
  readonly currencies: Readonly<Record<string, DayFigures>>;
};

export const bankDays = defineProjection<TransactionRecorded, BankDayDocument>({
  name: 'bank_days',
  version: 1,
  indexes: [],
  listed: false,
  eventTypes: ['BankAccountTransactionRecordedDomainEventV1'],
  minorUnits: ({ currencies }) => ({
    currencies: Object.fromEntries(
      Object.entries(currencies).map(([currency, figures]) => [currency, dayMinorUnits(figures, currency)]),
    ),
  }),
  keys: ({ metadata }) => [dayOf(metadata)],
  fold(document, { data }, _lookup, day) {
    const before = document?.currencies[data.currency];
    const credited = data.direction === 'CREDIT';
    const after = {
      credits: credited ? sideWith(before?.credits, data) : (before?.credits ?? null),
      debits: credited ? (before?.debits ?? null) : sideWith(before?.debits, data),
    };
    return { day, currencies: { ...document?.currencies, [data.currency]: after } };
  },
});
