/** Shapes of what the API answers about persons. */
import { z } from 'zod';
import { addressFields } from '../../application/commands/register-person.ts';
import { GENDERS } from '../../domain/person.ts';
import { count, EXAMPLE_IDS, money, pageOf, revision, time, uuid } from './fields.ts';

export const personSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.person),
    first_name: z.string().meta({ examples: ['Alice'] }),
    last_name: z.string().meta({ examples: ['Smith'] }),
    date_of_birth: z.iso.date().meta({ examples: ['1990-05-15'] }),
    nationality: z.string().meta({ examples: ['US'] }),
    gender: z.enum(GENDERS).meta({ examples: ['FEMALE'] }),
    address: addressFields.optional(),
    created_at: time,
    revision: revision.meta({ examples: [0] }),
  })
  .meta({ id: 'Person' });

export const personPageSchema = pageOf(personSchema, 'PersonPage');

export const ownerSummarySchema = z
  .strictObject({
    owner_id: uuid(EXAMPLE_IDS.person),
    total_accounts: count.meta({ examples: [1] }),
    active_accounts: count.meta({ examples: [1] }),
    closed_accounts: count.meta({ examples: [0] }),
    total_balance: z
      .record(z.string(), money('1000.00'))
      .meta({ description: 'By currency.', examples: [{ USD: '1000.00' }] }),
    last_activity: time.nullable(),
  })
  .meta({ id: 'OwnerSummary' });
