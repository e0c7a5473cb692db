/** Every read model of the bank, in the order in which an event passes them. A new one is a new file and a line here. */
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_STREAM_PREFIX } from '../domain/person.ts';
import { TRANSFER_STREAM_PREFIX } from '../domain/transfer.ts';
import type { AnyProjection, ProjectionGroup } from '../event-sourcing/projection.ts';
import { accountDays } from './account-days.ts';
import { accounts } from './accounts.ts';
import { bankDays } from './bank-days.ts';
import { externalReferences } from './external-references.ts';
import { holds } from './holds.ts';
import { operations } from './operations.ts';
import { ownerSummaries } from './owner-summaries.ts';
import { persons } from './persons.ts';
import { streamCategories, streamHealth } from './stream-health.ts';
import { transactions } from './transactions.ts';
import { transfers } from './transfers.ts';

/** The streams that the projections follow. */
export const PROJECTED_STREAM_PREFIXES = [
  PERSON_STREAM_PREFIX,
  BANK_ACCOUNT_STREAM_PREFIX,
  TRANSFER_STREAM_PREFIX,
] as const;

/** Groups know nothing of each other. In a rebuild of all, two threads take every second one each: this order gives both as much to do. */
export const projectionGroups: readonly ProjectionGroup<BankEvent>[] = [
  { name: 'accounts', projections: [persons, accounts, ownerSummaries] },
  { name: 'transactions', projections: [transactions, externalReferences] },
  { name: 'operations', projections: [operations] },
  { name: 'analytics', projections: [accountDays, bankDays] },
  { name: 'stream_health', projections: [streamHealth, streamCategories] },
  { name: 'holds', projections: [holds] },
  { name: 'transfers', projections: [transfers] },
];

/** What readers wait for who want to see a write of theirs: how the streams are is no answer to it. */
export const awaitedProjections: readonly AnyProjection<BankEvent>[] = projectionGroups
  .filter(({ name }) => name !== 'stream_health')
  .flatMap((group) => group.projections);

export const projections: readonly AnyProjection<BankEvent>[] = projectionGroups.flatMap(
  (group) => group.projections,
);
