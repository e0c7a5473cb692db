/** Read model `transactions`: every posting, with the balance that it left behind. */
import type { TransactionRecorded } from '../domain/bank-account.ts';
import { toMinor } from '../domain/money.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

export type TransactionDocument = TransactionRecorded['data'] & {
  readonly account_id: string;
  readonly recorded_at: string;
  readonly revision: number;
};

export const transactions = defineProjection<TransactionRecorded, TransactionDocument>({
  name: 'transactions',
  version: 1,
  indexes: ['account_id'],
  listed: false,
  eventTypes: ['BankAccountTransactionRecordedDomainEventV1'],
  writeOnce: true,
  minorUnits: ({ amount, balance, currency }) => ({
    amount: toMinor(amount, currency),
    balance: toMinor(balance, currency),
  }),
  keys: (event) => [event.data.transaction_id],
  fold: (_document, event) => ({
    account_id: event.metadata.aggregate_id,
    ...event.data,
    recorded_at: event.metadata.timestamp,
    revision: event.revision,
  }),
});
