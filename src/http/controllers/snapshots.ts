/** Routes for operators: the snapshots of an account, and taking one. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { TakeSnapshot } from '../../application/commands/take-snapshot.ts';
import { accountIdFields } from '../../application/queries/accounts.ts';
import { ListSnapshots } from '../../application/queries/snapshots.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { STORE_CODES } from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { snapshotListSchema, snapshotTakenSchema } from '../schemas/snapshots.ts';

const tags = ['operations'];
const CODES = ['account_not_found', 'invalid_id'] as const;

export const snapshotsController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/admin/accounts/:id/snapshots',
      {
        schema: {
          operationId: 'takeSnapshot',
          tags,
          summary: 'Take a snapshot of an account, unless there is one of its newest revision',
          params: accountIdFields,
          response: {
            200: snapshotTakenSchema.describe('Taken, or there was one already.'),
            ...problemResponses([...CODES, 'invalid_idempotency_key', ...STORE_CODES]),
          },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(TakeSnapshot, request.params, contextOf(request)), request)),
    );

    app.get(
      '/admin/accounts/:id/snapshots',
      {
        schema: {
          operationId: 'listSnapshots',
          tags,
          summary: 'List the snapshots that are kept of an account',
          params: accountIdFields,
          response: { 200: snapshotListSchema, ...problemResponses([...CODES, 'store_unavailable']) },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(ListSnapshots, request.params, contextOf(request)), request)),
    );
  };
