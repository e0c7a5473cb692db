/** Routes that every process answers, whatever its role: health and status. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Services } from '../messages.ts';
import { problemResponses } from '../schemas/problems.ts';
import { readinessSchema, statusSchema } from '../schemas/status.ts';

const tags = ['operations'];

export const healthController =
  ({ status, readiness }: Pick<Services, 'status' | 'readiness'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/health/live',
      {
        schema: {
          operationId: 'live',
          tags,
          summary: 'Whether the process answers',
          response: { 200: z.strictObject({ status: z.literal('live') }).meta({ id: 'Liveness' }) },
        },
      },
      async (_request, reply) => reply.send({ status: 'live' }),
    );

    app.get(
      '/health/ready',
      {
        schema: {
          operationId: 'ready',
          tags,
          summary: 'Whether the process can do what its role is for',
          response: { 200: readinessSchema, 503: readinessSchema },
        },
      },
      async (_request, reply) => {
        const answer = await readiness();
        return reply.code(answer.status === 'ready' ? 200 : 503).send(answer);
      },
    );

    app.get(
      '/admin/status',
      {
        schema: {
          operationId: 'status',
          tags,
          summary: 'Process, stores, and how far each projection is',
          response: { 200: statusSchema, ...problemResponses(['store_unavailable']) },
        },
      },
      async (_request, reply) => reply.send(await status()),
    );
  };
