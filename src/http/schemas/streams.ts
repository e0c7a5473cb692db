/** Shapes of raw events and streams. */
import { z } from 'zod';
import { count, pageOf, revision, time, uuid } from './fields.ts';

export const eventSchema = z
  .strictObject({
    id: uuid('01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a04'),
    type: z.string().meta({ examples: ['BankAccountTransactionRecordedDomainEventV1'] }),
    stream: z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
    revision,
    position: z.string().meta({ description: 'Place in the whole log; opaque.', examples: ['42'] }),
    recorded_at: time,
    data: z.record(z.string(), z.unknown()),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });

export const eventPageSchema = pageOf(eventSchema, 'EventPage');

export const streamSchema = z
  .strictObject({
    stream: z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
    first_revision: count,
    last_revision: count,
    last_recorded_at: time,
  })
  .meta({ id: 'Stream' });

export const streamPageSchema = pageOf(streamSchema, 'StreamPage');
