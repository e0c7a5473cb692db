/** The Person aggregate: who owns accounts. Stream name → events → state and evolve → decisions. */
import { accept, type Decision, reject } from './decision.ts';

// --- Stream ---------------------------------------------------------------------------------------------------

export const PERSON_STREAM_PREFIX = 'person-';

/** The stream of one person: `person-` and the id without hyphens. */
export function personStream(personId: string): string {
  return PERSON_STREAM_PREFIX + personId.replaceAll('-', '');
}

// --- Events ---------------------------------------------------------------------------------------------------

export const GENDERS = ['MALE', 'FEMALE', 'OTHER'] as const;
export type Gender = (typeof GENDERS)[number];

export interface Address {
  readonly street_name: string;
  readonly street_number: string;
  readonly zip_code: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
}

export interface PersonRegistered {
  readonly type: 'PersonRegisteredDomainEventV1';
  readonly data: {
    readonly first_name: string;
    readonly last_name: string;
    /** RFC 3339 full date, `1990-05-15`. */
    readonly date_of_birth: string;
    /** ISO 3166-1 alpha-2, upper case. */
    readonly nationality: string;
    readonly gender: Gender;
    readonly address?: Address;
  };
}

export type PersonEvent = PersonRegistered;

export const PERSON_EVENT_TYPES = ['PersonRegisteredDomainEventV1'] as const satisfies PersonEvent['type'][];

// --- State ----------------------------------------------------------------------------------------------------

export type Person = PersonRegistered['data'];

/** Folds one event into the state; `undefined` is a person who does not exist yet. */
export function evolvePerson(_state: Person | undefined, event: PersonEvent): Person {
  return event.data;
}

// --- Decisions ------------------------------------------------------------------------------------------------

export const EARLIEST_BIRTH_DATE = '1850-01-01';

/**
 * Registers a person.
 * @param today the current UTC date as `YYYY-MM-DD`; dates in this form compare as text.
 * Rejects with `person_already_registered`, `birth_date_in_future` or `birth_date_too_early`.
 */
export function registerPerson(
  state: Person | undefined,
  person: Person,
  today: string,
): Decision<PersonEvent[]> {
  if (state) return reject('person_already_registered', 'This person is registered already.');
  if (person.date_of_birth > today) {
    return reject('birth_date_in_future', 'date_of_birth must not be in the future.', {
      field: 'date_of_birth',
    });
  }
  if (person.date_of_birth < EARLIEST_BIRTH_DATE) {
    return reject('birth_date_too_early', `date_of_birth must not be before ${EARLIEST_BIRTH_DATE}.`, {
      field: 'date_of_birth',
    });
  }
  return accept([{ type: 'PersonRegisteredDomainEventV1', data: person }]);
}
