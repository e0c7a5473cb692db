/** Routes for operators: the stream browser, and what each problem code means. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ExpireHolds } from '../../application/commands/expire-holds.ts';
import { PostInterestForPeriod, periodFields } from '../../application/commands/post-interest-for-period.ts';
import { pageFields } from '../../application/queries/paging.ts';
import {
  ListStreams,
  ReadStream,
  streamListFields,
  streamNameFields,
  streamReadFields,
} from '../../application/queries/streams.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { isProblemCode, PROBLEM_CATALOG } from '../problem-catalog.ts';
import { BODY_CODES, QUERY_CODES, STORE_CODES } from '../problem-groups.ts';
import { problem, sendProblem } from '../problems.ts';
import { holdSweepSchema } from '../schemas/holds.ts';
import { interestStepSchema } from '../schemas/interest.ts';
import { problemResponses } from '../schemas/problems.ts';
import { eventPageSchema, streamPageSchema } from '../schemas/streams.ts';

const tags = ['operations'];

export const operationsController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/streams',
      {
        schema: {
          operationId: 'listStreams',
          tags,
          summary: 'List streams by name',
          querystring: streamListFields,
          response: {
            200: streamPageSchema,
            ...problemResponses([...QUERY_CODES, 'not_supported', 'store_unavailable']),
          },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(ListStreams, request.query, contextOf(request)), request)),
    );

    app.get(
      '/admin/streams/:name',
      {
        schema: {
          operationId: 'readStream',
          tags,
          summary: 'Read the events of a stream with their whole envelopes',
          params: streamNameFields,
          querystring: streamReadFields,
          response: {
            200: eventPageSchema,
            ...problemResponses([
              'stream_not_found',
              ...QUERY_CODES,
              'invalid_cursor',
              'invalid_value',
              'store_unavailable',
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(accepted(await mediator.send(ReadStream, input, contextOf(request)), request));
      },
    );

    app.post(
      '/admin/holds/expire',
      {
        schema: {
          operationId: 'expireHolds',
          tags,
          summary: 'Record that holds have expired: one step through all that are open',
          querystring: z.strictObject(pageFields),
          response: {
            200: holdSweepSchema,
            ...problemResponses([
              ...QUERY_CODES,
              'invalid_idempotency_key',
              'invalid_cursor',
              'read_model_blocked',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(ExpireHolds, request.query, contextOf(request)), request)),
    );

    app.post(
      '/admin/interest-runs',
      {
        schema: {
          operationId: 'postMonth',
          tags,
          summary: 'Post interest and fees of a month: one step through all accounts',
          body: periodFields,
          querystring: z.strictObject(pageFields),
          response: {
            200: interestStepSchema,
            ...problemResponses([
              ...BODY_CODES,
              ...QUERY_CODES,
              'invalid_format',
              'period_not_over',
              'invalid_cursor',
              'read_model_blocked',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.body };
        const decision = await mediator.send(PostInterestForPeriod, input, contextOf(request));
        return reply.send(accepted(decision, request));
      },
    );

    app.get(
      '/problems/:code',
      {
        schema: {
          operationId: 'explainProblem',
          tags,
          summary: 'What a problem code means',
          params: z.strictObject({
            code: z
              .string()
              .max(100)
              .meta({ description: 'The `code` of a problem.', examples: ['insufficient_funds'] }),
          }),
          response: {
            200: z
              .strictObject({ code: z.string(), status: z.int(), title: z.string(), meaning: z.string() })
              .meta({ id: 'ProblemKind' }),
            ...problemResponses(['problem_not_found', 'too_long']),
          },
        },
      },
      async (request, reply) => {
        const { code } = request.params;
        if (!isProblemCode(code)) return sendProblem(reply, problem('problem_not_found'));
        return reply.send({ code, ...PROBLEM_CATALOG[code] });
      },
    );
  };
