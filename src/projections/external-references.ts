/** Read model `external_references`: which posting of an account bears a client's own reference. */
import type { TransactionRecorded } from '../domain/bank-account.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

export type ExternalReferenceDocument = {
  readonly account_id: string;
  readonly external_reference: string;
  readonly transaction_id: string;
};

/** The key of a reference: it is the account's own, so that two accounts may use the same. */
export function externalReferenceKey(accountId: string, reference: string): string {
  return `${accountId}/${reference}`;
}

export const externalReferences = defineProjection<TransactionRecorded, ExternalReferenceDocument>({
  name: 'external_references',
  version: 1,
  indexes: [],
  listed: false,
  eventTypes: ['BankAccountTransactionRecordedDomainEventV1'],
  // Most postings have none, and then there is nothing to write.
  keys({ data, metadata }) {
    const { external_reference } = data;
    if (external_reference === undefined) return [];
    return [externalReferenceKey(metadata.aggregate_id, external_reference)];
  },
  fold: (_document, { data, metadata }) => ({
    account_id: metadata.aggregate_id,
    external_reference: data.external_reference ?? '',
    transaction_id: data.transaction_id,
  }),
});
