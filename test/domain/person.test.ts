/** A person: who may be registered, and what is remembered of them. */
import { describe, expect, it } from 'vitest';
import {
  EARLIEST_BIRTH_DATE,
  evolvePerson,
  GENDERS,
  PERSON_EVENT_TYPES,
  PERSON_STREAM_PREFIX,
  type Person,
  type PersonRegistered,
  personStream,
  registerPerson,
} from '../../src/domain/person.ts';
import { givenFor } from '../support/given-when-then.ts';

const given = givenFor(evolvePerson);
const TODAY = '2024-02-29';

const ADA: Person = {
  first_name: 'Ada',
  last_name: 'Lovelace',
  date_of_birth: '1990-05-15',
  nationality: 'GB',
  gender: 'FEMALE',
};

const AT_HOME: Person = {
  ...ADA,
  address: {
    street_name: 'St James Square',
    street_number: '12',
    zip_code: 'SW1Y 4JH',
    city: 'London',
    state: 'Greater London',
    country: 'GB',
  },
};

const registered = (data: Person): PersonRegistered => ({ type: 'PersonRegisteredDomainEventV1', data });
const bornOn = (date_of_birth: string): Person => ({ ...ADA, date_of_birth });
const register = (person: Person, today = TODAY) => {
  return (state: Person | undefined) => registerPerson(state, person, today);
};

describe('the stream and the stored names', () => {
  it('stream / the id without hyphens after the prefix', () => {
    expect(personStream('01890a5d-ac96-774b-bcce-b302099a8057')).toBe(
      'person-01890a5dac96774bbcceb302099a8057',
    );
    expect(PERSON_STREAM_PREFIX).toBe('person-');
  });

  it('stream / an id that has no hyphens stays as it is', () => {
    expect(personStream('01890a5dac96774bbcceb302099a8057')).toBe('person-01890a5dac96774bbcceb302099a8057');
  });

  it('names / what is stored never changes', () => {
    expect(PERSON_EVENT_TYPES).toStrictEqual(['PersonRegisteredDomainEventV1']);
    expect(GENDERS).toStrictEqual(['MALE', 'FEMALE', 'OTHER']);
  });
});

describe('evolve', () => {
  it('evolve / registered: everything in the event is known, without an address', () => {
    given([registered(ADA)]).thenState(ADA);
  });

  it('evolve / registered: everything in the event is known, with an address', () => {
    given([registered(AT_HOME)]).thenState(AT_HOME);
  });
});

describe('registerPerson', () => {
  it('register / accepted: the event carries what was given, and no address when there is none', () => {
    given
      .nothing()
      .when(register(ADA))
      .thenEvents([registered(ADA)]);
  });

  it('register / accepted: the address goes into the event', () => {
    given
      .nothing()
      .when(register(AT_HOME))
      .thenEvents([registered(AT_HOME)]);
  });

  it.each(GENDERS)('register / accepted: gender %s', (gender) => {
    const person = { ...ADA, gender };
    given
      .nothing()
      .when(register(person))
      .thenEvents([registered(person)]);
  });

  it('register / accepted: born today', () => {
    const person = bornOn(TODAY);
    given
      .nothing()
      .when(register(person))
      .thenEvents([registered(person)]);
  });

  it('register / accepted: born on the earliest date', () => {
    const person = bornOn('1850-01-01');
    given
      .nothing()
      .when(register(person))
      .thenEvents([registered(person)]);
    expect(EARLIEST_BIRTH_DATE).toBe('1850-01-01');
  });

  it.each([
    ['tomorrow, over the end of a month', '2024-03-01', TODAY],
    ['tomorrow, over the end of a year', '2025-01-01', '2024-12-31'],
    ['next year, on an earlier day', '2025-01-01', TODAY],
  ])('register / rejected: born %s', (_, birth, today) => {
    given
      .nothing()
      .when(register(bornOn(birth), today))
      .thenRejected('birth_date_in_future', {
        detail: 'date_of_birth must not be in the future.',
        field: 'date_of_birth',
      });
  });

  it.each(['1849-12-31', '1066-10-14', '0001-01-01'])('register / rejected: born too early, %s', (birth) => {
    given
      .nothing()
      .when(register(bornOn(birth)))
      .thenRejected('birth_date_too_early', {
        detail: 'date_of_birth must not be before 1850-01-01.',
        field: 'date_of_birth',
      });
  });

  it('register / rejected: the same person again', () => {
    given([registered(ADA)])
      .when(register(ADA))
      .thenRejected('person_already_registered', { detail: 'This person is registered already.' });
  });

  it('register / rejected: registered already comes before a wrong birth date', () => {
    given([registered(ADA)])
      .when(register(bornOn('2999-01-01')))
      .thenRejected('person_already_registered');
  });
});
