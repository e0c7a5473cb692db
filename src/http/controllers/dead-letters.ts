/** Routes for operators: the events that projections could not apply, tried again or given up. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  DiscardDeadLetter,
  deadLetterIdFields,
  discardReasonFields,
  RetryDeadLetter,
  RetryDeadLetters,
  retryDeadLettersFields,
} from '../../application/commands/dead-letter-requests.ts';
import { deadLetterFields, ListDeadLetters } from '../../application/queries/dead-letters.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { BODY_CODES, STORE_CODES } from '../problem-groups.ts';
import { deadLetterRequestSchema, deadLettersSchema } from '../schemas/dead-letters.ts';
import { problemResponses } from '../schemas/problems.ts';

const tags = ['operations'];
const ON_RECORD = 'On record; whoever leads the projections acts on it.';

export const deadLettersController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/dead-letters',
      {
        schema: {
          operationId: 'listDeadLetters',
          tags,
          summary: 'List the events that a projection could not apply, oldest first',
          querystring: deadLetterFields,
          response: {
            200: deadLettersSchema,
            ...problemResponses(['out_of_range', 'unknown_field', 'too_long', 'store_unavailable']),
          },
        },
      },
      async (request, reply) =>
        reply.send(
          accepted(await mediator.send(ListDeadLetters, request.query, contextOf(request)), request),
        ),
    );

    app.post(
      '/admin/dead-letters/retry',
      {
        schema: {
          operationId: 'retryDeadLetters',
          tags,
          summary: 'Try all dead letters again, or those of a projection',
          body: retryDeadLettersFields,
          response: {
            202: deadLetterRequestSchema.describe(ON_RECORD),
            ...problemResponses(['projection_not_found', ...BODY_CODES, 'too_long', ...STORE_CODES]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(RetryDeadLetters, request.body, contextOf(request));
        return reply.code(202).send(accepted(decision, request).request);
      },
    );

    app.post(
      '/admin/dead-letters/:id/retry',
      {
        schema: {
          operationId: 'retryDeadLetter',
          tags,
          summary: 'Try a dead letter again, after those of its document that come before it',
          params: deadLetterIdFields,
          response: {
            202: deadLetterRequestSchema.describe(ON_RECORD),
            ...problemResponses([
              'dead_letter_not_found',
              'dead_letter_not_retriable',
              'too_long',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(RetryDeadLetter, request.params, contextOf(request));
        return reply.code(202).send(accepted(decision, request).request);
      },
    );

    app.post(
      '/admin/dead-letters/:id/discard',
      {
        schema: {
          operationId: 'discardDeadLetter',
          tags,
          summary: 'Give up a dead letter; what only waited for it is applied',
          params: deadLetterIdFields,
          body: discardReasonFields,
          response: {
            202: deadLetterRequestSchema.describe(ON_RECORD),
            ...problemResponses([
              'dead_letter_not_found',
              ...BODY_CODES,
              'too_short',
              'too_long',
              'invalid_text',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.params, ...request.body };
        const decision = await mediator.send(DiscardDeadLetter, input, contextOf(request));
        return reply.code(202).send(accepted(decision, request).request);
      },
    );
  };
