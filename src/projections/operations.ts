/** Read model `operations`: what was done under an id, for aggregates that have forgotten it. */
import { BANK_ACCOUNT_EVENT_TYPES } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_EVENT_TYPES } from '../domain/person.ts';
import type { EventMetadata } from '../event-sourcing/event-store.ts';
import { namesOf, type OperationName, operationOf } from '../event-sourcing/operation-log.ts';
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
  version: 2,
  indexes: [],
  listed: false,
  eventTypes: [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES],
  keys: ({ metadata }) => namesIn(metadata).map(({ id }) => operationKey(aggregateOf(metadata), id)),
  fold(document, { metadata, revision }, _lookup, key) {
    if (document) return { ...document, last_revision: revision };
    const name = namesIn(metadata).find(({ id }) => operationKey(aggregateOf(metadata), id) === key);
    const { aggregate_type, aggregate_id } = metadata;
    return {
      aggregate_type,
      aggregate_id,
      operation_id: name?.id ?? '',
      content_hash: name?.contentHash ?? '',
      first_revision: revision,
      last_revision: revision,
    };
  },
});

function namesIn(metadata: EventMetadata): OperationName[] {
  const operation = operationOf(metadata);
  return operation ? namesOf(operation) : [];
}

function aggregateOf({ aggregate_type: name, aggregate_id: id }: EventMetadata) {
  return { name, id };
}

/** An operation counts within one aggregate. */
export function operationKey(aggregate: { name: string; id: string }, operationId: string): string {
  return `${aggregate.name}/${aggregate.id}/${operationId}`;
}
