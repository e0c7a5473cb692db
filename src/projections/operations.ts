/** Read model `operations`: what was done under an id, for aggregates that have forgotten it. */
import { BANK_ACCOUNT_EVENT_TYPES } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_EVENT_TYPES } from '../domain/person.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

export type OperationDocument = {
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly operation_id: string;
  readonly content_hash: string;
  readonly first_revision: number;
  readonly last_revision: number;
};

export const operations = defineProjection<BankEvent, OperationDocument>({
  name: 'operations',
  version: 1,
  indexes: [],
  listed: false,
  eventTypes: [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES],
  keys({ metadata: { aggregate_type, aggregate_id, idempotency_key } }) {
    return idempotency_key === undefined
      ? []
      : [operationKey({ name: aggregate_type, id: aggregate_id }, idempotency_key)];
  },
  fold(document, { metadata, revision }) {
    const { aggregate_type, aggregate_id, idempotency_key, idempotency_hash } = metadata;
    if (document) return { ...document, last_revision: revision };
    return {
      aggregate_type,
      aggregate_id,
      operation_id: idempotency_key ?? '',
      content_hash: idempotency_hash ?? '',
      first_revision: revision,
      last_revision: revision,
    };
  },
});

/** An operation counts within one aggregate. */
export function operationKey(aggregate: { name: string; id: string }, operationId: string): string {
  return `${aggregate.name}/${aggregate.id}/${operationId}`;
}
