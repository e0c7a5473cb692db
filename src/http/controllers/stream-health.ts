/** Routes for operators: how the streams are. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { ListOrphanTransfers, orphanFields } from '../../application/queries/orphan-transfers.ts';
import {
  GetStreamHealth,
  GetStreamHealthSummary,
  ListStreamHealth,
  streamHealthFields,
} from '../../application/queries/stream-health.ts';
import { streamNameFields } from '../../application/queries/streams.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { QUERY_CODES } from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import {
  streamHealthSummarySchema,
  streamStatePageSchema,
  wholeStreamStateSchema,
} from '../schemas/stream-health.ts';
import { transferPageSchema } from '../schemas/transfers.ts';

const tags = ['operations'];

export const streamHealthController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/stream-health',
      {
        schema: {
          operationId: 'getStreamHealthSummary',
          tags,
          summary: 'How the streams are: how many, how long, how many with faults, and the longest',
          response: { 200: streamHealthSummarySchema, ...problemResponses(['store_unavailable']) },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(GetStreamHealthSummary, {}, contextOf(request));
        return reply.send(accepted(decision, request));
      },
    );

    app.get(
      '/admin/stream-health/streams',
      {
        schema: {
          operationId: 'listStreamHealth',
          tags,
          summary: 'List the longest, stale or problematic streams, or those whose snapshots lag',
          querystring: streamHealthFields,
          response: {
            200: streamStatePageSchema,
            ...problemResponses([...QUERY_CODES, 'invalid_value', 'invalid_cursor', 'store_unavailable']),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(ListStreamHealth, request.query, contextOf(request));
        return reply.send(accepted(decision, request));
      },
    );

    app.get(
      '/admin/stream-health/orphan-transfers',
      {
        schema: {
          operationId: 'listOrphanTransfers',
          tags,
          summary: 'List unfinished transfers that nobody seems to drive',
          querystring: orphanFields,
          response: {
            200: transferPageSchema,
            ...problemResponses([
              ...QUERY_CODES,
              'invalid_cursor',
              'read_model_blocked',
              'store_unavailable',
            ]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(ListOrphanTransfers, request.query, contextOf(request));
        return reply.send(accepted(decision, request));
      },
    );

    app.get(
      '/admin/streams/:name/health',
      {
        schema: {
          operationId: 'getStreamHealth',
          tags,
          summary: 'How one stream is: length, size, age, rate, first and newest event, faults, snapshot',
          params: streamNameFields,
          response: {
            200: wholeStreamStateSchema,
            ...problemResponses(['stream_not_found', 'too_long', 'store_unavailable']),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(GetStreamHealth, request.params, contextOf(request));
        return reply.send(accepted(decision, request));
      },
    );
  };
