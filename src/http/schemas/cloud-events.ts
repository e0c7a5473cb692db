/** Shapes of what the routes of CloudEvents answer. */
import { z } from 'zod';
import { EXAMPLE_IDS } from './fields.ts';
import { problemSchema } from './problems.ts';

const result = z
  .record(z.string(), z.unknown())
  .meta({ description: 'What the route of the same command answers: a person, an account or a posting.' });
const replayed = z.boolean().meta({ description: 'It was done before, and this is the first answer again.' });
const stream = z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] });
const revision = z.int().min(0);

export const intakeSchema = z
  .strictObject({ id: z.string(), source: z.string(), type: z.string(), stream, revision, replayed, result })
  .meta({ id: 'CloudEventIntake' });

export const batchIntakeSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        id: z.string().optional(),
        status: z.int().meta({ description: 'As if the event had come alone.' }),
        stream: stream.optional(),
        revision: revision.optional(),
        replayed: replayed.optional(),
        result: result.optional(),
        problem: problemSchema.optional(),
      }),
    ),
  })
  .meta({ id: 'CloudEventBatchIntake', description: 'One item for each event, in their order.' });

export const intakeAnswerSchema = z.union([intakeSchema, batchIntakeSchema]);

export type IntakeAnswer = z.output<typeof intakeSchema>;
export type BatchIntakeItem = z.output<typeof batchIntakeSchema>['items'][number];

/** Any one of the three modes; what an event asks for is checked by its type. */
export const cloudEventBodySchema = z.unknown().meta({
  description:
    'A CloudEvent 1.0 in structured mode, its data in binary mode (with `ce-` headers), or an array of events. ' +
    'The media types are `application/cloudevents+json`, `application/cloudevents-batch+json`, or plain JSON.',
  examples: [
    {
      specversion: '1.0',
      id: 'order-4711',
      source: '/shop',
      type: 'bank.deposit.requested.v1',
      data: { account_id: EXAMPLE_IDS.account, amount: '25.00', description: 'Order 4711' },
    },
  ],
});

export const dataSchemaSchema = z
  .looseObject({ $id: z.string(), title: z.string(), type: z.literal('object') })
  .meta({ id: 'CloudEventDataSchema', description: "JSON Schema of the event type's data." });

export const parkedCloudEventsSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        stream,
        revision,
        position: z.string(),
        event_id: z.string(),
        event_type: z.string(),
        cause: z.string(),
        attempts: z.int().min(0),
        parked_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'ParkedCloudEvents' });

export const parkedRequestSchema = z
  .strictObject({
    action: z.enum(['replay', 'discard']),
    revision: revision.meta({ description: 'Of the request, in the stream operator-requests.' }),
  })
  .meta({ id: 'ParkedCloudEventsRequest' });
