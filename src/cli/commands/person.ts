/** `person`: register, show and list persons. */
import { segment } from '../bank/ask.ts';
import { change, outputFlags, pageFlags, showOne, showPage, writeFlags } from '../bank/verb.ts';
import { personView } from '../bank/views.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';

const register = defineCommand({
  name: 'person register',
  summary: 'Register a person, who may then own accounts.',
  details: 'An address is whole or not there: it needs all of its flags.',
  options: {
    'first-name': { type: 'string', value: 'NAME', help: 'Given name' },
    'last-name': { type: 'string', value: 'NAME', help: 'Family name' },
    'date-of-birth': { type: 'string', value: 'DATE', help: 'Such as 1990-05-15' },
    nationality: { type: 'string', value: 'CODE', help: 'Country, ISO 3166-1 alpha-2, such as US' },
    gender: { type: 'string', value: 'GENDER', help: 'female, male or other' },
    'street-name': { type: 'string', value: 'TEXT', help: 'Address: street' },
    'street-number': { type: 'string', value: 'TEXT', help: 'Address: house number' },
    'zip-code': { type: 'string', value: 'TEXT', help: 'Address: postal code' },
    city: { type: 'string', value: 'TEXT', help: 'Address: city' },
    state: { type: 'string', value: 'TEXT', help: 'Address: state or region' },
    country: { type: 'string', value: 'CODE', help: 'Address: country, ISO 3166-1 alpha-2' },
    ...writeFlags,
  },
  run(values) {
    const address = {
      street_name: values['street-name'],
      street_number: values['street-number'],
      zip_code: values['zip-code'],
      city: values.city,
      state: values.state,
      country: values.country?.toUpperCase(),
    };
    const hasAddress = Object.values(address).some((part) => part !== undefined);
    const body = {
      first_name: values['first-name'],
      last_name: values['last-name'],
      date_of_birth: values['date-of-birth'],
      nationality: values.nationality?.toUpperCase(),
      gender: values.gender?.toUpperCase(),
      ...(hasAddress ? { address } : {}),
    };
    return change(values, { method: 'POST', path: '/persons', body }, personView);
  },
});

const show = defineCommand({
  name: 'person show',
  summary: 'Show a person.',
  options: outputFlags,
  positionals: ['PERSON'],
  run: (values, [person = '']) => showOne(values, `/persons/${segment(person)}`, personView),
});

const list = defineCommand({
  name: 'person list',
  summary: 'List persons, oldest registration first.',
  options: pageFlags,
  run: (values) => showPage(values, '/persons', personView),
});

export const person = defineGroup({
  name: 'person',
  summary: 'Register, show and list persons.',
  commands: [register, show, list],
});
