/** Routes of the events that could not be published: list, publish again, give up. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  DiscardParkedCloudEvents,
  discardFields,
  ReplayParkedCloudEvents,
  replayFields,
} from '../../application/commands/parked-cloud-events.ts';
import {
  ListParkedCloudEvents,
  parkedCloudEventFields,
} from '../../application/queries/parked-cloud-events.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import type { ProblemCode } from '../problem-catalog.ts';
import { BODY_CODES, STORE_CODES } from '../problem-groups.ts';
import { parkedCloudEventsSchema, parkedRequestSchema } from '../schemas/cloud-events.ts';
import { problemResponses } from '../schemas/problems.ts';

export const parkedCloudEventsController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/cloud-events/parked',
      {
        schema: {
          operationId: 'listParkedCloudEvents',
          tags: ['operations'],
          summary: 'List the events that could not be published, oldest first',
          querystring: parkedCloudEventFields,
          response: {
            200: parkedCloudEventsSchema,
            ...problemResponses(['out_of_range', 'unknown_field', 'too_long', 'store_unavailable']),
          },
        },
      },
      async (request, reply) =>
        reply.send(
          accepted(await mediator.send(ListParkedCloudEvents, request.query, contextOf(request)), request),
        ),
    );

    const REQUEST_CODES = [
      ...BODY_CODES,
      'too_short',
      'too_long',
      'invalid_format',
      ...STORE_CODES,
    ] as const satisfies ProblemCode[];

    app.post(
      '/admin/cloud-events/parked/replay',
      {
        schema: {
          operationId: 'replayParkedCloudEvents',
          tags: ['operations'],
          summary: 'Publish parked events again: all, those of a stream, or those up to one of it',
          body: replayFields,
          response: {
            202: parkedRequestSchema.describe('On record; the publisher acts on it.'),
            ...problemResponses(REQUEST_CODES),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(ReplayParkedCloudEvents, request.body, contextOf(request));
        return reply.code(202).send(accepted(decision, request).request);
      },
    );

    app.post(
      '/admin/cloud-events/parked/discard',
      {
        schema: {
          operationId: 'discardParkedCloudEvents',
          tags: ['operations'],
          summary: 'Give up parked events: all, those of a stream, or one of it',
          body: discardFields,
          response: {
            202: parkedRequestSchema.describe('On record; the publisher acts on it.'),
            ...problemResponses([...REQUEST_CODES, 'invalid_text']),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(DiscardParkedCloudEvents, request.body, contextOf(request));
        return reply.code(202).send(accepted(decision, request).request);
      },
    );
  };
