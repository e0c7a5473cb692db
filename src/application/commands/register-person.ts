/** Command: registers a person, who may then own accounts. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { GENDERS, type Person, registerPerson } from '../../domain/person.ts';
import { asDecision, type Bank, type Written, written } from '../bank.ts';
import { calendarDate, text } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';
import { newAggregateId } from '../operation.ts';

const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/, 'two capital letters such as US')
  .meta({ description: 'ISO 3166-1 alpha-2, upper case.', examples: ['US'] });

export const addressFields = z.strictObject({
  street_name: text('Street.', 200, 'Main Street'),
  street_number: text('House number.', 20, '12b'),
  zip_code: text('Postal code.', 20, '10115'),
  city: text('City.', 100, 'Springfield'),
  state: text('State or region.', 100, 'Oregon'),
  country: countryCode,
});

export const personFields = z.strictObject({
  first_name: text('Given name.', 100, 'Alice'),
  last_name: text('Family name.', 100, 'Smith'),
  date_of_birth: calendarDate('Date of birth, not in the future.', '1990-05-15'),
  nationality: countryCode,
  gender: z.enum(GENDERS).meta({ description: 'Gender.', examples: ['FEMALE'] }),
  address: addressFields.optional(),
});

export type RegisteredPerson = Person & {
  readonly id: string;
  readonly created_at: string;
  readonly revision: number;
};

export const RegisterPerson = command<{ person: RegisteredPerson } & Written>()(
  'RegisterPerson',
  // An absent address and one that is undefined mean the same; events carry neither.
  personFields as unknown as z.ZodType<Person>,
);

export function registerPersonHandler(bank: Bank): Handler<Person, { person: RegisteredPerson } & Written> {
  return async (person, context) => {
    const id = newAggregateId('Person', context, bank.newId);
    const today = bank.now().toISOString().slice(0, 10);
    const outcome = asDecision(
      await bank.persons.create(id, (state) => registerPerson(state, person, today), context),
    );
    if (!outcome.ok) return outcome;
    const { revision, timestamp } = outcome.value;
    return accept({ person: { id, ...person, created_at: timestamp, revision }, ...written(outcome.value) });
  };
}
