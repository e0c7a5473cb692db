/** Read model `owner_summaries`: how many accounts a person has and what they hold, per currency. */
import type { BankAccountEvent } from '../domain/bank-account.ts';
import { signedAmount } from '../domain/bank-account.ts';
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';
import type { PersonEvent } from '../domain/person.ts';
import type { Recorded } from '../event-sourcing/codec.ts';
import { defineProjection, type Lookup } from '../event-sourcing/projection.ts';
import { accounts } from './accounts.ts';

export type OwnerSummaryDocument = {
  readonly owner_id: string;
  readonly total_accounts: number;
  readonly active_accounts: number;
  readonly closed_accounts: number;
  /** Decimal strings by currency code. */
  readonly total_balance: Readonly<Record<string, DecimalString>>;
  readonly last_activity: string | null;
};

type SummarisedEvent = PersonEvent | BankAccountEvent;

export const ownerSummaries = defineProjection<SummarisedEvent, OwnerSummaryDocument>({
  name: 'owner_summaries',
  version: 1,
  indexes: [],
  listed: false,
  eventTypes: [
    'PersonRegisteredDomainEventV1',
    'BankAccountCreatedDomainEventV2',
    'BankAccountTransactionRecordedDomainEventV1',
    'BankAccountClosedDomainEventV1',
  ],
  minorUnits: ({ total_balance }) => ({
    total_balance: Object.fromEntries(
      Object.entries(total_balance).map(([currency, total]) => [currency, toMinor(total, currency)]),
    ),
  }),
  lookups: (event) => (isOfAccount(event) ? [{ from: accounts, key: event.metadata.aggregate_id }] : []),
  keys: (event, lookup) => [ownerOf(event, lookup)],
  fold(document, event, _lookup, owner_id) {
    const summary = document ?? { ...EMPTY, owner_id };
    const active = { ...summary, last_activity: event.metadata.timestamp };
    switch (event.type) {
      case 'BankAccountCreatedDomainEventV2':
        return withAccount(active, event.data.currency);
      case 'BankAccountTransactionRecordedDomainEventV1':
        return withBalance(active, event.data.currency, signedAmount(event.data));
      case 'BankAccountClosedDomainEventV1':
        return {
          ...active,
          active_accounts: summary.active_accounts - 1,
          closed_accounts: summary.closed_accounts + 1,
        };
      default:
        return summary;
    }
  },
});

const EMPTY = {
  total_accounts: 0,
  active_accounts: 0,
  closed_accounts: 0,
  total_balance: {},
  last_activity: null,
};

function isOfAccount(event: Recorded<SummarisedEvent>): boolean {
  return event.type !== 'PersonRegisteredDomainEventV1' && event.type !== 'BankAccountCreatedDomainEventV2';
}

function ownerOf(event: Recorded<SummarisedEvent>, lookup: Lookup): string {
  if (event.type === 'PersonRegisteredDomainEventV1') return event.metadata.aggregate_id;
  if (event.type === 'BankAccountCreatedDomainEventV2') return event.data.owner_id;
  const account = lookup.get(accounts, event.metadata.aggregate_id);
  if (!account) throw new Error(`account ${event.metadata.aggregate_id} is not in bank_accounts`);
  return account.owner_id;
}

function withAccount(summary: OwnerSummaryDocument, currency: string): OwnerSummaryDocument {
  return {
    ...withBalance(summary, currency, 0n),
    total_accounts: summary.total_accounts + 1,
    active_accounts: summary.active_accounts + 1,
  };
}

function withBalance(summary: OwnerSummaryDocument, currency: string, change: bigint): OwnerSummaryDocument {
  const before = summary.total_balance[currency];
  const total = (before === undefined ? 0n : toMinor(before, currency)) + change;
  return { ...summary, total_balance: { ...summary.total_balance, [currency]: toDecimal(total, currency) } };
}
