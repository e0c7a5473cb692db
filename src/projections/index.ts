/** Every read model of the bank, in the order in which an event passes them. A new one is a new file and a line here. */
import type { BankEvent } from '../domain/bank-event.ts';
import type { AnyProjection } from '../event-sourcing/projection.ts';
import { accounts } from './accounts.ts';
import { ownerSummaries } from './owner-summaries.ts';
import { persons } from './persons.ts';
import { transactions } from './transactions.ts';

export const projections: readonly AnyProjection<BankEvent>[] = [
  persons,
  accounts,
  transactions,
  ownerSummaries,
];
