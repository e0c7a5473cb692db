/** Read model `persons`: each person as registered. */
import { PERSON_EVENT_TYPES, type Person, type PersonEvent, personStream } from '../domain/person.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

export type PersonDocument = Person & {
  readonly id: string;
  readonly created_at: string;
  readonly revision: number;
};

export const persons = defineProjection<PersonEvent, PersonDocument>({
  name: 'persons',
  version: 1,
  indexes: [],
  listed: true,
  eventTypes: PERSON_EVENT_TYPES,
  stream: personStream,
  keys: (event) => [event.metadata.aggregate_id],
  fold: (_document, event, _lookup, id) => ({
    id,
    ...event.data,
    created_at: event.metadata.timestamp,
    revision: event.revision,
  }),
});
