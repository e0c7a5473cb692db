/** Routes for operators: a projection as it stood at a time, beside the one that is served. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { accepted, contextOf } from '../messages.ts';
import { BODY_CODES, QUERY_CODES } from '../problem-groups.ts';
import {
  type PastProjectionService,
  pastDocumentFields,
  pastDocumentPageFields,
  pastDocumentPageSchema,
  pastDocumentSchema,
  pastProjectionFields,
  pastProjectionIdFields,
  pastProjectionListSchema,
  pastProjectionSchema,
} from '../schemas/past-projections.ts';
import { problemResponses } from '../schemas/problems.ts';

const tags = ['operations'];

const DESCRIPTION = `It is folded from the whole log on a thread of its own; what is served stays as it is. Each stream is
there up to, and without, its first event later than \`at\`; an event at exactly that time counts. One is under way at a
time, the newest four are kept, each for an hour, by this process alone: another one does not know the id.`;

export const pastProjectionsController =
  ({ pastProjections }: { readonly pastProjections: PastProjectionService }): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook('onClose', () => pastProjections.stop());

    app.post(
      '/admin/past-projections',
      {
        schema: {
          operationId: 'startPastProjection',
          tags,
          summary: 'Fold a projection as it stood at a time',
          description: DESCRIPTION,
          body: pastProjectionFields,
          response: {
            202: pastProjectionSchema.describe('Under way; `Location` names it, and tells how it goes.'),
            ...problemResponses([
              ...BODY_CODES,
              'projection_not_found',
              'too_long',
              'invalid_time',
              'time_in_future',
              'past_projection_in_progress',
              'not_supported',
            ]),
          },
        },
      },
      async (request, reply) => {
        const begun = accepted(pastProjections.start(request.body, contextOf(request)), request);
        return reply.code(202).header('location', `/admin/past-projections/${begun.id}`).send(begun);
      },
    );

    app.get(
      '/admin/past-projections',
      {
        schema: {
          operationId: 'listPastProjections',
          tags,
          summary: 'List the past projections that this process keeps, the newest first',
          response: { 200: pastProjectionListSchema, ...problemResponses([]) },
        },
      },
      async (_request, reply) => reply.send({ items: pastProjections.list() }),
    );

    app.get(
      '/admin/past-projections/:id',
      {
        schema: {
          operationId: 'getPastProjection',
          tags,
          summary: 'How far a past projection is, or how it ended',
          params: pastProjectionIdFields,
          response: {
            200: pastProjectionSchema,
            ...problemResponses(['past_projection_not_found', 'invalid_id']),
          },
        },
      },
      async (request, reply) => reply.send(accepted(pastProjections.get(request.params.id), request)),
    );

    app.get(
      '/admin/past-projections/:id/documents',
      {
        schema: {
          operationId: 'listPastDocuments',
          tags,
          summary: 'List the documents of a past projection, oldest first',
          params: pastProjectionIdFields,
          querystring: pastDocumentPageFields,
          response: {
            200: pastDocumentPageSchema,
            ...problemResponses([...ofDocuments, ...QUERY_CODES, 'invalid_cursor']),
          },
        },
      },
      async (request, reply) => {
        const page = await pastProjections.documents(request.params.id, request.query);
        return reply.send(accepted(page, request));
      },
    );

    app.get(
      '/admin/past-projections/:id/documents/:key',
      {
        schema: {
          operationId: 'getPastDocument',
          tags,
          summary: 'Get one document of a past projection',
          params: pastDocumentFields,
          response: {
            200: pastDocumentSchema,
            ...problemResponses([...ofDocuments, 'document_not_found', 'too_short', 'too_long']),
          },
        },
      },
      async (request, reply) => {
        const { id, key } = request.params;
        return reply.send(accepted(await pastProjections.document(id, key), request));
      },
    );

    app.delete(
      '/admin/past-projections/:id',
      {
        schema: {
          operationId: 'removePastProjection',
          tags,
          summary: 'End a past projection that is under way, or remove what it has folded',
          params: pastProjectionIdFields,
          response: {
            204: z.null().describe('It is gone, with its files.'),
            ...problemResponses(['past_projection_not_found', 'invalid_id']),
          },
        },
      },
      async (request, reply) => {
        accepted(await pastProjections.remove(request.params.id), request);
        return reply.code(204).send(null);
      },
    );
  };

const ofDocuments = [
  'past_projection_not_found',
  'past_projection_not_finished',
  'invalid_id',
  'store_unavailable',
] as const;
