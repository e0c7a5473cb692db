/** Routes for operators: what is in the archive, and moving more into it. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { archiveRunFields, StartArchiveRun } from '../../application/commands/start-archive-run.ts';
import { GetArchive } from '../../application/queries/archive.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { BODY_CODES, STORE_CODES } from '../problem-groups.ts';
import { archiveRunSchema, archiveSchema } from '../schemas/archive.ts';
import { problemResponses } from '../schemas/problems.ts';

const tags = ['operations'];

export const archiveController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/admin/archive-runs',
      {
        schema: {
          operationId: 'startArchiveRun',
          tags,
          summary: 'Close the books of accounts with many events, and move what came before into the archive',
          body: archiveRunFields,
          response: {
            202: archiveRunSchema.describe('Started; `GET /admin/archive` tells how it goes.'),
            ...problemResponses([
              ...BODY_CODES,
              'invalid_format',
              'invalid_time',
              'time_in_future',
              'out_of_range',
              'archive_run_in_progress',
              'not_supported',
              'invalid_idempotency_key',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(StartArchiveRun, request.body, contextOf(request));
        return reply.code(202).send(accepted(decision, request));
      },
    );

    app.get(
      '/admin/archive',
      {
        schema: {
          operationId: 'getArchive',
          tags,
          summary: 'Tell what is in the archive, and how its newest run is doing',
          response: { 200: archiveSchema, ...problemResponses(['not_supported', 'store_unavailable']) },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(GetArchive, {}, contextOf(request)), request)),
    );
  };
